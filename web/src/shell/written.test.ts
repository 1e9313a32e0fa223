import { expect, it } from "vitest";
import { sinceWritten } from "./written";

it("knows its own words in the address, late ones too", () => {
  const near = (one: number, other: number) => Math.abs(one - other) <= 1;
  expect(sinceWritten([0], 0.4, near)).toEqual([0]);
  expect(sinceWritten([0, 1000, 2000], 1000, near)).toEqual([1000, 2000]);
  expect(sinceWritten([0, 1000, 2000], 2000, near)).toEqual([2000]);
  expect(sinceWritten([1000, 2000], 500, near)).toBeNull();
  expect(sinceWritten(["", "a", ""], "")).toEqual([""]);
});
