import { createLazyRoute } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { useApi } from "@/api/queries";
import { share } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { BarList } from "@/kit/BarList";
import type { ChartSeries } from "@/kit/chartData";
import { type Column, DataTable } from "@/kit/DataTable";
import { Count, Duration, Money, Share, Stat, Stats, StatsAwaited, When } from "@/kit/Figure";
import { Page, Section } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { RouteLink } from "@/kit/RouteLink";
import { TimeChart } from "@/kit/TimeChart";
import { Unpriced } from "@/pages/agents/AgentsView";
import { ErrorText } from "@/pages/agents/FlowsView";
import {
  approximately,
  change,
  pointsChange,
  successOf,
  tokensOf,
  unpricedText,
} from "@/pages/agents/figures";
import { Histogram } from "@/pages/agents/Histogram";
import { useJudged } from "@/pages/agents/Succeeded";
import { FailedTable, StuckTable } from "@/pages/agents/TroubleView";
import { useHref } from "@/shell/links";
import { useAsked, useSetSearch } from "@/shell/search";
import "@/pages/agents/agents.css";

export const Route = createLazyRoute("/agents/$agent")({ component: AgentPage });

type Report = Schemas["AgentReport"];

function AgentPage() {
  const { agent } = Route.useParams();
  const href = useHref();
  const asked = useAsked();
  const { data, error, refetch } = useApi(
    "/api/v1/agents/{agent}",
    { params: { agent }, query: asked },
    { live: true, keep: false },
  );
  return (
    <Page
      title={agent}
      lead={<RouteLink href={href("/agents")}>Agents and flows</RouteLink>}
      actions={
        <RouteLink className="button" href={href("/traces", { agent })}>
          Traces
        </RouteLink>
      }
      timed
    >
      {error && !data ? (
        <Problem error={error} onRetry={() => void refetch()}>
          {error.status === 404 && (
            <RouteLink href={href("/agents", { since: "30d", until: undefined })}>
              See the agents of the last 30 days
            </RouteLink>
          )}
        </Problem>
      ) : (
        <Shown report={data} />
      )}
    </Page>
  );
}

function Shown({ report }: { report: Report | undefined }) {
  const set = useSetSearch();
  const series = useMemo(() => report && callSeries(report.series), [report]);
  return (
    <>
      <Figures report={report} />
      {report && report.stuck.length > 0 && (
        <Section title="Stuck" note={report.stuck_rule}>
          <StuckTable rows={report.stuck} />
        </Section>
      )}
      <Section title="Calls">
        <TimeChart
          label="Calls, succeeded and failed"
          buckets={report?.steps ?? []}
          {...(report ? { until: report.until } : {})}
          series={series}
          unit="count"
          stacked
          onZoom={(since, until) => set({ since, until })}
        />
      </Section>
      {report && <Parts report={report} />}
      {report && <Failures report={report} />}
      <Latest report={report} />
    </>
  );
}

function callSeries(series: Schemas["AgentSeries"]): ChartSeries[] {
  const succeeded = series.calls.map((all, place) => all - (series.failed_calls[place] ?? 0));
  return [
    { id: "succeeded", label: "succeeded", values: succeeded },
    { id: "failed", label: "failed", values: series.failed_calls, color: "bad" },
  ];
}

const FIGURES = [
  "Tasks that succeeded",
  "Tasks",
  "Task, 95th percentile",
  "Calls",
  "Cost",
  "Cost of a success",
];

function Figures({ report }: { report: Report | undefined }) {
  const success = report ? successOf(report.now.work) : null;
  const judged = useJudged(success);
  if (!report) return <StatsAwaited labels={FIGURES} />;
  const { now, before } = report;
  return (
    <Stats>
      <Stat
        label="Tasks that succeeded"
        value={<Share part={success} why="no task has ended" />}
        delta={pointsChange(success, successOf(before.work))}
        target={judged}
      />
      <Stat
        label="Tasks"
        value={<Count n={now.work.tasks} short />}
        delta={change(now.work.tasks, before.work.tasks)}
        note={now.work.failed ? `${now.work.failed} failed` : undefined}
      />
      <Stat
        label="Task, 95th percentile"
        value={<Duration ns={now.work.p95_duration_ns} why="no task has ended" />}
        delta={change(now.work.p95_duration_ns, before.work.p95_duration_ns, "less")}
      />
      <Stat
        label="Calls"
        value={<Count n={now.spent.calls} short />}
        delta={change(now.spent.calls, before.spent.calls)}
        note={now.spent.calls ? `${share(now.spent.failed_calls / now.spent.calls)} failed` : undefined}
      />
      <Stat
        label="Cost"
        value={<Money usd={now.spent.cost_usd} why={unpricedText(now.spent.unpriced)} />}
        delta={change(approximately(now.spent.cost_usd), approximately(before.spent.cost_usd), "less")}
        note={<Unpriced unpriced={now.spent.unpriced} />}
      />
      <Stat
        label="Cost of a success"
        value={<Money usd={now.cost_per_success_usd} why="no task succeeded, or no cost is known" />}
        delta={change(
          approximately(now.cost_per_success_usd),
          approximately(before.cost_per_success_usd),
          "less",
        )}
      />
    </Stats>
  );
}

function Parts({ report }: { report: Report }) {
  const href = useHref();
  const most = Math.max(...report.models.map((each) => Number(each.spent.cost_usd ?? 0)), 1e-18);
  return (
    <div className="agents-columns">
      <Section title="Models by cost">
        <BarList
          label="Models by cost"
          rows={report.models.map((each) => ({
            key: each.name ?? "",
            name: each.name ?? "no model named",
            value: <Money usd={each.spent.cost_usd} why={unpricedText(each.spent.unpriced)} />,
            part: Number(each.spent.cost_usd ?? 0) / most,
            delta: (
              <>
                <Count n={each.spent.calls} short /> calls, <Count n={tokensOf(each.spent)} short /> tokens
              </>
            ),
            href: href("/traces", { agent: report.agent, model: each.name ?? "" }),
          }))}
        />
      </Section>
      <Section title="How long its tasks take">
        <Histogram label="Durations of its tasks" bounds={report.bounds_ns} counts={report.histogram} />
      </Section>
      {report.work.length > 0 && (
        <Section title="Tasks by name">
          <DataTable
            id="agent-work"
            label="Tasks by name"
            columns={NAMED}
            rows={report.work}
            rowKey={(row) => row.name}
          />
        </Section>
      )}
      {report.tools.length > 0 && (
        <Section title="Tools">
          <DataTable
            id="agent-tools"
            label="Tools"
            columns={NAMED}
            rows={report.tools}
            rowKey={(row) => row.name}
          />
        </Section>
      )}
    </div>
  );
}

function Failures({ report }: { report: Report }) {
  const href = useHref();
  return (
    <>
      {report.call_failures.length > 0 && (
        <Section title="Failed calls by error" note="Each leads to the trace of the latest.">
          <DataTable
            id="agent-errors"
            label="Failed calls by error"
            columns={ERRORS}
            rows={report.call_failures}
            rowKey={(row) => row.error_type ?? ""}
            rowHref={(row) => href(`/traces/${row.trace_id}`)}
          />
        </Section>
      )}
      {report.failures.length > 0 && (
        <Section title="Tasks and tools that failed last">
          <FailedTable rows={report.failures.slice(0, 10)} />
        </Section>
      )}
    </>
  );
}

function Latest({ report }: { report: Report | undefined }) {
  const href = useHref();
  return (
    <Section title="Latest tasks">
      <DataTable
        id="agent-latest"
        label="Latest tasks"
        columns={LATEST}
        rows={report?.latest}
        rowKey={(row) => `${row.task_id} ${row.tenant}`}
        rowHref={(row) => href(`/traces/${row.trace_id}`)}
        empty="It tells of no tasks in this time; its calls are in the traces."
      />
    </Section>
  );
}

const NAMED: readonly Column<Schemas["NamedWork"]>[] = [
  { id: "name", header: "Name", cell: (row) => row.name },
  {
    id: "runs",
    header: "Runs",
    align: "end",
    width: 72,
    hideable: false,
    cell: (row) => <Count n={row.work.tasks} />,
  },
  {
    id: "success",
    header: "Succeeded",
    align: "end",
    width: 90,
    hideable: false,
    cell: (row) => <Share part={successOf(row.work)} why="none has ended" />,
  },
  {
    id: "p50",
    header: "p50",
    align: "end",
    width: 80,
    hideable: false,
    cell: (row) => <Duration ns={row.work.p50_duration_ns} />,
  },
  {
    id: "p95",
    header: "p95",
    align: "end",
    width: 80,
    hideable: false,
    cell: (row) => <Duration ns={row.work.p95_duration_ns} />,
  },
];

const ERRORS: readonly Column<Schemas["CallFailure"]>[] = [
  {
    id: "error",
    header: "Error",
    cell: (row) => <ErrorText type={row.error_type} message={row.error_message} />,
  },
  {
    id: "calls",
    header: "Calls",
    align: "end",
    width: 76,
    hideable: false,
    cell: (row) => <Count n={row.calls} />,
  },
  { id: "model", header: "Model of the latest", width: 220, hideable: false, cell: (row) => row.model ?? "" },
  {
    id: "time",
    header: "Latest",
    align: "end",
    width: 96,
    hideable: false,
    cell: (row) => <When at={row.time} />,
  },
];

const TONES = { completed: "ok", failed: "bad" } as const;

const LATEST: readonly Column<Schemas["AgentTask"]>[] = [
  { id: "time", header: "Began", width: 96, cell: (row) => <When at={row.time} /> },
  { id: "name", header: "Task", cell: (row) => row.name },
  {
    id: "status",
    header: "Status",
    width: 104,
    cell: (row) => <Badge tone={TONES[row.status as keyof typeof TONES] ?? "neutral"}>{row.status}</Badge>,
  },
  { id: "tenant", header: "Tenant", width: 130, cell: (row) => row.tenant ?? "" },
  { id: "session", header: "Session", width: 150, cell: (row) => row.session ?? "", hidden: true },
  {
    id: "duration",
    header: "Took",
    align: "end",
    width: 84,
    sortable: true,
    sortBy: (row) => row.duration_ns,
    cell: (row) => <Duration ns={row.duration_ns} why="it has not ended" />,
  },
  { id: "calls", header: "Calls in it", align: "end", width: 90, cell: (row) => <Count n={row.calls} /> },
  {
    id: "cost",
    header: "Cost",
    align: "end",
    width: 90,
    sortable: true,
    sortBy: (row) => row.cost_usd,
    cell: (row) => <Money usd={row.cost_usd} why="no call in it has a cost" />,
  },
];
