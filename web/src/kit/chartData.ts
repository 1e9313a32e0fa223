/** What a chart draws of its series: pure, apart from the canvas. */

import { money, moneyShort } from "@/format/money";
import { count, countShort, duration, share } from "@/format/numbers";

/** Decimal text for money, numbers for the rest; null where nothing is known, which is not 0. */
export type ChartValue = string | number | null;

export interface ChartSeries {
  id: string;
  label: string;
  values: readonly ChartValue[];
  /** A variable of tokens.css without its dashes: `bad`, `series-3`. By default the series' colours in turn. */
  color?: string;
}

/** What the values are: dollars as decimal text, things, nanoseconds, parts of 1. */
export type ChartUnit = "usd" | "count" | "duration" | "share";

const COLORS = 8;

/** The variable that a series is drawn in. */
export function colorOf(series: ChartSeries, place: number): string {
  return `--${series.color ?? (place < COLORS ? `series-${place + 1}` : "series-other")}`;
}

/** A value in words, exact as the page writes such figures. */
export function valueText(value: ChartValue | undefined, unit: ChartUnit): string {
  if (value === null || value === undefined) return "–";
  if (unit === "usd") return money(String(value));
  const number = Number(value);
  return { count, duration, share }[unit](number);
}

/** A mark of the axis, short. */
export function tickText(value: number, unit: ChartUnit): string {
  return { usd: moneyShort, count: countShort, duration, share }[unit](value);
}

/** For pixels: numbers, null where nothing is known. */
export function drawn(values: readonly ChartValue[]): (number | null)[] {
  return values.map((value) => (value === null ? null : Number(value)));
}

/**
 * Series on top of each other: each with the sum of itself and those below.
 *
 * Where a series is unknown it adds nothing, and is drawn nowhere: its own place stays null.
 */
export function stacked(series: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map((values) =>
    values.map((value, at) => {
      if (value === null) return null;
      sums[at] = (sums[at] ?? 0) + value;
      return sums[at];
    }),
  );
}

/** The top of the axis: above the largest value and the target, 1 where nothing is. */
export function topOf(series: readonly (readonly (number | null)[])[], target?: number): number {
  let top = target ?? 0;
  for (const values of series) for (const value of values) if (value !== null && value > top) top = value;
  return top > 0 ? top * 1.06 : 1;
}

/** The place of the bucket that a keypress leads to, from the one at the cursor (null: none yet). */
export function moved(at: number | null, key: string, length: number): number | null {
  const last = length - 1;
  if (last < 0) return null;
  const from = at ?? (key === "ArrowLeft" ? length : -1);
  const to: Record<string, number> = {
    ArrowLeft: from - 1,
    ArrowRight: from + 1,
    PageUp: from - 10,
    PageDown: from + 10,
    Home: 0,
    End: last,
  };
  const next = to[key];
  return next === undefined ? null : Math.min(last, Math.max(0, next));
}

/** When the bucket after the last one begins, in ms, where nobody says: as long as the last one is. */
export function endOf(starts: readonly number[], until?: number): number {
  if (until !== undefined) return until;
  const last = starts.at(-1) ?? 0;
  return last + (last - (starts.at(-2) ?? last - 3_600_000));
}
