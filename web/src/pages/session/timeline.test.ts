import { expect, it } from "vitest";
import { step } from "./madeUp";
import { idleAt, momentOf, placeOf, timeline } from "./timeline";

const SECOND = 1000;
// Work from 0 to 1 s, a pause of a minute, work from 61 to 63 s, and a short pause until 64 s.
const line = timeline([step(0), step(61, { duration_ns: 2e9 })], 64e9);

it("cuts long pauses to a second and leaves work and short ones as they were", () => {
  expect(line.segments.map((each) => [each.to - each.from, each.playTo - each.playFrom, each.idle])).toEqual([
    [SECOND, SECOND, false],
    [60 * SECOND, SECOND, true],
    [2 * SECOND, 2 * SECOND, false],
    [SECOND, SECOND, false],
  ]);
  expect([line.length, line.playLength]).toEqual([64 * SECOND, 5 * SECOND]);
});

it("finds the way from a moment to its place and back", () => {
  for (const moment of [0, 500, 1000, 31_000, 61_000, 62_500, 64_000]) {
    expect(momentOf(line, placeOf(line, moment))).toBeCloseTo(moment, 6);
  }
  expect(placeOf(line, 31_000)).toBeCloseTo(1500);
  expect(momentOf(line, 99_999)).toBe(64_000);
});

it("says which pause is being cut short", () => {
  expect(idleAt(line, 30_000)?.to).toBe(61_000);
  expect(idleAt(line, 63_500)).toBeNull();
});

it("takes no flow, task or agent for work, however long it was open", () => {
  const waited = timeline([step(0, { kind: "agent", duration_ns: 60e9 }), step(50)], 60e9);
  expect(waited.segments.filter((each) => each.idle)).toHaveLength(2);
});

it("plays what overlaps once, and an instant in no time", () => {
  expect(timeline([step(0, { duration_ns: 2e9 }), step(1, { duration_ns: 2e9 })], 3e9).playLength).toBe(3000);
  expect(timeline([step(0, { duration_ns: 0 })], 0)).toEqual({ segments: [], length: 0, playLength: 0 });
});
