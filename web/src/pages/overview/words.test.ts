import { expect, test } from "vitest";
import {
  because,
  type Contribution,
  errorReasons,
  lengthOf,
  mainCause,
  moneyChangeOf,
  reasons,
  signedCount,
  windowBefore,
} from "./words";

const ROW: Contribution = {
  name: "gpt-4.1",
  other: false,
  groups: 1,
  calls_before: 100,
  calls: 82,
  failed_before: 1,
  failed: 1,
  cost_before_usd: "100",
  cost_usd: "68.88",
  difference_usd: "-31.12",
  volume_usd: "-18",
  per_call_usd: "-13.12",
};

test("windows are said by their length", () => {
  const since = "2026-11-14T12:00:00.000000000Z";
  expect(windowBefore({ since, until: "2026-11-21T12:00:00Z" })).toBe("the 7 days before");
  expect(lengthOf({ since, until: "2026-11-14T13:00:00Z" })).toBe("60 minutes");
  expect(lengthOf({ since, until: "2026-11-15T12:00:00Z" })).toBe("24 hours");
});

test("changes are said as a person would", () => {
  expect(moneyChangeOf("66.559222515", "59.74767189")).toBeCloseTo(-0.1023, 3);
  expect(moneyChangeOf("0", "5")).toBeNull();
});

test("a difference is explained by calls and by what one costs", () => {
  expect(reasons(ROW)).toBe("18% fewer calls (−$18.00), 16% cheaper a call (−$13.12)");
  expect(reasons({ ...ROW, calls_before: 0, volume_usd: "5", per_call_usd: "0" })).toBe("new: 82 calls");
  expect(reasons({ ...ROW, calls: 520, difference_usd: "420", volume_usd: "420", per_call_usd: "0" })).toBe(
    "5.2 times as many calls (+$420.00)",
  );
  expect(reasons({ ...ROW, difference_usd: null, volume_usd: null, per_call_usd: null })).toBe(
    "no call has a price",
  );
});

test("the main cause goes the way the whole went", () => {
  const up = { ...ROW, name: "o3", difference_usd: "50" };
  expect(mainCause([up, ROW], "-3")?.name).toBe("gpt-4.1");
  expect(mainCause([up, ROW], "3")?.name).toBe("o3");
  expect(mainCause([], "3")).toBeNull();
});

test("more failures are said by the rate and by the number of calls", () => {
  expect(errorReasons({ ...ROW, failed_before: 2, calls: 120, failed: 6 })).toBe(
    "2% of calls failed, now 5%; 20% more calls",
  );
  expect(errorReasons({ ...ROW, failed_before: 1, calls: 100, failed: 1 })).toBe(
    "1% of calls fail, as before",
  );
  expect(errorReasons({ ...ROW, calls_before: 0, failed_before: 0, calls: 9, failed: 1 })).toBe(
    "new: 1 failure in 9 calls",
  );
  expect([3, -1200, 0].map(signedCount)).toEqual(["+3", "−1,200", "±0"]);
});

test("behind an amount it says what it is made of, or that the group is new or gone", () => {
  expect(because(ROW)).toBe(", with 18% fewer calls (−$18.00), 16% cheaper a call (−$13.12)");
  expect(because({ ...ROW, calls: 0 })).toBe(" (gone: 100 calls before)");
  expect(because({ ...ROW, calls_before: 0 })).toBe(" (new: 82 calls)");
});
