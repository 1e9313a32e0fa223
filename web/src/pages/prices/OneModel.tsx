import type { Answer, Schemas } from "@/api/client";
import { useApi } from "@/api/queries";
import { Button } from "@/kit/Button";
import { type Column, DataTable } from "@/kit/DataTable";
import { Count, Money, Stat, Stats, When } from "@/kit/Figure";
import { Section } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Skeleton } from "@/kit/Skeleton";
import { useAsked, useSetSearch } from "@/shell/search";
import { Price, Source } from "./columns";
import { Steps } from "./Steps";

type Dated = Answer<"/api/v1/prices/history/{model}">["prices"][number];

/** What a model cost when, who changed it, and what the calls would have cost at its price. */
export function OneModel({
  model,
  provider,
  whatif,
}: {
  model: string;
  provider: string | undefined;
  whatif: boolean;
}) {
  const set = useSetSearch();
  const { tenant } = useAsked();
  const { data, error } = useApi(
    "/api/v1/prices/history/{model}",
    { params: { model }, query: { provider, tenant: tenant?.[0] } },
    { keep: false },
  );
  return (
    <Section
      title={`${model}${provider ? ` of ${provider}` : ""}`}
      note="What it cost when, standard tier; changes are of what the calls at that moment are priced by."
      aside={
        <>
          <Button small aria-pressed={whatif} onClick={() => set({ whatif: whatif ? undefined : "yes" })}>
            What if all calls had used it?
          </Button>
          <Button
            small
            tone="quiet"
            onClick={() => set({ model: undefined, of: undefined, whatif: undefined })}
          >
            Close
          </Button>
        </>
      }
    >
      {error && <Problem error={error} />}
      {!data && !error && <Skeleton height="6rem" />}
      {data && data.prices.length === 0 && <p className="muted">No list has ever had a price of it.</p>}
      {data && data.prices.length > 0 && (
        <>
          {data.prices.length > 1 && <Steps prices={data.prices} />}
          <DataTable
            id="price-history"
            label={`Prices of ${model}`}
            columns={HISTORY}
            rows={compared(data.prices)}
            rowKey={(row) => `${row.price_id} ${row.since}`}
          />
        </>
      )}
      {data && data.changes.length > 0 && <Changes changes={data.changes} />}
      {whatif && <WhatIf model={model} provider={provider} />}
    </Section>
  );
}

/** The latest first; changes only from one time to the next, not between the hours of one day. */
function compared(prices: readonly Dated[]): Dated[] {
  return prices
    .map((row, place) => {
      const before = prices[place - 1];
      const same = row.daily || before?.daily || before?.since === row.since;
      return same ? { ...row, change: null } : row;
    })
    .toReversed();
}

type Change = Answer<"/api/v1/prices/versions">["changes"][number];

export function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <ol className="prices-changes" aria-label="Changes">
      {changes.toReversed().map((each) => (
        <li key={each.number}>
          <When at={each.time} /> <span className="muted">by {each.who || "the price file"}:</span>{" "}
          {changeText(each.action, each.before, each.after)}
        </li>
      ))}
    </ol>
  );
}

function changeText(action: string, before: unknown, after: unknown): string {
  if (action === "set" && before) return `changed ${termsText(after)}; it was ${termsText(before)}`;
  if (action === "set") return `set ${termsText(after)}`;
  if (action === "unset") return `removed ${termsText(before)}`;
  return [action.replaceAll("_", " "), termsText(after ?? before)].filter(Boolean).join(": ");
}

function termsText(terms: unknown): string {
  if (typeof terms === "string") return terms;
  if (typeof terms !== "object" || terms === null) return "";
  const said = terms as Record<string, string | null>;
  const of = `${said.provider}/${said.model}${said.tenant ? ` for ${said.tenant}` : ""}`;
  if (said.kind === "discount") return `${said.percent}% off ${of}`;
  const amounts = `$${said.input} in, ${said.output === null ? "no price" : `$${said.output}`} out`;
  return `${of} to ${amounts}${said.source ? ` (${said.source})` : ""}`;
}

function WhatIf({ model, provider }: { model: string; provider: string | undefined }) {
  const { since, until, tenant } = useAsked();
  const { data, error } = useApi("/api/v1/prices/what-if", {
    query: { model, provider, since, until, tenant: tenant?.[0] },
  });
  if (error) return <Problem error={error} />;
  if (!data) return <Skeleton height="6rem" />;
  const total = data.total as unknown as Supposed;
  return (
    <div className="prices-whatif">
      <h3>If all calls of this time had been made to {model}, with the tokens they had</h3>
      <Stats>
        <Stat
          label="They cost"
          value={<Money usd={total.compared ? total.cost_usd : null} why={NOT_BOTH} />}
        />
        <Stat
          label="They would have cost"
          value={<Money usd={total.compared ? total.supposed_usd : null} why={NOT_BOTH} />}
        />
        <Stat
          label="Difference"
          value={<Money usd={total.compared ? total.difference_usd : null} why={NOT_BOTH} change />}
          note={`of ${total.compared.toLocaleString("en-US")} calls that have a price both ways`}
        />
      </Stats>
      <DataTable
        id="what-if"
        label="By model"
        columns={SUPPOSED}
        rows={data.rows as unknown as Supposed[]}
        rowKey={(row) => `${row.provider} ${row.model}`}
      />
    </div>
  );
}

interface Supposed {
  provider: string | null;
  model: string | null;
  calls: number;
  cost_usd: string;
  supposed_usd: string;
  compared: number;
  difference_usd: string;
}

const NOT_BOTH = "no call has a price both ways";

const SUPPOSED: readonly Column<Supposed>[] = [
  { id: "model", header: "Made to", cell: (row) => `${row.model ?? "no model named"}` },
  {
    id: "calls",
    header: "Calls",
    align: "end",
    width: 90,
    hideable: false,
    cell: (row) => <Count n={row.calls} />,
  },
  {
    id: "cost",
    header: "Cost",
    align: "end",
    width: 110,
    hideable: false,
    cell: (row) => <Money usd={row.compared ? row.cost_usd : null} why={NOT_BOTH} />,
  },
  {
    id: "supposed",
    header: "Would have cost",
    align: "end",
    width: 130,
    hideable: false,
    cell: (row) => <Money usd={row.compared ? row.supposed_usd : null} why={NOT_BOTH} />,
  },
  {
    id: "difference",
    header: "Difference",
    align: "end",
    width: 110,
    hideable: false,
    sortable: true,
    sortBy: (row) => row.difference_usd,
    cell: (row) => <Money usd={row.compared ? row.difference_usd : null} why={NOT_BOTH} change />,
  },
];

const HISTORY: readonly Column<Dated>[] = [
  {
    id: "since",
    header: "From",
    width: 150,
    cell: (row) => (row.since ? <When at={row.since} relative={false} /> : "ever"),
  },
  {
    id: "until",
    header: "Until",
    width: 150,
    hideable: false,
    cell: (row) =>
      row.until ? <When at={row.until} relative={false} /> : <span className="muted">open</span>,
  },
  {
    id: "input",
    header: "Input",
    align: "end",
    width: 130,
    hideable: false,
    cell: (row) => <Changed row={row} name="input" />,
  },
  {
    id: "output",
    header: "Output",
    align: "end",
    width: 130,
    hideable: false,
    cell: (row) => <Changed row={row} name="output" />,
  },
  {
    id: "cached",
    header: "Cached input",
    align: "end",
    width: 130,
    hideable: false,
    cell: (row) => <Changed row={row} name="cache_read" />,
  },
  {
    id: "source",
    header: "List",
    width: 130,
    hideable: false,
    cell: (row) => <Source price={row as unknown as Schemas["BookPrice"]} />,
  },
  {
    id: "daily",
    header: "Hours",
    hideable: false,
    cell: (row) => row.daily ?? <span className="muted">all day</span>,
  },
];

function Changed({ row, name }: { row: Dated; name: "input" | "output" | "cache_read" }) {
  const percent = (row.change as Record<string, string | null> | null)?.[name];
  return (
    <span>
      {percent && <span className={percent.startsWith("-") ? "prices-down" : "prices-up"}>{percent}% </span>}
      <Price usd={row[name]} />
    </span>
  );
}
