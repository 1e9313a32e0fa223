import { describe, expect, test } from "vitest";
import { readTerms, withTimes } from "./terms";

describe("a price in a form", () => {
  test("becomes what the API takes, amounts as they were typed", () => {
    const { body } = readTerms("price", {
      provider: "openai",
      model: "own-7b",
      input: "$0.10",
      output: "0.4",
      since: "",
    });
    expect(body).toEqual({ provider: "openai", model: "own-7b", input: "0.10", output: "0.4" });
  });

  test("without a model, or with an amount that is none, is refused at the field", () => {
    const { body, wrong } = readTerms("price", { provider: "openai", input: "2,5", output: "" });
    expect(body).toBeNull();
    expect(Object.keys(wrong).sort()).toEqual(["input", "model"]);
  });

  test("of a discount needs only who sells and a percentage of at most 100", () => {
    expect(readTerms("discount", { provider: "openai", percent: "15%" }).body).toEqual({
      provider: "openai",
      percent: "15",
    });
    expect(Object.keys(readTerms("discount", { provider: "openai", percent: "150" }).wrong)).toEqual([
      "percent",
    ]);
  });

  test("keeps the time of day of a bound whose day was left as it was", () => {
    const before = { since: "2026-02-01T12:30:00Z", until: "2026-03-01T00:00:00Z" };
    expect(withTimes({ since: "2026-02-01", until: "2026-04-01" }, before)).toEqual({
      since: "2026-02-01T12:30:00Z",
      until: "2026-04-01",
    });
    expect(withTimes({ since: "", until: "" }, before)).toEqual({ since: "", until: "" });
  });

  test("ends after it begins", () => {
    const said = { provider: "openai", model: "m", input: "1", since: "2026-02-01", until: "2026-01-01" };
    expect(Object.keys(readTerms("price", said).wrong)).toEqual(["until"]);
  });
});
