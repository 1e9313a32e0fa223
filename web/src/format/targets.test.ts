import { describe, expect, it } from "vitest";
import { kept, targetText, typed } from "./targets";

describe("targets", () => {
  it("are typed in percent, seconds and dollars, and kept as shares, nanoseconds and dollars, exactly", () => {
    for (const [text, value, unit] of [
      ["2", "0.02", "share"],
      ["99.95", "0.9995", "share"],
      ["2", "2000000000", "nanoseconds"],
      ["0.25", "250000000", "nanoseconds"],
      ["50", "50", "usd_per_day"],
    ] as const) {
      expect(kept(text, unit)).toBe(value);
      expect(typed({ value, unit })).toBe(text);
    }
    expect(kept(" $1,000.50 ", "usd_per_day")).toBe("1000.5");
    expect(kept("60%", "share")).toBe("0.6");
  });

  it("are none where nothing is typed, and refused where it is no number above 0", () => {
    expect(kept(" ", "share")).toBeNull();
    expect(typed({ value: null, unit: "share" })).toBe("");
    for (const text of ["fast", "-1", "0", "0.0", "1e9", "101"]) expect(kept(text, "share")).toBeUndefined();
  });

  it("are said as figures are", () => {
    expect(targetText("0.02", "share")).toBe("2%");
    expect(targetText("2000000000", "nanoseconds")).toBe("2 s");
    expect(targetText("50", "usd_per_day")).toBe("$50.00 a day");
  });
});
