import { expect, it } from "vitest";
import { step } from "./madeUp";
import { compared, difference } from "./parting";

const base = [
  step(0, { given: "a", gave: "b" }),
  step(1, { kind: "tool", name: "search", given: "q" }),
  step(2, { given: "c", gave: "d" }),
];

it("finds nothing between a session and itself, whenever it ran", () => {
  const later = base.map((each) => ({ ...each, at_ns: each.at_ns * 7, id: "other", duration_ns: 1 }));
  expect(compared(base, later)).toEqual({ first: null, course: null });
});

it("tells an answer that differs from a step that does", () => {
  const other = [{ ...base[0], gave: "x" }, base[1], step(2, { kind: "tool", name: "write" })] as typeof base;
  expect(compared(base, other)).toEqual({ first: { at: 0, what: "gave" }, course: { at: 2, what: "step" } });
});

it("says when one is over", () => {
  expect(compared(base, base.slice(0, 2))).toEqual({
    first: { at: 2, what: "end" },
    course: { at: 2, what: "end" },
  });
  expect(compared([], [])).toEqual({ first: null, course: null });
});

it("takes what was given before what came of it, and a failure before a text", () => {
  const one = step(0, { given: "a", gave: "b" });
  expect(difference(one, { ...one, given: "x", gave: "y" })).toBe("given");
  expect(difference(one, { ...one, status: "failed", gave: "y" })).toBe("outcome");
});

it("does not take texts that nobody recorded for different ones", () => {
  expect(difference(step(0, { given: "a" }), step(0, { given: null }))).toBeNull();
});
