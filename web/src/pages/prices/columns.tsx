import type { Schemas } from "@/api/client";
import { Badge } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import type { Column } from "@/kit/DataTable";
import { Count, Money, Unknown, When } from "@/kit/Figure";

export type BookPrice = Schemas["BookPrice"];
export type UsedModel = Schemas["UsedModel"];

type TokenPrices = Partial<Record<"input" | "output" | "cache_read" | "cache_write", string | null>>;

/** Dollars a million tokens, as the list says them. */
export function Price({ usd }: { usd: string | null | undefined }) {
  if (usd === null || usd === undefined) return <Unknown why="no price" />;
  return (
    <span className="number" title="US dollars a million tokens">
      ${trimmed(usd)}
    </span>
  );
}

/** At least cents, and whatever digits there are beyond. */
function trimmed(usd: string): string {
  const [whole = "0", rest = ""] = usd.split(".");
  const digits = rest.replace(/0+$/, "");
  return `${whole}.${digits.padEnd(2, "0")}`;
}

const REASONS: Readonly<Record<string, string>> = {
  unknown_model: "no list knows this model of this seller",
  unknown_provider: "nothing says who served it",
  no_price_at_date: "no price was in force when it was called",
  tier_unknown: "its service tier has no price",
  model_missing: "the calls name no model",
  tokens_missing: "nobody said how many tokens",
  failed_without_usage: "failed before it used any tokens",
};

export function reasonText(reason: string | null | undefined): string {
  return reason ? (REASONS[reason] ?? reason) : "not known";
}

/** Reasons that a price in the book would mend. */
export const MENDABLE = ["unknown_model", "no_price_at_date", "tier_unknown"] as const;
/** Reasons that only the sender can mend. */
export const SENDERS = ["unknown_provider", "model_missing"] as const;

export function lacking(row: UsedModel): [string, number] | null {
  for (const reason of [...MENDABLE, ...SENDERS]) {
    const calls = row.unpriced[reason];
    if (calls) return [reason, calls];
  }
  return null;
}

function amount<Row>(
  id: "input" | "output" | "cache_read" | "cache_write",
  header: string,
  of: (row: Row) => TokenPrices | null,
): Column<Row> {
  return {
    id,
    header,
    align: "end",
    width: 96,
    title: `${header}, US dollars a million tokens`,
    sortable: true,
    sortBy: (row) => of(row)?.[id],
    cell: (row) => <Price usd={of(row)?.[id]} />,
  };
}

function amounts<Row>(of: (row: Row) => TokenPrices | null): Column<Row>[] {
  return [
    amount("input", "Input", of),
    amount("output", "Output", of),
    amount("cache_read", "Cached input", of),
    amount("cache_write", "Cache write", of),
  ];
}

export const USED: readonly Column<UsedModel>[] = [
  {
    id: "model",
    header: "Model",
    sortable: true,
    sortBy: (row) => row.model,
    cell: (row) => row.model ?? "no model named",
  },
  {
    id: "provider",
    header: "Sold by",
    width: 120,
    sortable: true,
    sortBy: (row) => row.provider,
    cell: (row) => row.provider ?? <Unknown why="nothing says who served it" />,
  },
  ...amounts<UsedModel>((row) => row.price),
  {
    id: "source",
    header: "From",
    width: 120,
    cell: (row) =>
      row.price ? (
        <Source price={row.price} />
      ) : (
        <span className="prices-none">{reasonText(row.reason)}</span>
      ),
  },
  {
    id: "calls",
    header: "Calls",
    align: "end",
    width: 80,
    sortable: true,
    sortBy: (row) => row.calls,
    cell: (row) => <Count n={row.calls} />,
  },
  {
    id: "cost",
    header: "Cost",
    align: "end",
    width: 100,
    sortable: true,
    sortBy: (row) => row.cost_usd,
    cell: (row) => <Money usd={row.cost_usd} why={Object.keys(row.unpriced).map(reasonText).join(", ")} />,
  },
];

export const BOOK: readonly Column<BookPrice>[] = [
  { id: "model", header: "Model", sortable: true, sortBy: (row) => row.model, cell: (row) => row.model },
  {
    id: "provider",
    header: "Sold by",
    width: 150,
    sortable: true,
    sortBy: (row) => row.provider,
    cell: (row) => row.provider,
  },
  ...amounts<BookPrice>((row) => row),
  { id: "source", header: "From", width: 130, cell: (row) => <Source price={row} /> },
  {
    id: "since",
    header: "Since",
    width: 110,
    sortable: true,
    sortBy: (row) => row.since,
    cell: (row) =>
      row.since ? <When at={row.since} /> : <span className="muted">{row.dated ? "ever" : "undated"}</span>,
  },
];

export function Source({ price }: { price: BookPrice }) {
  const own = price.source === "override" || price.source === "discount";
  return (
    <Badge tone={own ? "accent" : "neutral"} title={price.citation ?? price.price_id}>
      {price.source}
    </Badge>
  );
}

export type SetPrice = Schemas["SetPrice"];

export function setColumns(
  may: boolean,
  edit: (row: SetPrice) => void,
  remove: (row: SetPrice) => void,
): readonly Column<SetPrice>[] {
  const named = (row: SetPrice) => `${row.provider} ${row.model}`;
  return [
    {
      id: "model",
      header: "Model",
      cell: (row) => (
        <span>
          {row.model} <span className="muted">of {row.provider}</span> {row.tier && <Badge>{row.tier}</Badge>}
        </span>
      ),
    },
    {
      id: "terms",
      header: "Terms",
      width: 208,
      cell: (row) =>
        row.kind === "discount" ? (
          <span className="number">{row.percent}% off the list</span>
        ) : (
          <span>
            <Price usd={row.input} /> in, <Price usd={row.output} /> out
          </span>
        ),
    },
    {
      id: "tenant",
      header: "For",
      width: 120,
      cell: (row) => row.tenant ?? <span className="muted">everybody</span>,
    },
    {
      id: "since",
      header: "From",
      width: 116,
      cell: (row) =>
        row.since ? <When at={row.since} relative={false} /> : <span className="muted">ever</span>,
    },
    {
      id: "until",
      header: "Until",
      width: 116,
      cell: (row) =>
        row.until ? <When at={row.until} relative={false} /> : <span className="muted">open</span>,
    },
    {
      id: "why",
      header: "Where it stands",
      width: 150,
      cell: (row) => (
        <span title={row.source ?? undefined}>{row.source ?? <span className="muted">not said</span>}</span>
      ),
    },
    {
      id: "changed",
      header: "Set",
      width: 90,
      cell: (row) => (
        <span title={`by ${row.changed_by}`}>
          <When at={row.changed} />
        </span>
      ),
    },
    ...(may
      ? [
          {
            id: "actions",
            header: "Change",
            width: 150,
            hideable: false,
            cell: (row: SetPrice) => (
              <span className="prices-actions">
                <Button
                  small
                  tone="quiet"
                  aria-label={`Change the price of ${named(row)}`}
                  onClick={() => edit(row)}
                >
                  Change
                </Button>
                <Button
                  small
                  tone="quiet"
                  aria-label={`Remove the price of ${named(row)}`}
                  onClick={() => remove(row)}
                >
                  Remove
                </Button>
              </span>
            ),
          },
        ]
      : []),
  ];
}
