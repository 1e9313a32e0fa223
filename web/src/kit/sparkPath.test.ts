import { expect, it } from "vitest";
import { sparkPath } from "./sparkPath";

it("draws from 0 at the bottom to the largest value at the top", () => {
  expect(sparkPath([0, 5, 10], 20, 10)).toBe("M0 10L10 5L20 0");
});

it("leaves a gap where nothing is known, and shows a lone value as a point", () => {
  expect(sparkPath([4, null, 4], 20, 10)).toBe("M0 0h.01M20 0h.01");
});

it("draws nothing of nothing, and a flat line of zeros at the bottom", () => {
  expect(sparkPath([], 20, 10)).toBe("");
  expect(sparkPath([0, 0], 20, 10)).toBe("M0 10L20 10");
});
