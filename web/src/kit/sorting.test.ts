import { expect, it } from "vitest";
import { readSort, sorted, sortText } from "./sorting";

it("compares money to its last digit, and puts the unknown last either way", () => {
  const costs = ["0.30000000000000000001", null, "0.3", "1e-7", "-2"];
  expect(sorted(costs, (cost) => cost, true)).toEqual(["0.30000000000000000001", "0.3", "1e-7", "-2", null]);
  expect(sorted(costs, (cost) => cost, false)).toEqual(["-2", "1e-7", "0.3", "0.30000000000000000001", null]);
});

it("orders names as people count, and keeps equal rows as they stood", () => {
  const names = ["run 10", "Run 2", "run 2", "alpha"];
  expect(sorted(names, (name) => name, false)).toEqual(["alpha", "Run 2", "run 2", "run 10"]);
});

it("orders numbers and whole numbers beyond them", () => {
  expect(sorted([10n ** 20n, 5, 7n], (value) => value, true)).toEqual([10n ** 20n, 7n, 5]);
});

it("reads the order that it wrote into an address", () => {
  for (const sort of [
    { id: "cost", desc: true },
    { id: "name", desc: false },
  ]) {
    expect(readSort(sortText(sort))).toEqual(sort);
  }
});
