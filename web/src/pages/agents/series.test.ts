import { expect, test } from "vitest";
import { chartSeries } from "./series";

test("many small ones are one line, exact, however much it adds up to", () => {
  const rows = Array.from({ length: 10 }, (_, at) => ({
    name: `agent ${at}`,
    series: { calls: [1], failed_calls: [0], tokens: [1], cost_usd: at < 6 ? ["9000.5"] : ["1234.000001"] },
  }));
  const made = chartSeries(rows, "cost");
  expect(made.map((each) => each.label).at(-1)).toBe("4 others");
  expect(made.at(-1)?.values).toEqual(["4936.000004"]);
});
