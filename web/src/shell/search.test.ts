import { expect, test } from "vitest";
import { carried } from "./links";
import { boundMs, lastLabel } from "./ranges";
import { many, one, oneOf, parseSearch, present, rootSearch, stringifySearch } from "./search";

test("an address that is read and written again is the same", () => {
  for (const text of [
    "",
    "?since=7d",
    "?since=2026-11-01T00:00:00Z&tenant=a&tenant=b%26c",
    "?text=%E2%9C%93+ok&span=0123",
  ]) {
    expect(stringifySearch(parseSearch(text)), text).toBe(text);
  }
});

test("texts stay texts, and what an address may not say is left out", () => {
  expect(parseSearch("?span=0123&deep=__proto__")).toEqual({ span: "0123", deep: "__proto__" });
  expect(rootSearch({ since: 7, until: "", tenant: "acme" })).toEqual({ tenant: ["acme"] });
  expect([one(["a", "b"]), one({}), many("")]).toEqual(["a", undefined, [""]]);
  expect([oneOf("b", "a", "b"), oneOf("c", "a", "b")]).toEqual(["b", undefined]);
  expect(present({ a: undefined, b: 0 })).toEqual({ b: 0 });
});

test("a link to another page takes time and tenant along, and nothing else", () => {
  expect(carried({ since: "1h", tenant: ["acme"], span: "1", by: "model" })).toEqual({
    since: "1h",
    tenant: ["acme"],
  });
});

test("the time asked about begins where its words say", () => {
  const now = Date.UTC(2026, 10, 21, 12);
  expect(boundMs("90m", now)).toBe(now - 90 * 60_000);
  expect(boundMs("30 s ago", now)).toBe(now - 30_000);
  expect(boundMs("now", now)).toBe(now);
  expect(boundMs("2026-11-20T12:00:00Z", now)).toBe(now - 86_400_000);
  expect([boundMs("soon", now), boundMs("999999999999w", now)]).toEqual([null, null]);
});

test("a time until now is said as a person would, by a preset's name where it is as long as one", () => {
  expect(["24h", "1d", "7d", "3d", "90m", "1w", "1h", "5h"].map(lastLabel)).toEqual([
    "Last 24 hours",
    "Last 24 hours",
    "Last 7 days",
    "Last 3 days",
    "Last 90 minutes",
    "Last 7 days",
    "Last hour",
    "Last 5 hours",
  ]);
  expect(lastLabel("2026-11-20T12:00:00Z")).toBeNull();
});
