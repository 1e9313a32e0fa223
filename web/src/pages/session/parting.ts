/** Where two sessions part: compared step by step, by kind, name and content. Pure. */

import type { Step } from "./timeline";

export type Difference =
  /** One did something else, by kind or name. */
  | "step"
  /** The same step was given something else. */
  | "given"
  /** Given the same, it gave something else. */
  | "gave"
  /** One failed where the other did not. */
  | "outcome"
  /** One was over. */
  | "end";

export interface Parting {
  /** The place of the first step that differs, in both. */
  at: number;
  what: Difference;
}

export interface Comparison {
  /** The first difference of any sort; null where they are the same. */
  first: Parting | null;
  /** The first at which one did something else, whatever the texts were; null where they never do. */
  course: Parting | null;
}

/** How two steps at one place differ; null where they do not, as far as it is on record. */
export function difference(a: Step | undefined, b: Step | undefined): Difference | null {
  if (!a || !b) return a || b ? "end" : null;
  if (a.kind !== b.kind || a.name !== b.name) return "step";
  if (differ(a.given, b.given)) return "given";
  if (a.status !== b.status) return "outcome";
  return differ(a.gave, b.gave) ? "gave" : null;
}

export function compared(a: readonly Step[], b: readonly Step[]): Comparison {
  let first: Parting | null = null;
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const what = difference(a[at], b[at]);
    if (what === null) continue;
    first ??= { at, what };
    if (what === "step" || what === "end") return { first, course: { at, what } };
  }
  return { first, course: null };
}

/** Texts differ only if both are on record: where one is not, nobody knows. */
function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}
