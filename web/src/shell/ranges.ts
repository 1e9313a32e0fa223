/** Stretches of time that are asked about by name, and when they begin. */

import { plural } from "@/format/numbers";
import { epochMs } from "@/format/times";

export interface Preset {
  since: string;
  label: string;
  short: string;
}

export const PRESETS: readonly Preset[] = [
  { since: "15m", label: "Last 15 minutes", short: "15 min" },
  { since: "1h", label: "Last hour", short: "1 h" },
  { since: "6h", label: "Last 6 hours", short: "6 h" },
  { since: "24h", label: "Last 24 hours", short: "24 h" },
  { since: "7d", label: "Last 7 days", short: "7 d" },
  { since: "30d", label: "Last 30 days", short: "30 d" },
  { since: "90d", label: "Last 90 days", short: "90 d" },
];

const UNITS: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };

/** `3d` as a person says it: `3 days`; null for what is no length. */
export function lengthLabel(text: string): string | null {
  const [, n, unit] = /^(\d{1,12})([smhdw])$/.exec(text) ?? [];
  return n && unit ? plural(Number(n), UNITS[unit] ?? unit) : null;
}

/** The time from so long ago until now: `Last 3 days`, and a preset's name for what is as long as it. */
export function lastLabel(since: string): string | null {
  const length = lengthLabel(since);
  if (length === null) return null;
  const from = boundMs(since, 0);
  return PRESETS.find((each) => boundMs(each.since, 0) === from)?.label ?? `Last ${length}`;
}

/** What a `Date` can hold. */
const MOST_MS = 8.64e15;

const UNIT_MS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** A bound of the time asked about, `7d` ago or a moment; null for what is neither. */
export function boundMs(text: string, now: number): number | null {
  if (text === "now") return now;
  const relative = /^(\d{1,12})\s*([smhdw])(\s+ago)?$/i.exec(text.trim());
  const ms = relative
    ? now - Number(relative[1]) * (UNIT_MS[(relative[2] ?? "").toLowerCase()] ?? 0)
    : epochMs(text);
  return Math.abs(ms) <= MOST_MS ? ms : null;
}
