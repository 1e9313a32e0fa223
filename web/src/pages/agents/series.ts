/** The chart of the page: the largest few by the chosen measure, and the others as one. */

import { decimal, plain, plus } from "@/format/decimal";
import type { ChartSeries, ChartUnit, ChartValue } from "@/kit/chartData";
import type { AgentSeries } from "./figures";
import type { Measure } from "./search";

const LARGEST = 6;

export const UNITS: Readonly<Record<Measure, ChartUnit>> = {
  cost: "usd",
  calls: "count",
  tokens: "count",
  failed: "count",
};

export function valuesOf(series: AgentSeries, measure: Measure): readonly ChartValue[] {
  switch (measure) {
    case "cost":
      return series.cost_usd;
    case "calls":
      return series.calls;
    case "tokens":
      return series.tokens;
    case "failed":
      return series.failed_calls;
  }
}

interface Named {
  name: string;
  series: AgentSeries;
}

/** The largest few, and the sum of the others. */
export function chartSeries(rows: readonly Named[], measure: Measure): ChartSeries[] {
  const summed = rows
    .map((row) => ({ name: row.name, values: valuesOf(row.series, measure) }))
    .map((row) => ({ ...row, sum: row.values.reduce<number>((sum, each) => sum + Number(each ?? 0), 0) }))
    .filter((row) => row.sum > 0)
    .sort((a, b) => b.sum - a.sum);
  const made: ChartSeries[] = summed
    .slice(0, LARGEST)
    .map(({ name, values }) => ({ id: name, label: name, values }));
  const rest = summed.slice(LARGEST).map(({ values }) => values);
  if (rest.length > 0) {
    const values = rest.reduce((sums, each) => sums.map((sum, place) => together(sum, each[place] ?? null)));
    made.push({ id: " others", label: `${rest.length} others`, values, color: "series-other" });
  }
  return made;
}

/** Exact where it is money, which is text. */
function together(one: ChartValue, other: ChartValue): ChartValue {
  if (one === null || other === null) return one ?? other;
  if (typeof one === "string" || typeof other === "string") {
    return plain(plus(decimal(String(one)), decimal(String(other))));
  }
  return one + other;
}
