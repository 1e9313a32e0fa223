/** Stretches of time that are asked about by name, and when they begin. */

import { epochMs } from "@/format/times";
import type { Range } from "./search";

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

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** When the time asked about begins. */
export function startMs(range: Range, now: number): number {
  const relative = /^(\d+)\s*([mhdw])$/.exec(range.since);
  if (relative) return now - Number(relative[1]) * (UNIT_MS[relative[2] ?? "d"] ?? 0);
  const ms = epochMs(range.since);
  return Number.isNaN(ms) ? now - 7 * 86_400_000 : ms;
}
