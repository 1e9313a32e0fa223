import type { Schemas } from "@/api/client";
import { duration } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { type Column, DataTable } from "@/kit/DataTable";
import { Count, Duration, Money, When } from "@/kit/Figure";
import { Section } from "@/kit/Page";
import { visible } from "@/kit/visibleText";
import { useHref } from "@/shell/links";
import { ErrorText } from "./FlowsView";

type StuckTask = Schemas["StuckTask"];
type FailedTask = Schemas["FailedTask"];

export function TroubleView({ report }: { report: Schemas["AgentsReport"] | undefined }) {
  return (
    <>
      <Section title="Stuck" note={report?.stuck_rule ?? " "}>
        <StuckTable rows={report?.stuck} />
      </Section>
      <Section title="Failed last" note="Tasks and runs of agents in this time, the latest twenty.">
        <FailedTable rows={report?.failures} />
      </Section>
    </>
  );
}

export function StuckTable({ rows }: { rows: readonly StuckTask[] | undefined }) {
  const href = useHref();
  if (rows?.length === 0) return <p className="muted">Nothing is stuck.</p>;
  return (
    <DataTable
      id="stuck"
      label="Stuck executions"
      columns={STUCK}
      rows={rows}
      rowKey={(row) => `${row.task_id} ${row.tenant}`}
      rowHref={(row) => href(`/traces/${row.trace_id}`)}
      skeletonRows={3}
    />
  );
}

export function FailedTable({ rows }: { rows: readonly FailedTask[] | undefined }) {
  const href = useHref();
  return (
    <DataTable
      id="failed-tasks"
      label="Failed executions"
      columns={FAILED}
      rows={rows}
      rowKey={(row) => `${row.task_id} ${row.tenant}`}
      rowHref={(row) => href(`/traces/${row.trace_id}`)}
      empty="Nothing failed in this time."
      skeletonRows={6}
    />
  );
}

const STUCK: readonly Column<StuckTask>[] = [
  {
    id: "name",
    hideable: false,
    header: "Execution",
    cell: (row) => (
      <span className="agents-name">
        <span className="agents-name-text">{visible(row.name)}</span> <Badge>{row.kind}</Badge>
      </span>
    ),
  },
  { id: "agent", hideable: false, header: "Agent", width: 140, cell: (row) => row.agent ?? "" },
  { id: "flow", hideable: false, header: "Flow type", width: 120, cell: (row) => row.flow_type ?? "" },
  { id: "tenant", hideable: false, header: "Tenant", width: 110, cell: (row) => row.tenant ?? "" },
  { id: "time", hideable: false, header: "Began", width: 92, cell: (row) => <When at={row.time} /> },
  {
    id: "quiet",
    hideable: false,
    header: "Silent for",
    align: "end",
    width: 100,
    sortable: true,
    sortBy: (row) => row.quiet_ns,
    cell: (row) => <Duration ns={row.quiet_ns} />,
  },
  {
    id: "why",
    hideable: false,
    header: "Why it is stuck",
    width: 210,
    cell: (row) => (row.why === "parent_ended" ? "what it lies within has ended" : usual(row)),
  },
  {
    id: "calls",
    hideable: false,
    header: "Calls in it",
    align: "end",
    width: 84,
    cell: (row) => <Count n={row.calls} />,
  },
  {
    id: "cost",
    hideable: false,
    header: "Cost so far",
    align: "end",
    width: 104,
    cell: (row) => <Money usd={row.cost_usd} why={row.calls ? "no price" : "no call in it"} />,
  },
];

function usual(row: StuckTask): string {
  return row.usual_ns === null
    ? `allowed ${duration(row.allowed_ns)}`
    : `usually ${duration(row.usual_ns)} at most`;
}

const FAILED: readonly Column<FailedTask>[] = [
  { id: "time", hideable: false, header: "Began", width: 96, cell: (row) => <When at={row.time} /> },
  {
    id: "name",
    hideable: false,
    header: "Execution",
    width: 210,
    cell: (row) => (
      <span className="agents-name">
        <span className="agents-name-text">{visible(row.name)}</span> <Badge>{row.kind}</Badge>
      </span>
    ),
  },
  { id: "agent", hideable: false, header: "Agent", width: 140, cell: (row) => row.agent ?? "" },
  {
    id: "error",
    hideable: false,
    header: "Error",
    cell: (row) => <ErrorText type={row.error_type} message={row.error_message} />,
  },
  { id: "tenant", hideable: false, header: "Tenant", width: 120, cell: (row) => row.tenant ?? "" },
  {
    id: "duration",
    hideable: false,
    header: "Took",
    align: "end",
    width: 84,
    cell: (row) => <Duration ns={row.duration_ns} />,
  },
];
