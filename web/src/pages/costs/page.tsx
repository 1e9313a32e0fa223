import { createLazyRoute, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { address } from "@/api/client";
import { useApi } from "@/api/queries";
import { Empty } from "@/kit/Empty";
import { FilterChips } from "@/kit/FilterChips";
import { Page, Section } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Snippet } from "@/kit/Snippet";
import { type RootSearch, useAsked } from "@/shell/search";
import { Budgets } from "./Budgets";
import { Controls } from "./Controls";
import { CostChart, type Costs } from "./CostChart";
import { CostFigures } from "./CostFigures";
import { chips, readFilters } from "./filters";
import { Groups } from "./Groups";
import { Month } from "./Month";
import { Reprice } from "./Reprice";
import { type CostsSearch, costsAsked, readBy } from "./search";
import { TopCalls } from "./TopCalls";
import { Units } from "./Units";
import { Unpriced } from "./Unpriced";
import { useRemoveFilter } from "./useRemoveFilter";
import "./page.css";

export const Route = createLazyRoute("/costs")({ component: CostsPage });

function CostsPage() {
  const search = useSearch({ strict: false }) as CostsSearch & RootSearch;
  const filters = readFilters({ ...search });
  const asked = { ...useAsked(), ...filters };
  const by = readBy(search.by).filter((name) => name !== undefined);
  const question = costsAsked(search);
  const narrowed = chips(filters, search.tenant);
  const mayCome = !search.until && narrowed.length === 0;
  const { data, error, refetch, isPlaceholderData } = useApi(
    "/api/v1/costs",
    { query: question },
    { live: true, empty: (answer) => mayCome && isEmpty(answer) },
  );
  const remove = useRemoveFilter(filters, search.tenant);
  const file = address("/api/v1/costs", {}, { ...question, format: "csv" });
  if (error && !data) {
    return (
      <Page title="Costs" timed>
        <FilterChips chips={narrowed} onRemove={remove} />
        <Problem error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return (
    <Page
      title="Costs"
      timed
      actions={
        <a
          className="button button-plain"
          href={file}
          download
          title="All groups with their total, as a file"
        >
          <Download size={14} aria-hidden="true" /> Export CSV
        </a>
      }
    >
      <FilterChips chips={narrowed} onRemove={remove} />
      {data && isEmpty(data) ? (
        <Empty title={narrowed.length ? "No call of this time matches" : "No calls in this time"}>
          {narrowed.length ? (
            "Take a filter away, or look at a longer time."
          ) : (
            <>
              <p>Look at a longer time, or send a first call: its cost is here within seconds.</p>
              <Snippet />
            </>
          )}
        </Empty>
      ) : (
        <div className="costs" aria-busy={!data || isPlaceholderData}>
          <CostFigures data={data} />
          <Section title="Spend over time" aside={<Controls by={by} bucket={search.bucket} />}>
            <CostChart data={data} />
          </Section>
          <Section title={`By ${by.join(" and ").replaceAll("_", " ")}`}>
            <Groups data={data} by={by} filters={filters} sort={search.sort} />
          </Section>
          <Section title="What one costs">
            <Units asked={asked} late={!data || data.before_begins_late !== null} />
          </Section>
          <div className="costs-columns">
            <Section title="Most expensive calls">
              <TopCalls data={data} />
            </Section>
            <div className="costs-stack">
              <Section title="This month">
                <Month data={data} />
              </Section>
              <Section title="Budgets">
                <Budgets data={data} />
              </Section>
            </div>
          </div>
          <Unpriced data={data} filters={filters} />
          <Section
            title="Prices as they are now"
            note="Calls keep the price that was known when they came. A look at what the book of today would make of this time changes nothing."
          >
            <Reprice key={JSON.stringify(asked)} asked={asked} />
          </Section>
        </div>
      )}
    </Page>
  );
}

function isEmpty({ totals }: Costs): boolean {
  return !totals.calls && !totals.calls_before;
}
