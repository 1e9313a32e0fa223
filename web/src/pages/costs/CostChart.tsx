import type { Schemas } from "@/api/client";
import { TimeChart } from "@/kit/TimeChart";
import { useSetSearch } from "@/shell/search";
import { groupName } from "./filters";

export type Costs = Schemas["Costs"];

/** Spend over time, the groups that cost most on top of each other. */
export function CostChart({ data }: { data: Costs | undefined }) {
  const setSearch = useSetSearch();
  const others = data ? data.groups.filter((each) => each.calls || each.calls_before).length : 0;
  return (
    <TimeChart
      label={data ? `Spend per ${data.series.bucket} (UTC)` : "Spend"}
      buckets={data?.series.at ?? []}
      {...(data ? { until: data.until } : {})}
      series={data?.series.lines.map((line) => ({
        id: line.other ? "\u0000other" : line.names.map((name) => name ?? "\u0000").join("\n"),
        label: line.other
          ? `${Math.max(1, others - data.series.lines.length + 1)} others`
          : line.names.map(groupName).join(" · "),
        values: line.cost_usd,
        ...(line.other ? { color: "series-other" } : {}),
      }))}
      unit="usd"
      kind="bars"
      stacked
      height={240}
      onZoom={(since, until) => setSearch({ since, until })}
    />
  );
}
