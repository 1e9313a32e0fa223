import { expect, it } from "vitest";
import { colorOf, drawn, endOf, moved, stacked, tickText, topOf, valueText } from "./chartData";

it("keeps the unknown apart from 0, alone and stacked", () => {
  expect(drawn(["0.10", null, 0])).toEqual([0.1, null, 0]);
  expect(
    stacked([
      [1, null, 0],
      [2, 3, null],
    ]),
  ).toEqual([
    [1, null, 0],
    [3, 3, null],
  ]);
  expect(valueText(null, "usd")).toBe("–");
  expect(valueText("0", "usd")).toBe("$0.00");
});

it("writes values with their units and marks short", () => {
  expect(valueText("0.000013", "usd")).toBe("$0.000013");
  expect(valueText(1_234_567, "count")).toBe("1,234,567");
  expect(valueText(2.07e9, "duration")).toBe("2.07 s");
  expect(tickText(1500, "usd")).toBe("$1.5k");
});

it("leaves room above the largest value and the target", () => {
  expect(topOf([[1, null, 2]], 10)).toBeCloseTo(10.6);
  expect(topOf([[0, null]])).toBe(1);
});

it("moves the cursor within the buckets, from either end at first", () => {
  expect(moved(null, "ArrowRight", 5)).toBe(0);
  expect(moved(null, "ArrowLeft", 5)).toBe(4);
  expect(moved(4, "ArrowRight", 5)).toBe(4);
  expect(moved(2, "Home", 5)).toBe(0);
  expect(moved(2, "x", 5)).toBeNull();
  expect(moved(null, "End", 0)).toBeNull();
});

it("takes the length of the last bucket where nobody says when it ends", () => {
  expect(endOf([0, 10])).toBe(20);
  expect(endOf([0, 10], 15)).toBe(15);
});

it("colours series in turn, the ninth and all after it as the others", () => {
  const series = { id: "a", label: "A", values: [] };
  expect(colorOf(series, 0)).toBe("--series-1");
  expect(colorOf(series, 8)).toBe("--series-other");
  expect(colorOf({ ...series, color: "bad" }, 0)).toBe("--bad");
});
