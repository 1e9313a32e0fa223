/** Steps and sessions for tests: a test names what it is about, the rest is empty. */

import type { Replay, Step } from "./timeline";

const SECOND = 1e9;

/** A step `at` seconds after the start. */
export function step(at: number, made: Partial<Step> = {}): Step {
  return {
    kind: "call",
    name: "gpt-4.1",
    id: `id-${at}`,
    at_ns: at * SECOND,
    duration_ns: SECOND,
    status: "ok",
    error_type: null,
    error_message: null,
    agent: null,
    task: null,
    trace_id: "t",
    span_id: "s",
    input_tokens: null,
    output_tokens: null,
    cost_usd: null,
    unpriced_reason: null,
    new: [],
    said: [],
    repeated: 0,
    input: null,
    output: null,
    given: null,
    gave: null,
    so_far: NOTHING,
    ...made,
  };
}

const NOTHING = {
  calls: 0,
  failed_calls: 0,
  unpriced_calls: 0,
  input_tokens: null,
  output_tokens: null,
  cost_usd: null,
};

export function replayOf(steps: Step[], seconds: number): Replay {
  return {
    session: "s-1",
    tenant: null,
    user: null,
    start: "2026-01-01T12:00:00.000000000Z",
    start_ns: 0,
    duration_ns: seconds * SECOND,
    totals: NOTHING,
    steps,
    messages: [],
    traces: [],
    next_since: null,
  };
}
