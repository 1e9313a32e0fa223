/** A trace's columns as a tree: which rows are seen, what hangs below what. Pure, for thousands of spans. */

import type { Schemas } from "@/api/client";
import { visible } from "@/kit/visibleText";

export type View = Schemas["TraceView"];
export type Kind = "call" | "tool" | "agent" | "task" | "flow" | "span";

/** A task, an agent's run, a flow or a tool. */
export interface Execution {
  kind: string;
  status: string;
  name: string | null;
  agent: string | null;
  errorMessage: string | null;
}

export interface Tree {
  view: View;
  count: number;
  /** Behind the last span below each one: spans stand in the order of a walk, parents first. */
  end: number[];
  kind: Kind[];
  failed: boolean[];
  /** Whether something below failed. */
  failedBelow: boolean[];
  /** The calls of each span, as places in the view's calls. */
  calls: Map<number, number[]>;
  /** What executions are told of by each span. */
  executions: Map<number, Execution>;
  /** What may be looked for in a span, in lower case. */
  words: string[];
  places: Map<string, number>;
  /** How long the trace waited for each span itself. */
  critical: Map<number, number>;
  /** When it did: from, until. */
  waited: Map<number, (readonly [number, number])[]>;
}

export function treeOf(view: View): Tree {
  const { spans, calls } = view;
  const count = spans.span_id.length;
  const tree: Tree = {
    view,
    count,
    end: Array.from({ length: count }, (_, at) => at + 1),
    kind: new Array<Kind>(count).fill("span"),
    failed: spans.status.map((status) => status === 2),
    failedBelow: new Array<boolean>(count).fill(false),
    calls: new Map(),
    executions: new Map(),
    words: [],
    places: new Map(spans.span_id.map((id, at) => [id, at])),
    critical: new Map(Object.entries(view.critical_ns).map(([at, ns]) => [Number(at), ns])),
    waited: new Map(),
  };
  for (const [span, from, until] of view.critical) {
    const parts = tree.waited.get(span);
    if (parts) parts.push([from, until]);
    else tree.waited.set(span, [[from, until]]);
  }
  for (const [at, span] of view.executions.span.entries()) {
    const execution = executionOf(view, at);
    tree.executions.set(span, execution);
    if (isKind(execution.kind)) tree.kind[span] = execution.kind;
    if (execution.status === "failed") tree.failed[span] = true;
  }
  for (const [at, span] of calls.span.entries()) {
    tree.calls.set(span, [...(tree.calls.get(span) ?? []), at]);
    tree.kind[span] = "call";
    if (!calls.success[at]) tree.failed[span] = true;
  }
  for (let at = count - 1; at > 0; at--) {
    const parent = spans.parent[at] ?? -1;
    if (parent < 0) continue;
    tree.end[parent] = Math.max(tree.end[parent] ?? 0, tree.end[at] ?? 0);
    if (tree.failed[at] || tree.failedBelow[at]) tree.failedBelow[parent] = true;
  }
  tree.words = spans.span_id.map((id, at) => wordsOf(tree, at, id));
  return tree;
}

function executionOf(view: View, at: number): Execution {
  const { executions } = view;
  return {
    kind: text(view, executions.kind[at]) ?? "",
    status: text(view, executions.status[at]) ?? "",
    name: text(view, executions.name[at]),
    agent: text(view, executions.agent[at]),
    errorMessage: text(view, executions.error_message[at]),
  };
}

/** What is on record of why a span failed; null where nothing is. */
export function whyFailed(tree: Tree, at: number): string | null {
  const { view } = tree;
  const types = (tree.calls.get(at) ?? []).map((call) => text(view, view.calls.error_type[call]));
  const type = types.find((each) => each !== null) ?? null;
  const said = tree.executions.get(at)?.errorMessage ?? text(view, view.spans.status_message[at]);
  return [type, said].filter(Boolean).join(": ") || null;
}

/** A text of the view by its place; null where there is none. */
export function text(view: View, place: number | undefined): string | null {
  return place === undefined || place < 0 ? null : (view.texts[place] ?? null);
}

export function nameOf(tree: Tree, at: number): string {
  return visible(text(tree.view, tree.view.spans.name[at]) ?? "unnamed");
}

/** The models of a span's calls, each once. */
export function modelsOf(tree: Tree, at: number): string[] {
  const found = (tree.calls.get(at) ?? []).map((call) => text(tree.view, tree.view.calls.model[call]));
  return [...new Set(found.filter((each) => each !== null))];
}

/** Whether none of a span's calls is in any sum. */
export function isUncounted(tree: Tree, at: number): boolean {
  const calls = tree.calls.get(at);
  return calls?.every((call) => !tree.view.calls.counted[call]) ?? false;
}

export interface Wanted {
  find?: string | undefined;
  only?: "critical" | "errors" | "calls" | undefined;
}

/** Which spans meet what is wanted; null where nothing is. */
export function matching(tree: Tree, { find, only }: Wanted): boolean[] | null {
  const words = find?.trim().toLowerCase() ?? "";
  if (!words && !only) return null;
  return tree.words.map((said, at) => {
    if (words && !said.includes(words)) return false;
    if (only === "critical") return tree.critical.has(at);
    if (only === "errors") return tree.failed[at] === true;
    return only === "calls" ? tree.kind[at] === "call" : true;
  });
}

/** The rows to be seen, as places of spans: what is wanted and what is above it, nothing below the folded. */
export function rowsOf(tree: Tree, folded: ReadonlySet<number>, wanted: boolean[] | null): number[] {
  const kept = wanted === null ? null : withAncestors(tree, wanted);
  const rows: number[] = [];
  for (let at = 0; at < tree.count; ) {
    if (kept && !kept[at]) {
      at = tree.end[at] ?? at + 1;
      continue;
    }
    rows.push(at);
    at = folded.has(at) ? (tree.end[at] ?? at + 1) : at + 1;
  }
  return rows;
}

/** The row of the next failure after `from`, of the first one behind the last. */
export function nextFailure(tree: Tree, from: number): number | null {
  for (let step = 1; step <= tree.count; step++) {
    const at = (Math.max(from, -1) + step) % tree.count;
    if (tree.failed[at]) return at;
  }
  return null;
}

/** What is above a span, the nearest first. */
export function ancestors(tree: Tree, at: number): number[] {
  const found: number[] = [];
  for (let up = tree.view.spans.parent[at] ?? -1; up >= 0; up = tree.view.spans.parent[up] ?? -1)
    found.push(up);
  return found;
}

/** Round moments between two, a handful. */
export function ticks(from: number, to: number, most = 6): number[] {
  const length = to - from;
  if (!(length > 0)) return [from];
  const rough = length / most;
  const step = rough > 1e9 ? stepOfSeconds(rough / 1e9) * 1e9 : stepOfTen(rough);
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}

function stepOfTen(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
}

const SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
];

function stepOfSeconds(rough: number): number {
  return SECONDS.find((each) => each >= rough) ?? stepOfTen(rough / 86_400) * 86_400;
}

function withAncestors(tree: Tree, wanted: boolean[]): boolean[] {
  const kept = [...wanted];
  for (let at = tree.count - 1; at > 0; at--) {
    const parent = tree.view.spans.parent[at] ?? -1;
    if (kept[at] && parent >= 0) kept[parent] = true;
  }
  return kept;
}

function wordsOf(tree: Tree, at: number, id: string): string {
  const { view } = tree;
  const execution = tree.executions.get(at);
  const said = [
    id,
    text(view, view.spans.name[at]),
    text(view, view.spans.service[at]),
    text(view, view.spans.status_message[at]),
    execution?.name,
    execution?.agent,
    execution?.errorMessage,
    ...(tree.calls.get(at) ?? []).flatMap((call) => [
      text(view, view.calls.model[call]),
      text(view, view.calls.agent[call]),
      text(view, view.calls.provider[call]),
      text(view, view.calls.error_type[call]),
    ]),
  ];
  return said.filter(Boolean).join("\n").toLowerCase();
}

function isKind(kind: string): kind is Kind {
  return kind === "tool" || kind === "agent" || kind === "task" || kind === "flow";
}
