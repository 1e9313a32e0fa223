/** What the page says in words: how much something changed, and of what. Pure. */

import type { Schemas } from "@/api/client";
import { decimal, minus, ratio } from "@/format/decimal";
import { money } from "@/format/money";
import { changeSize, plural, share, times } from "@/format/numbers";
import { epochMs } from "@/format/times";

export type Overview = Schemas["OverviewPage"];
export type WindowFigures = Schemas["WindowFigures"];
export type Contribution = Schemas["Contribution"];

const HOUR_MS = 3_600_000;

/** "the 7 days before", "the 3 hours before". */
export function windowBefore(figures: { since: string; until: string }): string {
  return `the ${lengthOf(figures)} before`;
}

/** "7 days", "3 hours", "15 minutes". */
export function lengthOf(figures: { since: string; until: string }): string {
  const hours = (epochMs(figures.until) - epochMs(figures.since)) / HOUR_MS;
  if (hours < 1.99) return plural(Math.max(1, Math.round(hours * 60)), "minute");
  if (hours < 47.9) return plural(Math.round(hours), "hour");
  return plural(Math.round(hours / 24), "day");
}

/** By what part a figure changed; null where it cannot be said: nothing before, or unknown. */
export function changeOf(before: number | null | undefined, now: number | null | undefined): number | null {
  if (before === null || before === undefined || now === null || now === undefined || before === 0)
    return null;
  return (now - before) / before;
}

/** The same of dollars. */
export function moneyChangeOf(before: string | null, now: string | null): number | null {
  if (before === null || now === null) return null;
  return ratio(minus(decimal(now), decimal(before)), decimal(before));
}

/** What a group's difference is made of: "18% fewer calls (−$5.10), each 16% cheaper (−$8.92)". */
export function reasons(row: Contribution): string {
  const { difference_usd, volume_usd, per_call_usd } = row;
  if (difference_usd === null || volume_usd === null || per_call_usd === null) {
    return "no call has a price";
  }
  if (!row.calls_before && row.calls) return `new: ${plural(row.calls, "call")}`;
  if (row.calls_before && !row.calls) return `gone: ${plural(row.calls_before, "call")} before`;
  return shares(row, difference_usd, volume_usd, per_call_usd).join(", ") || "as before";
}

/** The same behind an amount: ", with 18% fewer calls (−$5.10)", " (gone: 3 calls before)". */
export function because(row: Contribution): string {
  const { difference_usd, volume_usd, per_call_usd } = row;
  const known = difference_usd !== null && volume_usd !== null && per_call_usd !== null;
  if (!known || !row.calls_before || !row.calls) return ` (${reasons(row)})`;
  const parts = shares(row, difference_usd, volume_usd, per_call_usd);
  return parts.length ? `, with ${parts.join(", ")}` : "";
}

function shares(
  row: Contribution,
  difference_usd: string,
  volume_usd: string,
  per_call_usd: string,
): string[] {
  const parts: string[] = [];
  const calls = changeOf(row.calls_before, row.calls);
  if (sizeable(volume_usd, difference_usd) && calls !== null && calls !== 0) {
    parts.push(`${multiple(calls, "more calls", "fewer calls", "many calls")} (${signed(volume_usd)})`);
  }
  const before = eachCost(row.cost_before_usd, row.calls_before);
  const now = eachCost(row.cost_usd, row.calls);
  const each = before && now !== null ? (now - before) / before : null;
  if (sizeable(per_call_usd, difference_usd) && each !== null) {
    parts.push(`${multiple(each, "dearer", "cheaper", "dear")} a call (${signed(per_call_usd)})`);
  }
  return parts;
}

/** Why more or fewer calls of a group failed: "2% of calls failed, now 5%; 20% more calls". */
export function errorReasons(row: Contribution): string {
  if (!row.calls_before) return `new: ${plural(row.failed, "failure")} in ${plural(row.calls, "call")}`;
  if (!row.calls) return `gone: ${plural(row.failed_before, "failure")} before, no calls now`;
  const before = share(row.failed_before / row.calls_before);
  const now = share(row.failed / row.calls);
  const rate = before === now ? `${now} of calls fail, as before` : `${before} of calls failed, now ${now}`;
  const calls = changeOf(row.calls_before, row.calls) ?? 0;
  return Math.abs(calls) < 0.05
    ? rate
    : `${rate}; ${multiple(calls, "more calls", "fewer calls", "many calls")}`;
}

/** `+3`, `−1`, `±0`. */
export function signedCount(n: number): string {
  if (n === 0) return "±0";
  return `${n > 0 ? "+" : "−"}${Math.abs(n).toLocaleString("en-US")}`;
}

/** The group that made most of a difference in its direction, and whether it made most of it. */
export function mainCause(rows: readonly Contribution[], difference: string | null): Contribution | null {
  if (difference === null) return null;
  const down = decimal(difference).negative;
  const named = rows.filter((row) => !row.other && row.difference_usd !== null);
  const same = named.filter((row) => decimal(row.difference_usd ?? "0").negative === down);
  const [first] = same;
  if (!first?.difference_usd || decimal(first.difference_usd).digits === 0n) return null;
  return first;
}

/** Dollars with the sign that a change has. */
export function signed(usd: string): string {
  const text = money(usd);
  return text.startsWith("−") || decimal(usd).digits === 0n ? text : `+${text}`;
}

/** So that no line ends between a sign and its amount. */
export function unbroken(text: string): string {
  return text.replaceAll("−$", "−\u2060$");
}

function multiple(change: number, more: string, fewer: string, as: string): string {
  if (change > 3) return `${times(change)} times as ${as}`;
  return `${changeSize(change)} ${change > 0 ? more : fewer}`;
}

/** Whether a part of a difference is worth words: a twentieth of it. */
function sizeable(part: string, whole: string): boolean {
  const of = ratio(decimal(part), decimal(whole));
  return of === null ? decimal(part).digits !== 0n : Math.abs(of) >= 0.05;
}

/** For a percentage: what is shown of it is rounded to a tenth. */
function eachCost(usd: string | null, calls: number): number | null {
  return usd === null || !calls ? null : Number(usd) / calls;
}
