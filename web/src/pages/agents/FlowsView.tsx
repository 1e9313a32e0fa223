import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { count, plural } from "@/format/numbers";
import { type Column, DataTable } from "@/kit/DataTable";
import { Empty } from "@/kit/Empty";
import { Count, Duration, Money, Share, Stat, Stats, StatsAwaited, Unknown, When } from "@/kit/Figure";
import { Section } from "@/kit/Page";
import { RouteLink } from "@/kit/RouteLink";
import { Sparkline } from "@/kit/Sparkline";
import { readSort, sortText } from "@/kit/sorting";
import { visible } from "@/kit/visibleText";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import { Unpriced } from "./AgentsView";
import {
  approximately,
  change,
  type FlowTypeRow,
  pointsChange,
  successOf,
  tokensOf,
  unpricedText,
} from "./figures";
import { Histogram } from "./Histogram";
import { Succeeded, useJudged } from "./Succeeded";
import type { AgentsSearch } from "./search";

type Report = Schemas["FlowsReport"];

export function FlowsView({ report }: { report: Report | undefined }) {
  const { flow, sort } = useSearch({ strict: false }) as AgentsSearch;
  const set = useSetSearch();
  const href = useHref();
  const columns = useMemo(() => columnsOf(report?.bounds_ns ?? []), [report?.bounds_ns]);
  if (report && report.flow_types.length === 0) {
    return (
      <Empty title="No flows in this time">
        <p>
          Choose a longer time above. A flow is a run of a workflow or crew, or whatever calls name as one.
        </p>
      </Empty>
    );
  }
  const picked = report?.flow_types.find((row) => (row.flow_type ?? "") === flow);
  return (
    <>
      <Totals report={report} />
      <DataTable
        id="flow-types"
        label="Flow types"
        columns={columns}
        rows={report?.flow_types}
        rowKey={(row) => row.flow_type ?? ""}
        rowHref={(row) => href("/agents", { view: "flows", sort, flow: row.flow_type ?? "" })}
        {...(flow === undefined ? {} : { selected: flow })}
        sort={readSort(sort ?? "cost")}
        onSort={(next) => set({ sort: sortText(next) }, { replace: true })}
        toolbar={
          <span>{report && `${plural(report.flow_types.length, "type")}. Choose one for its phases.`}</span>
        }
      />
      {report && picked && <OneType report={report} row={picked} />}
      {report && !picked && (
        <Section title="How long runs take" note={report.outcome_rule}>
          <Histogram label="Durations of all runs" bounds={report.bounds_ns} counts={report.histogram} />
        </Section>
      )}
      {report && <Failed report={report} type={picked?.flow_type} />}
    </>
  );
}

const FIGURES = [
  "Runs",
  "Runs that succeeded",
  "Failed runs",
  "Run, median",
  "Run, 95th percentile",
  "Cost of all calls",
];

function Totals({ report }: { report: Report | undefined }) {
  const success = report ? successOf(report.totals.runs) : null;
  const judged = useJudged(success);
  if (!report) return <StatsAwaited labels={FIGURES} />;
  const { totals: now, totals_before: before } = report;
  return (
    <Stats>
      <Stat
        label="Runs"
        value={<Count n={now.runs.runs} short />}
        delta={change(now.runs.runs, before.runs.runs)}
      />
      <Stat
        label="Runs that succeeded"
        value={<Share part={success} why="nobody says how a run ended" />}
        delta={pointsChange(success, successOf(before.runs))}
        target={judged}
        note={now.runs.unknown ? `${count(now.runs.unknown)} do not say` : undefined}
      />
      <Stat
        label="Failed runs"
        value={<Count n={now.runs.failed} />}
        delta={change(now.runs.failed, before.runs.failed, "less")}
      />
      <Stat
        label="Run, median"
        value={<Duration ns={now.runs.p50_duration_ns} why="no run has ended" />}
        delta={change(now.runs.p50_duration_ns, before.runs.p50_duration_ns, "less")}
      />
      <Stat
        label="Run, 95th percentile"
        value={<Duration ns={now.runs.p95_duration_ns} why="no run has ended" />}
        delta={change(now.runs.p95_duration_ns, before.runs.p95_duration_ns, "less")}
      />
      <Stat
        label="Cost of all calls"
        value={<Money usd={now.spent.cost_usd} why={unpricedText(now.spent.unpriced)} />}
        delta={change(approximately(now.spent.cost_usd), approximately(before.spent.cost_usd), "less")}
        note={<Unpriced unpriced={now.spent.unpriced} />}
      />
    </Stats>
  );
}

function OneType({ report, row }: { report: Report; row: FlowTypeRow }) {
  const href = useHref();
  const name = row.flow_type ?? "no flow type";
  return (
    <div className="agents-columns">
      <Section
        title={`Phases of ${name}`}
        aside={
          <RouteLink href={href("/traces", { flow_type: row.flow_type ?? "" })}>Traces of {name}</RouteLink>
        }
      >
        <DataTable
          id="flow-phases"
          label={`Phases of ${name}`}
          columns={PHASES}
          rows={row.phases}
          rowKey={(each) => each.phase ?? ""}
        />
      </Section>
      <Section title={`How long runs of ${name} take`}>
        <Histogram label={`Durations of runs of ${name}`} bounds={report.bounds_ns} counts={row.histogram} />
      </Section>
    </div>
  );
}

function Failed({ report, type }: { report: Report; type: string | null | undefined }) {
  const href = useHref();
  const rows =
    type === undefined ? report.failures : report.failures.filter((each) => each.flow_type === type);
  return (
    <Section
      title={type ? `Runs of ${type} that failed last` : "Runs that failed last"}
      note="The latest twenty of all types, each a link to its trace."
    >
      <DataTable
        id="failed-runs"
        label="Runs that failed last"
        columns={FAILED}
        rows={rows}
        rowKey={(each) => `${each.flow} ${each.tenant}`}
        rowHref={(each) => href(`/traces/${each.trace_id}`)}
        empty="No run failed in this time."
      />
    </Section>
  );
}

const columnsOf = (bounds: readonly number[]): readonly Column<FlowTypeRow>[] => [
  {
    id: "flow_type",
    header: "Flow type",
    sortable: true,
    sortBy: (row) => row.flow_type,
    cell: (row) => row.flow_type ?? <span className="muted">no flow type</span>,
  },
  { id: "trend", header: "Runs over time", width: 116, cell: (row) => <Sparkline values={row.runs} /> },
  {
    id: "runs",
    header: "Runs",
    align: "end",
    width: 76,
    sortable: true,
    sortBy: (row) => row.now.runs.runs,
    cell: (row) => (row.now.runs.runs ? <Count n={row.now.runs.runs} /> : <Unknown why="no run is named" />),
  },
  {
    id: "success",
    header: "Succeeded",
    align: "end",
    width: 96,
    title: "Of the runs that say how they ended",
    sortable: true,
    sortBy: (row) => successOf(row.now.runs),
    cell: (row) => {
      return <Succeeded success={successOf(row.now.runs)} why="nobody says how its runs ended" />;
    },
  },
  {
    id: "failed",
    header: "Failed",
    align: "end",
    width: 72,
    sortable: true,
    sortBy: (row) => row.now.runs.failed,
    cell: (row) =>
      row.now.runs.runs === row.now.runs.unknown ? (
        <Unknown why="nobody says how its runs ended" />
      ) : (
        <Count n={row.now.runs.failed} />
      ),
  },
  {
    id: "histogram",
    header: "Durations",
    width: 130,
    title: "How many runs took how long, 0.1 s to a day",
    cell: (row) => <Histogram small label="Durations" bounds={bounds} counts={row.histogram} />,
  },
  {
    id: "p50",
    header: "p50",
    align: "end",
    width: 84,
    sortable: true,
    sortBy: (row) => row.now.runs.p50_duration_ns,
    cell: (row) => <Duration ns={row.now.runs.p50_duration_ns} />,
  },
  {
    id: "p95",
    header: "p95",
    align: "end",
    width: 84,
    sortable: true,
    sortBy: (row) => row.now.runs.p95_duration_ns,
    cell: (row) => <Duration ns={row.now.runs.p95_duration_ns} />,
  },
  {
    id: "tokens",
    header: "Tokens a run",
    align: "end",
    width: 104,
    sortable: true,
    sortBy: (row) => row.now.tokens_per_run,
    cell: (row) => <Count n={row.now.tokens_per_run} short />,
  },
  {
    id: "unit",
    header: "Cost a run",
    align: "end",
    width: 96,
    sortable: true,
    sortBy: (row) => row.now.cost_per_run_usd,
    cell: (row) => <Money usd={row.now.cost_per_run_usd} why={unpricedText(row.now.spent.unpriced)} />,
  },
  {
    id: "cost",
    header: "Cost",
    align: "end",
    width: 96,
    sortable: true,
    sortBy: (row) => row.now.spent.cost_usd,
    cell: (row) => <Money usd={row.now.spent.cost_usd} why={unpricedText(row.now.spent.unpriced)} />,
  },
];

type Phase = Schemas["FlowPhase"];

const PHASES: readonly Column<Phase>[] = [
  {
    id: "phase",
    header: "Phase",
    hideable: false,
    cell: (row) => row.phase ?? <span className="muted">no phase</span>,
  },
  {
    id: "calls",
    hideable: false,
    header: "Calls",
    align: "end",
    width: 72,
    sortable: true,
    sortBy: (row) => row.spent.calls,
    cell: (row) => <Count n={row.spent.calls} />,
  },
  {
    id: "failed",
    hideable: false,
    header: "Failed",
    align: "end",
    width: 72,
    cell: (row) => <Share part={row.spent.failed_calls} of={row.spent.calls} />,
  },
  {
    id: "p95",
    hideable: false,
    header: "Call p95",
    align: "end",
    width: 84,
    sortable: true,
    sortBy: (row) => row.spent.p95_call_ns,
    cell: (row) => <Duration ns={row.spent.p95_call_ns} />,
  },
  {
    id: "tokens",
    hideable: false,
    header: "Tokens",
    align: "end",
    width: 76,
    sortable: true,
    sortBy: (row) => tokensOf(row.spent),
    cell: (row) => <Count n={tokensOf(row.spent)} short />,
  },
  {
    id: "cost",
    hideable: false,
    header: "Cost",
    align: "end",
    width: 88,
    sortable: true,
    sortBy: (row) => row.spent.cost_usd,
    cell: (row) => <Money usd={row.spent.cost_usd} why={unpricedText(row.spent.unpriced)} />,
  },
];

const FAILED: readonly Column<Schemas["FailedRun"]>[] = [
  { id: "time", hideable: false, header: "Began", width: 96, cell: (row) => <When at={row.time} /> },
  { id: "type", hideable: false, header: "Flow type", width: 140, cell: (row) => row.flow_type ?? "" },
  { id: "in", hideable: false, header: "Failed in", width: 150, cell: (row) => row.failed_in ?? "" },
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

/** What was said of why something failed, on one line. */
export function ErrorText({ type, message }: { type: string | null; message: string | null }) {
  if (!type && !message) return <Unknown why="nobody said why" />;
  return (
    <span title={message ?? undefined}>
      {type && <code className="agents-error">{visible(type)}</code>}{" "}
      <span className="muted">{visible(message ?? "")}</span>
    </span>
  );
}
