import { expect, test } from "vitest";
import { ancestors, matching, nextFailure, rowsOf, ticks, treeOf, type View, whyFailed } from "./tree";

/** A root with two branches: a call that failed below the first, a tool below the second. */
function view(): View {
  const five = <T>(value: T): T[] => Array.from({ length: 5 }, () => value);
  return {
    trace_id: "t",
    name: "root",
    texts: ["root", "branch", "chat", "search", "gpt-4.1", "shop", "tool", "completed"],
    spans: {
      span_id: ["a", "b", "c", "d", "e"],
      parent: [-1, 0, 1, 0, 3],
      depth: [0, 1, 2, 1, 2],
      name: [0, 1, 2, 1, 3],
      service: five(5),
      start_ns: [0, 0, 10, 50, 60],
      duration_ns: [100, 40, 20, 40, 10],
      status: five(0),
      status_message: five(-1),
      odd: five(""),
    },
    calls: {
      span: [2],
      model: [4],
      agent: [-1],
      provider: [-1],
      error_type: [-1],
      success: [false],
      counted: [false],
    },
    executions: { span: [4], kind: [6], name: [3], status: [7], agent: [-1], error_message: [-1] },
    critical: [
      [1, 0, 10],
      [2, 10, 30],
      [0, 40, 50],
    ],
    critical_ns: { "1": 10, "2": 20, "0": 10 },
  } as unknown as View;
}

test("a tree knows what hangs below what, what each span is, and where something failed", () => {
  const tree = treeOf(view());
  expect(tree.end).toEqual([5, 3, 3, 5, 5]);
  expect(tree.kind).toEqual(["span", "span", "call", "span", "tool"]);
  expect(tree.failed).toEqual([false, false, true, false, false]);
  expect(tree.failedBelow).toEqual([true, true, false, false, false]);
  expect(ancestors(tree, 2)).toEqual([1, 0]);
  expect(nextFailure(tree, 2)).toBe(2);
  expect(tree.waited.get(2)).toEqual([[10, 30]]);
});

test("rows are what is wanted and what is above it, and nothing below what is folded", () => {
  const tree = treeOf(view());
  const rows = (wanted: Parameters<typeof matching>[1], folded: number[] = []) =>
    rowsOf(tree, new Set(folded), matching(tree, wanted));
  expect(rows({})).toEqual([0, 1, 2, 3, 4]);
  expect(rows({}, [1])).toEqual([0, 1, 3, 4]);
  expect(rows({ find: "GPT-4" })).toEqual([0, 1, 2]);
  expect(rows({ only: "errors" })).toEqual([0, 1, 2]);
  expect(rows({ only: "critical" })).toEqual([0, 1, 2]);
  expect(rows({ only: "calls", find: "search" })).toEqual([]);
  expect(rows({ find: "search" }, [0])).toEqual([0]);
});

test("a ruler has a handful of round moments", () => {
  expect(ticks(0, 100e9, 5)).toEqual([0, 30e9, 60e9, 90e9]);
  expect(ticks(0, 90, 5)).toEqual([0, 20, 40, 60, 80]);
  expect(ticks(5, 5)).toEqual([5]);
});

test("a span that failed says why as far as it is on record", () => {
  const told = view();
  told.texts.push("Timeout", "no answer within a minute");
  told.calls.error_type = [8];
  expect(whyFailed(treeOf(told), 2)).toBe("Timeout");
  told.spans.status_message = [-1, -1, 9, -1, -1];
  expect(whyFailed(treeOf(told), 2)).toBe("Timeout: no answer within a minute");
  expect(whyFailed(treeOf(view()), 2)).toBeNull();
});
