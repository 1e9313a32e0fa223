import { expect, test } from "vitest";
import { decimal, minus, rounded, written } from "./decimal";
import { money, moneyChange, moneyExact, moneyShort } from "./money";
import { changeText, count, countShort, duration, plural, pointsText, share } from "./numbers";
import { shellWord } from "./shell";
import { ago, epochMs, fromInput, inputValue, moment } from "./times";

test("money has the digits that say something, and is never 0 for what is not 0", () => {
  const cases: [string, string][] = [
    ["0", "$0.00"],
    ["0.000013", "$0.000013"],
    ["0.0000130499", "$0.000013"],
    ["0.0773949", "$0.0774"],
    ["0.5", "$0.5000"],
    ["1", "$1.00"],
    ["1.005", "$1.00"],
    ["1.015", "$1.02"],
    ["1234567.891", "$1,234,567.89"],
    ["-2.5", "−$2.50"],
    ["1.5E-7", "$0.00000015"],
    ["123456789012345678901234567890.12", "$123,456,789,012,345,678,901,234,567,890.12"],
  ];
  for (const [usd, shown] of cases) expect(money(usd), usd).toBe(shown);
});

test("differences have a sign, exact money all digits, axes few", () => {
  expect(moneyChange("1.2")).toBe("+$1.20");
  expect(moneyChange("-1.2")).toBe("−$1.20");
  expect(moneyExact("0.0773949000")).toBe("$0.0773949");
  expect(moneyExact("12.5000")).toBe("$12.50");
  expect([1234, 340, 0.02, 0, 1.5e6].map(moneyShort)).toEqual(["$1.2k", "$340", "$0.02", "$0", "$1.5M"]);
});

test("sums of decimals are exact", () => {
  expect(written(minus(decimal("0.3"), decimal("0.1")))).toBe("0.2");
  expect(written(rounded(decimal("2.675"), 2))).toBe("2.68");
  expect(() => decimal("NaN")).toThrow(TypeError);
});

test("counts, shares and lengths of time are short and honest", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect([-1234567, 999, 1234.5].map(count)).toEqual(["-1,234,567", "999", "1,234.5"]);
  expect([9999, 45_600, 1_234_567, 0, 999_999].map(countShort)).toEqual([
    "9,999",
    "45.6k",
    "1.23M",
    "0",
    "1M",
  ]);
  expect([0, 0.0001, 0.5, 0.1234, 1, 0.9999].map(share)).toEqual([
    "0%",
    "< 0.1%",
    "50%",
    "12.3%",
    "100%",
    "> 99.9%",
  ]);
  const lengths: [number, string][] = [
    [0, "0 ns"],
    [1500, "1.5 µs"],
    [734e6, "734 ms"],
    [999.9e6, "1 s"],
    [2.07e9, "2.07 s"],
    [72e9, "1 m 12 s"],
    [59.99e9, "1 m"],
    [12_000e9, "3 h 20 m"],
    [187_200e9, "2 d 4 h"],
  ];
  for (const [ns, shown] of lengths) expect(duration(ns), String(ns)).toBe(shown);
});

test("changes are said as a person would, on every page alike", () => {
  expect([0.1234, -0.042, 0.0001, 4.2, -1, -0.768, 0.0997, -0.9996, 0].map(changeText)).toEqual([
    "+12%",
    "−4.2%",
    "as before",
    "×5.2",
    "−100%",
    "−77%",
    "+10%",
    "−99%",
    "as before",
  ]);
  expect([0.005, -0.0001, -0.014].map(pointsText)).toEqual(["+0.5 points", "as before", "−1.4 points"]);
  expect([0, 1, 5000].map((n) => plural(n, "span"))).toEqual(["0 spans", "1 span", "5,000 spans"]);
});

test("moments are read to the millisecond and shown in the zone asked for", () => {
  const ms = epochMs("2026-11-21T14:05:09.123456789Z");
  expect(ms).toBe(Date.UTC(2026, 10, 21, 14, 5, 9, 123));
  expect(moment(ms, "utc", ms, true)).toBe("21 Nov, 14:05:09.123");
  expect(ago(ms, ms + 5 * 60_000)).toBe("5 min ago");
  expect(ago(ms, ms - 3_600_000)).toBe("in 1 h");
  expect(fromInput(inputValue(ms, "utc"), "utc")).toBe("2026-11-21T14:05:00.000Z");
  expect(fromInput("soon", "utc")).toBeNull();
});

test("a text in a command is one word, whatever is in it", () => {
  expect(["tenant=acme", "", "o'neil; rm -rf ~", "model=a b"].map(shellWord)).toEqual([
    "tenant=acme",
    "''",
    "'o'\\''neil; rm -rf ~'",
    "'model=a b'",
  ]);
});

test("a moment without a zone is one of UTC, as the API takes it", () => {
  expect(epochMs("2026-01-31T12:00")).toBe(Date.UTC(2026, 0, 31, 12));
  expect(epochMs("2026-01-31T12:00:00.123456789+01:00")).toBe(Date.UTC(2026, 0, 31, 11, 0, 0, 123));
  expect(epochMs("2026-01-31")).toBe(Date.UTC(2026, 0, 31));
});
