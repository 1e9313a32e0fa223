import { expect, it } from "vitest";
import { replayOf, step } from "./madeUp";
import { runningAt, saidBy, spentAt, stepAt, story, toolsAt } from "./moment";

const steps = [
  step(0, { kind: "agent", name: "clerk", duration_ns: 9e9 }),
  step(0, { new: [0, 1], said: [2], cost_usd: "0.1", input_tokens: 10, duration_ns: 4e9 }),
  step(1, { kind: "tool", name: "search", status: "failed" }),
  step(2, { new: [3], said: [4], cost_usd: "0.000000000000000001", duration_ns: 1e9 }),
  step(6, { status: "failed", cost_usd: null, unpriced_reason: "failed_without_usage" }),
];
const told = story(replayOf(steps, 9));

it("counts a call's cost once it has ended, to its last digit", () => {
  expect(spentAt(told, 2e9).cost).toBeNull();
  expect(spentAt(told, 3e9).cost).toBe("0.000000000000000001");
  expect(spentAt(told, 4e9)).toEqual({
    calls: 2,
    failed: 0,
    unpriced: 0,
    input: 10,
    output: null,
    cost: "0.100000000000000001",
  });
  expect(spentAt(told, 9e9)).toMatchObject({ calls: 3, failed: 1, unpriced: 1 });
});

it("shows what was sent when a call begins, and what it answered when it ends", () => {
  expect([saidBy(told, 0), saidBy(told, 2e9), saidBy(told, 3e9), saidBy(told, 4e9)]).toEqual([2, 3, 4, 5]);
  expect(told.said.map((line) => line.message)).toEqual([0, 1, 3, 4, 2]);
});

it("knows the latest step, what runs, and the tools so far", () => {
  expect([stepAt(steps, -1), stepAt(steps, 0), stepAt(steps, 5e9)]).toEqual([-1, 1, 3]);
  expect(runningAt(steps, 1.5e9).map((each) => each.name)).toEqual(["clerk", "gpt-4.1", "search"]);
  expect(toolsAt(steps, 1.5e9)).toEqual([{ name: "search", uses: 1, failed: 0 }]);
  expect(toolsAt(steps, 3e9)).toEqual([{ name: "search", uses: 1, failed: 1 }]);
});
