import { Segments } from "@/kit/Segments";
import { TimeChart } from "@/kit/TimeChart";
import type { Filters } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import { CHARTS, type Chart } from "./search";
import type { Overview } from "./words";

const LABELS: Record<Chart, string> = {
  spend: "Spend",
  calls: "Calls",
  errors: "Failed calls",
  duration: "Duration of a call",
};

/** The course of a window: one measure at a time, a stretch of it by dragging. */
export function Course({
  data,
  chart,
  height = 220,
}: {
  data: Overview | undefined;
  chart: Chart;
  height?: number;
}) {
  const setSearch = useSetSearch();
  const target = data?.targets.find((each) => each.of === "calls" && each.figure === "p95_ns");
  return (
    <TimeChart
      label={data ? `${LABELS[chart]} per ${data.bucket.replace(/^(\d)/, "$1")} (UTC)` : LABELS[chart]}
      buckets={data?.series.map((each) => each.at) ?? []}
      {...(data ? { until: data.now.until } : {})}
      series={data ? series(data, chart) : undefined}
      unit={chart === "spend" ? "usd" : chart === "duration" ? "duration" : "count"}
      kind={chart === "duration" ? "line" : "bars"}
      stacked={chart === "calls"}
      height={height}
      {...(chart === "duration" && target?.value
        ? { target: { value: Number(target.value), label: "target of p95" } }
        : {})}
      onZoom={(since, until) => setSearch({ since, until })}
    />
  );
}

/** Which measure the chart shows. */
export function CourseSwitch({ chart, search, filters }: { chart: Chart; search: object; filters: Filters }) {
  const href = useHref();
  const segments = CHARTS.map((id) => ({
    id,
    label: id[0]?.toUpperCase() + id.slice(1),
    href: href("/", { ...search, ...filters, chart: id === "spend" ? undefined : id }),
  }));
  return <Segments label="The chart shows" segments={segments} active={chart} />;
}

function series({ series: points }: Overview, chart: Chart) {
  switch (chart) {
    case "spend":
      return [{ id: "spend", label: "Spend", values: points.map((each) => each.cost_usd) }];
    case "errors":
      return [
        {
          id: "failed",
          label: "Failed calls",
          color: "bad",
          values: points.map((each) => each.failed_calls),
        },
      ];
    case "calls":
      return [
        { id: "ok", label: "Succeeded", values: points.map((each) => each.calls - each.failed_calls) },
        { id: "failed", label: "Failed", color: "bad", values: points.map((each) => each.failed_calls) },
      ];
    case "duration":
      return [
        { id: "p50", label: "p50", color: "series-2", values: points.map((each) => each.p50_ns) },
        { id: "p95", label: "p95", color: "series-1", values: points.map((each) => each.p95_ns) },
      ];
  }
}
