/** Figures of agents and flows that the API leaves to the reader: rates, changes, sums for pixels. */

import type { Schemas } from "@/api/client";
import { changeText, pointsText } from "@/format/numbers";

export type AgentRow = Schemas["AgentRow"];
export type FlowTypeRow = Schemas["FlowTypeRow"];
export type AgentWork = Schemas["AgentWork"];
export type AgentSpending = Schemas["AgentSpending"];
export type AgentSeries = Schemas["AgentSeries"];

/** Succeeded of those that ended; null where none did. */
export function successOf(done: { completed: number; failed: number }): number | null {
  const ended = done.completed + done.failed;
  return ended ? done.completed / ended : null;
}

export function tokensOf(spent: AgentSpending): number | null {
  if (spent.input_tokens === null && spent.output_tokens === null) return null;
  return (spent.input_tokens ?? 0) + (spent.output_tokens ?? 0);
}

/** How many calls have no cost: `12 calls unpriced`. Null where all have one. */
export function unpricedCount(unpriced: Readonly<Record<string, number>>): string | null {
  const calls = Object.values(unpriced).reduce((sum, each) => sum + each, 0);
  return calls ? `${calls.toLocaleString("en-US")} ${calls === 1 ? "call" : "calls"} unpriced` : null;
}

/** And why: `12 unpriced: unknown_model`. Null where all have one. */
export function unpricedText(unpriced: Readonly<Record<string, number>>): string | null {
  const reasons = Object.entries(unpriced).sort((a, b) => b[1] - a[1]);
  if (reasons.length === 0) return null;
  const calls = reasons.reduce((sum, [, each]) => sum + each, 0);
  return `${calls.toLocaleString("en-US")} unpriced: ${reasons.map(([reason]) => reason).join(", ")}`;
}

/** Against the window before: `+12%`. `better` says which way is good; null is neither. */
export function change(
  now: number | null,
  before: number | null,
  better: "more" | "less" | null = null,
): { text: string; good: boolean | null } | null {
  if (now === null || before === null || before === 0) return null;
  const part = (now - before) / before;
  if (Math.abs(part) < 0.0005) return { text: changeText(part), good: null };
  return { text: changeText(part), good: better && part > 0 === (better === "more") };
}

/** Against the window before, of a share: in percentage points. */
export function pointsChange(
  now: number | null,
  before: number | null,
): { text: string; good: boolean | null } | null {
  if (now === null || before === null) return null;
  const difference = now - before;
  return { text: pointsText(difference), good: Math.abs(difference) < 0.0005 ? null : difference > 0 };
}

/** A decimal of the API as a number, for pixels and percentages only. */
export function approximately(usd: string | null | undefined): number | null {
  return usd === null || usd === undefined ? null : Number(usd);
}
