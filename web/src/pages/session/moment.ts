/** What had happened by a moment of a session: said, done, running, spent. Pure. */

import { decimal, plain, plus } from "@/format/decimal";
import type { Replay, Step } from "./timeline";

export interface Spent {
  calls: number;
  failed: number;
  unpriced: number;
  input: number | null;
  output: number | null;
  /** Decimal text; null while no priced call has ended. */
  cost: string | null;
}

const NOTHING: Spent = { calls: 0, failed: 0, unpriced: 0, input: null, output: null, cost: null };

/** Everything that a session shows over time, made once. */
export interface Story {
  replay: Replay;
  /** When calls had ended, ascending, and what all that had ended by then had cost. */
  ends: readonly number[];
  sums: readonly Spent[];
  /** When each message was first there, ascending: [ns, its place in `replay.messages`, its step]. */
  said: readonly Line[];
}

export interface Line {
  atNs: number;
  message: number;
  step: number;
}

export function story(replay: Replay): Story {
  const calls = replay.steps.filter((step) => step.kind === "call").sort((a, b) => endNs(a) - endNs(b));
  const sums: Spent[] = [];
  for (const call of calls) sums.push(added(sums.at(-1) ?? NOTHING, call));
  return { replay, ends: calls.map(endNs), sums, said: lines(replay.steps) };
}

/** When a step ended; what has no end yet, or none that is known, when it began. */
export function endNs(step: Step): number {
  return step.at_ns + (step.duration_ns ?? 0);
}

/** What the calls that had ended by then cost. */
export function spentAt(told: Story, ns: number): Spent {
  return told.sums[countUpTo(told.ends, ns) - 1] ?? NOTHING;
}

/** The latest step that had begun; -1 before the first. */
export function stepAt(steps: readonly Step[], ns: number): number {
  return (
    countUpTo(
      steps.map((step) => step.at_ns),
      ns,
    ) - 1
  );
}

/** How many messages had been said. */
export function saidBy(told: Story, ns: number): number {
  return countUpTo(
    told.said.map((line) => line.atNs),
    ns,
  );
}

/** What was under way: begun and not ended. Steps without a known duration are not. */
export function runningAt(steps: readonly Step[], ns: number): Step[] {
  return steps.filter((step) => step.at_ns <= ns && ns < endNs(step));
}

export interface ToolUse {
  name: string;
  uses: number;
  failed: number;
}

/** The tools that had been used, most used first. */
export function toolsAt(steps: readonly Step[], ns: number): ToolUse[] {
  const found = new Map<string, ToolUse>();
  for (const step of steps) {
    if (step.kind !== "tool" || step.at_ns > ns) continue;
    const use = found.get(step.name) ?? { name: step.name, uses: 0, failed: 0 };
    use.uses += 1;
    if (endNs(step) <= ns && step.status === "failed") use.failed += 1;
    found.set(step.name, use);
  }
  return [...found.values()].sort((a, b) => b.uses - a.uses);
}

function added(sum: Spent, call: Step): Spent {
  return {
    calls: sum.calls + 1,
    failed: sum.failed + (call.status === "failed" ? 1 : 0),
    unpriced: sum.unpriced + (call.cost_usd === null ? 1 : 0),
    input: known(sum.input, call.input_tokens),
    output: known(sum.output, call.output_tokens),
    cost: sumOf(sum.cost, call.cost_usd),
  };
}

function known(sum: number | null, more: number | null): number | null {
  return more === null ? sum : (sum ?? 0) + more;
}

function sumOf(sum: string | null, more: string | null): string | null {
  if (sum === null || more === null) return sum ?? more;
  return plain(plus(decimal(sum), decimal(more)));
}

/** What a call sends is there when it begins, what it answers when it ends; each message at its first time. */
function lines(steps: readonly Step[]): Line[] {
  const first = new Map<number, Line>();
  const say = (message: number, atNs: number, step: number) => {
    const before = first.get(message);
    if (!before || atNs < before.atNs) first.set(message, { atNs, message, step });
  };
  steps.forEach((step, place) => {
    for (const message of step.new) say(message, step.at_ns, place);
    for (const message of step.said) say(message, endNs(step), place);
  });
  return [...first.values()].sort((a, b) => a.atNs - b.atNs || a.message - b.message);
}

/** How many of the ascending values are not above this one. */
function countUpTo(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
