/**
 * A session's time as it is played: what is idle is cut short, the rest keeps its length.
 *
 * Two measures: a *moment* is milliseconds of the session since its start; a *place* is milliseconds of
 * playing at the session's own speed, in which a long pause lasts `IDLE_SHOWN_MS`.
 */

import type { Schemas } from "@/api/client";

export type Step = Schemas["ReplayStep"];
export type Replay = Schemas["Replay"];

export interface Segment {
  from: number;
  to: number;
  /** Where it begins and ends when it is played. */
  playFrom: number;
  playTo: number;
  /** Nothing ran then, and it is cut short. */
  idle: boolean;
}

export interface Timeline {
  segments: readonly Segment[];
  /** How long the session was, and how long it plays. */
  length: number;
  playLength: number;
}

export const IDLE_FROM_MS = 3_000;
export const IDLE_SHOWN_MS = 1_000;

/** Steps that are work; flows, tasks and agents only stand around it, and may wait for days. */
const WORK = new Set(["message", "call", "tool"]);

export function timeline(steps: readonly Step[], lengthNs: number): Timeline {
  const length = lengthNs / 1e6;
  const busy = steps
    .filter((step) => WORK.has(step.kind))
    .map((step) => [step.at_ns / 1e6, (step.at_ns + (step.duration_ns ?? 0)) / 1e6] as const)
    .sort((a, b) => a[0] - b[0]);
  const segments: Segment[] = [];
  let played = 0;
  const add = (from: number, to: number, idle: boolean) => {
    if (to <= from) return;
    const cut = idle && to - from >= IDLE_FROM_MS;
    const long = cut ? IDLE_SHOWN_MS : to - from;
    segments.push({ from, to, playFrom: played, playTo: played + long, idle: cut });
    played += long;
  };
  let at = 0;
  for (const [from, to] of busy) {
    add(at, from, true);
    add(Math.max(at, from), to, false);
    at = Math.max(at, to);
  }
  add(at, length, true);
  return { segments, length: Math.max(length, at), playLength: played };
}

export function placeOf(line: Timeline, moment: number): number {
  const found = line.segments.find((each) => moment < each.to);
  if (!found) return line.playLength;
  return found.playFrom + share(moment, found.from, found.to) * (found.playTo - found.playFrom);
}

export function momentOf(line: Timeline, place: number): number {
  const found = line.segments.find((each) => place < each.playTo);
  if (!found) return line.length;
  return found.from + share(place, found.playFrom, found.playTo) * (found.to - found.from);
}

/** The pause that is being cut short at this moment. */
export function idleAt(line: Timeline, moment: number): Segment | null {
  return line.segments.find((each) => each.idle && moment >= each.from && moment < each.to) ?? null;
}

function share(value: number, from: number, to: number): number {
  return to <= from ? 0 : Math.min(1, Math.max(0, (value - from) / (to - from)));
}
