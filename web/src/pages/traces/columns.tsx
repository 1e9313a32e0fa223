import { CircleAlert } from "lucide-react";
import type { Column } from "@/kit/DataTable";
import { Count, Duration, Money, Unknown, When } from "@/kit/Figure";
import { visible } from "@/kit/visibleText";
import type { FoundTrace } from "./found";

export const COLUMNS: readonly Column<FoundTrace>[] = [
  {
    id: "name",
    header: "Trace",
    cell: (row) => (
      <span className="traces-name">
        {row.status === "failed" && <CircleAlert size={13} className="traces-alert" aria-label="failed" />}
        <span className="traces-root">{visible(row.name)}</span>
        <span
          className={row.error && !row.match ? "traces-said traces-error" : "traces-said"}
          title={said(row)}
        >
          {visible(said(row))}
        </span>
      </span>
    ),
  },
  { id: "when", header: "Began", width: 96, cell: (row) => <When at={row.time} /> },
  {
    id: "tenant",
    header: "Tenant",
    width: 116,
    hidden: true,
    cell: (row) => row.tenant ?? <Unknown why="no tenant" />,
  },
  { id: "feature", header: "Feature", width: 130, hidden: true, cell: (row) => several(row.features) },
  { id: "agent", header: "Agent", width: 128, cell: (row) => several(row.agents) },
  { id: "model", header: "Model", width: 136, cell: (row) => several(row.models) },
  { id: "service", header: "Service", width: 120, hidden: true, cell: (row) => row.service ?? <Unknown /> },
  { id: "session", header: "Session", width: 160, hidden: true, cell: (row) => row.session ?? <Unknown /> },
  { id: "user", header: "User", width: 110, hidden: true, cell: (row) => row.user ?? <Unknown /> },
  {
    id: "duration",
    header: "Duration",
    width: 92,
    align: "end",
    cell: (row) => <Duration ns={row.duration_ns} />,
  },
  {
    id: "spans",
    header: "Spans",
    width: 72,
    align: "end",
    hidden: true,
    cell: (row) => <Count n={row.spans} />,
  },
  {
    id: "calls",
    header: "Calls",
    width: 64,
    align: "end",
    hidden: true,
    cell: (row) => <Count n={row.calls} />,
  },
  {
    id: "tokens",
    header: "Tokens",
    width: 80,
    align: "end",
    title: "Input and output of its counted calls",
    cell: (row) => <Count n={tokens(row)} short why="nobody said" />,
  },
  {
    id: "cost",
    header: "Cost",
    width: 104,
    align: "end",
    title: "Of its counted calls",
    cell: (row) => (
      <>
        <Money usd={row.cost_usd} why={row.calls ? "its calls have no price" : "no counted calls"} />
        {row.cost_usd !== null && row.unpriced_calls > 0 && (
          <span title={`${row.unpriced_calls} of ${row.calls} calls have no price`}>+</span>
        )}
      </>
    ),
  },
];

const PHONE_WIDTHS: Readonly<Record<string, number>> = { name: 148, duration: 80, cost: 104 };

/** What a phone has room for. */
export const FEW_COLUMNS: readonly Column<FoundTrace>[] = COLUMNS.filter(({ id }) => id in PHONE_WIDTHS).map(
  (column) => ({ ...column, width: PHONE_WIDTHS[column.id], hideable: false }),
);

function said(row: FoundTrace): string {
  const error = row.error ? `${row.error_type ? `${row.error_type}: ` : ""}${row.error}` : null;
  return row.match ?? error ?? row.input ?? "";
}

function tokens(row: FoundTrace): number | null {
  if (row.input_tokens === null && row.output_tokens === null) return null;
  return (row.input_tokens ?? 0) + (row.output_tokens ?? 0);
}

function several(values: readonly string[]) {
  if (values.length === 0) return <Unknown why="none is named" />;
  return (
    <span title={values.join(", ")}>
      {visible(values[0] ?? "")}
      {values.length > 1 && <span className="muted"> +{values.length - 1}</span>}
    </span>
  );
}
