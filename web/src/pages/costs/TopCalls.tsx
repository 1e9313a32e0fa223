import type { Schemas } from "@/api/client";
import { type Column, DataTable } from "@/kit/DataTable";
import { Count, Money, When } from "@/kit/Figure";
import { useHref } from "@/shell/links";
import type { Costs } from "./CostChart";
import { groupName } from "./filters";

type Call = Schemas["CallRow"];

/** The ten calls that cost most, each a link to its trace. */
export function TopCalls({ data }: { data: Costs | undefined }) {
  const href = useHref();
  return (
    <DataTable
      id="costs-top-calls"
      label="Most expensive calls"
      columns={COLUMNS}
      rows={data?.top_calls}
      rowKey={(row) => `${row.call_id} ${row.time}`}
      rowHref={(row) => (row.trace_id ? href(`/traces/${row.trace_id}`, { span: row.span_id }) : undefined)}
      skeletonRows={10}
      empty="No call of this time has a price."
    />
  );
}

const COLUMNS: readonly Column<Call>[] = [
  { id: "model", header: "Model", cell: (row) => groupName(row.response_model ?? row.request_model) },
  { id: "agent", header: "Agent", width: 112, cell: (row) => row.agent ?? row.feature ?? "" },
  {
    id: "cost",
    header: "Cost",
    align: "end",
    width: 88,
    cell: (row) => <Money usd={row.cost_usd === null ? null : String(row.cost_usd)} />,
  },
  { id: "input", header: "In", align: "end", width: 62, cell: (row) => <Count n={row.input_tokens} short /> },
  {
    id: "output",
    header: "Out",
    align: "end",
    width: 62,
    cell: (row) => <Count n={row.output_tokens} short />,
  },
  { id: "when", header: "When", align: "end", width: 84, cell: (row) => <When at={row.time} /> },
];
