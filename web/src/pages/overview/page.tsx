import { createLazyRoute, useSearch } from "@tanstack/react-router";
import { useApi } from "@/api/queries";
import { Empty } from "@/kit/Empty";
import { FilterChips } from "@/kit/FilterChips";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Segments } from "@/kit/Segments";
import { Snippet } from "@/kit/Snippet";
import { chips, readFilters } from "@/pages/costs/filters";
import { useRemoveFilter } from "@/pages/costs/useRemoveFilter";
import { useHref } from "@/shell/links";
import type { RootSearch } from "@/shell/search";
import { Engineering } from "./Engineering";
import { Executive } from "./Executive";
import { type OverviewSearch, overviewAsked, VIEWS } from "./search";
import { Team } from "./Team";
import { type Overview, windowBefore } from "./words";
import "./page.css";

export const Route = createLazyRoute("/")({ component: OverviewPage });

const TITLES = {
  engineering: "Latency, errors and spend, with what changed",
  team: "What it cost and why",
  executive: "One minute",
} as const;

function OverviewPage() {
  const search = useSearch({ strict: false }) as OverviewSearch & RootSearch;
  const filters = readFilters({ ...search });
  const href = useHref();
  const view = search.view ?? "engineering";
  const narrowed = chips(filters, search.tenant);
  const mayCome = !search.until && narrowed.length === 0;
  const { data, error, refetch, isPlaceholderData } = useApi(
    "/api/v1/overview",
    { query: overviewAsked(search) },
    { live: true, empty: (answer) => mayCome && isEmpty(answer) },
  );
  const remove = useRemoveFilter(filters, search.tenant);
  const segments = VIEWS.map((id) => ({
    id,
    label: id[0]?.toUpperCase() + id.slice(1),
    title: TITLES[id],
    href: href("/", { ...filters, view: id === "engineering" ? undefined : id }),
  }));
  return (
    <Page
      title="Overview"
      lead={data && !data.before_begins_late && `against ${windowBefore(data.now)}`}
      timed
      actions={<Segments label="View" segments={segments} active={view} />}
    >
      <FilterChips chips={narrowed} onRemove={remove} />
      {error && !data ? (
        <Problem error={error} onRetry={() => void refetch()} />
      ) : data && isEmpty(data) ? (
        <Nothing narrowed={narrowed.length > 0} />
      ) : (
        <div className="overview" aria-busy={!data || isPlaceholderData}>
          {view === "engineering" && <Engineering data={data} filters={filters} search={search} />}
          {view === "team" && <Team data={data} filters={filters} search={search} />}
          {view === "executive" && <Executive data={data} filters={filters} />}
        </div>
      )}
    </Page>
  );
}

function isEmpty({ now, before }: Overview): boolean {
  return !now.calls && !before.calls && !now.active_agents && !now.tasks.completed;
}

function Nothing({ narrowed }: { narrowed: boolean }) {
  if (narrowed) {
    return <Empty title="No call of this time matches">Take a filter away, or look at a longer time.</Empty>;
  }
  return (
    <Empty title="No calls in this time">
      <p>Look at a longer time, or send a first call: this page shows it within seconds.</p>
      <Snippet />
    </Empty>
  );
}
