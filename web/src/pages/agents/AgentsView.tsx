import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { count, plural, share } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { type Column, DataTable } from "@/kit/DataTable";
import { Empty } from "@/kit/Empty";
import { Count, Duration, Money, Share, Stat, Stats, StatsAwaited, Unknown } from "@/kit/Figure";
import { Section } from "@/kit/Page";
import { RouteLink } from "@/kit/RouteLink";
import { Select } from "@/kit/Select";
import { Snippet } from "@/kit/Snippet";
import { Sparkline } from "@/kit/Sparkline";
import { readSort, sortText } from "@/kit/sorting";
import { TimeChart } from "@/kit/TimeChart";
import { visible } from "@/kit/visibleText";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import {
  type AgentRow,
  approximately,
  change,
  pointsChange,
  successOf,
  tokensOf,
  unpricedCount,
  unpricedText,
} from "./figures";
import { Succeeded, useJudged } from "./Succeeded";
import type { AgentsSearch, Measure } from "./search";
import { chartSeries, UNITS } from "./series";

const UNNAMED = "no agent named";
const MEASURES = [
  { value: "cost", label: "Cost" },
  { value: "calls", label: "Calls" },
  { value: "tokens", label: "Tokens" },
  { value: "failed", label: "Failed calls" },
];

export function AgentsView({ report }: { report: Schemas["AgentsReport"] | undefined }) {
  const { measure = "cost", sort } = useSearch({ strict: false }) as AgentsSearch;
  const set = useSetSearch();
  const href = useHref();
  const series = useMemo(
    () =>
      report &&
      chartSeries(
        report.agents.map((row) => ({ name: visible(row.agent ?? UNNAMED), series: row.series })),
        measure,
      ),
    [report, measure],
  );
  if (report && report.agents.length === 0) return <NoAgents />;
  return (
    <>
      <Totals report={report} />
      <Section
        title={`${MEASURES.find((each) => each.value === measure)?.label} by agent`}
        aside={
          <Select
            label="Shown"
            bare
            value={measure}
            choices={MEASURES}
            onChange={(value) => set({ measure: value === "cost" ? undefined : (value as Measure) })}
          />
        }
      >
        <TimeChart
          label="Agents over time"
          buckets={report?.steps ?? []}
          {...(report ? { until: report.until } : {})}
          series={series}
          unit={UNITS[measure]}
          stacked
          onZoom={(since, until) => set({ since, until })}
        />
      </Section>
      <DataTable
        id="agents"
        label="Agents"
        columns={COLUMNS}
        rows={report?.agents}
        rowKey={(row) => row.agent ?? " "}
        rowHref={(row) =>
          row.agent === null
            ? href("/traces", { agent: "" })
            : href(`/agents/${encodeURIComponent(row.agent)}`)
        }
        sort={readSort(sort ?? "cost")}
        onSort={(next) => set({ sort: sortText(next) }, { replace: true })}
        toolbar={report && toolbar(report)}
      />
    </>
  );
}

function toolbar(report: Schemas["AgentsReport"]) {
  const left = report.left_out;
  return (
    <span>
      {plural(report.agents.filter((row) => row.agent !== null).length, "agent")}
      {left > 0 && `; ${count(left)} that cost less are in the totals only`}
    </span>
  );
}

const FIGURES = [
  "Active agents",
  "Tasks that succeeded",
  "Stuck now",
  "Calls",
  "Cost",
  "Task, 95th percentile",
];

function Totals({ report }: { report: Schemas["AgentsReport"] | undefined }) {
  const success = report ? successOf(report.totals.work) : null;
  const judged = useJudged(success);
  if (!report) return <StatsAwaited labels={FIGURES} />;
  const { totals: now, totals_before: before } = report;
  return (
    <Stats>
      <Stat
        label="Active agents"
        value={<Count n={report.active} />}
        delta={change(report.active, report.active_before)}
      />
      <Stat
        label="Tasks that succeeded"
        value={<Share part={success} why="no task has ended" />}
        delta={pointsChange(success, successOf(before.work))}
        target={judged}
      />
      <Stat
        label="Stuck now"
        value={<Count n={report.stuck.length} />}
        target={{ text: "none", met: report.stuck.length === 0 }}
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
        label="Task, 95th percentile"
        value={<Duration ns={now.work.p95_duration_ns} why="no task has ended" />}
        delta={change(now.work.p95_duration_ns, before.work.p95_duration_ns, "less")}
      />
    </Stats>
  );
}

/** How many calls have no cost, and where it is told why. */
export function Unpriced({ unpriced }: { unpriced: Readonly<Record<string, number>> }) {
  const href = useHref();
  const text = unpricedCount(unpriced);
  if (text === null) return null;
  return (
    <RouteLink href={href("/prices")} title={unpricedText(unpriced) ?? undefined}>
      {text}
    </RouteLink>
  );
}

function NoAgents() {
  return (
    <Empty title="No calls in this time">
      <p>Choose a longer time above, or send something. An agent is what a call or a step names:</p>
      <Snippet />
    </Empty>
  );
}

const COLUMNS: readonly Column<AgentRow>[] = [
  {
    id: "agent",
    header: "Agent",
    sortable: true,
    sortBy: (row) => row.agent,
    cell: (row) => (
      <span className="agents-name">
        <span className="agents-name-text">
          {row.agent === null ? <span className="muted">{UNNAMED}</span> : visible(row.agent)}
        </span>
        {row.stuck > 0 && <Badge tone="bad">{row.stuck} stuck</Badge>}
      </span>
    ),
  },
  {
    id: "trend",
    header: "Calls over time",
    width: 96,
    cell: (row) => <Sparkline values={row.series.calls} />,
  },
  {
    id: "tasks",
    header: "Tasks",
    align: "end",
    width: 60,
    title: "Pieces of its work that began in this time",
    sortable: true,
    sortBy: (row) => row.now.work.tasks,
    cell: (row) =>
      row.now.work.tasks ? <Count n={row.now.work.tasks} /> : <Unknown why="tells of no tasks" />,
  },
  {
    id: "success",
    header: "Succeeded",
    align: "end",
    width: 88,
    title: "Of the tasks that ended",
    sortable: true,
    sortBy: (row) => successOf(row.now.work),
    cell: (row) => {
      return <Succeeded success={successOf(row.now.work)} why="no task has ended" />;
    },
  },
  {
    id: "task_p50",
    header: "Task p50",
    align: "end",
    width: 80,
    sortable: true,
    sortBy: (row) => row.now.work.p50_duration_ns,
    cell: (row) => <Duration ns={row.now.work.p50_duration_ns} why="no task has ended" />,
  },
  {
    id: "task_p95",
    header: "Task p95",
    align: "end",
    width: 80,
    sortable: true,
    sortBy: (row) => row.now.work.p95_duration_ns,
    cell: (row) => <Duration ns={row.now.work.p95_duration_ns} why="no task has ended" />,
  },
  {
    id: "calls",
    header: "Calls",
    align: "end",
    width: 66,
    sortable: true,
    sortBy: (row) => row.now.spent.calls,
    cell: (row) => <Count n={row.now.spent.calls} />,
  },
  {
    id: "failed",
    header: "Failed",
    align: "end",
    width: 64,
    title: "Calls that failed",
    sortable: true,
    sortBy: (row) => (row.now.spent.calls ? row.now.spent.failed_calls / row.now.spent.calls : null),
    cell: (row) => <Share part={row.now.spent.failed_calls} of={row.now.spent.calls} why="no calls" />,
  },
  {
    id: "call_p95",
    header: "Call p95",
    align: "end",
    width: 78,
    sortable: true,
    sortBy: (row) => row.now.spent.p95_call_ns,
    cell: (row) => <Duration ns={row.now.spent.p95_call_ns} />,
  },
  {
    id: "tokens",
    header: "Tokens",
    align: "end",
    width: 80,
    sortable: true,
    sortBy: (row) => tokensOf(row.now.spent),
    cell: (row) => <Count n={tokensOf(row.now.spent)} short />,
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
  {
    id: "change",
    header: "Change",
    align: "end",
    width: 78,
    title: "Of the cost, against the window before",
    sortable: true,
    sortBy: (row) => {
      const [now, before] = [row.now, row.before].map((side) => approximately(side.spent.cost_usd));
      return now === null || !before || now === undefined ? null : (now - before) / before;
    },
    cell: (row) =>
      change(approximately(row.now.spent.cost_usd), approximately(row.before.spent.cost_usd))?.text ?? (
        <Unknown why="no cost before" />
      ),
  },
  {
    id: "unit",
    header: "Per success",
    align: "end",
    width: 92,
    title: "All of the cost, that of failed tasks included, by tasks that succeeded",
    sortable: true,
    sortBy: (row) => row.now.cost_per_success_usd,
    cell: (row) => <Money usd={row.now.cost_per_success_usd} why="no task succeeded, or no cost is known" />,
  },
];
