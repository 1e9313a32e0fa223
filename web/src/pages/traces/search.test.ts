import { expect, test } from "vitest";
import { cleared, tokensOf, tracesSearch } from "./search";

test("an address says only what the page understands", () => {
  expect(
    tracesSearch({
      agent: "a",
      model: ["m", "n"],
      min_cost_usd: "0.05",
      status: "odd",
      max_cost_usd: "1e9",
      x: "y",
    }),
  ).toEqual({
    agent: ["a"],
    model: ["m", "n"],
    min_cost_usd: "0.05",
  });
});

test("every filter can be taken away by itself, and all together", () => {
  const tokens = tokensOf({ agent: ["a", ""], min_duration_ms: "1500" });
  expect(tokens.map((each) => each.label)).toEqual(["agent: a", "agent: unknown", "duration ≥ 1.5 s"]);
  expect(tokens[0]?.without).toEqual({ agent: [""] });
  expect(tokens[2]?.without).toEqual({ min_duration_ms: undefined });
  expect(Object.keys(cleared())).toContain("text");
  expect("since" in cleared()).toBe(false);
});
