import { expect, it } from "vitest";
import { parseJson, WrittenNumber, writeJson } from "./jsonValue";

it("reads JSON, and says undefined of anything else", () => {
  expect(parseJson('{"a": [1, "x", null, true]}')).toEqual({ a: [1, "x", null, true] });
  expect(parseJson("not json")).toBeUndefined();
  expect(parseJson("")).toBeUndefined();
});

it("keeps the digits of numbers that a float would lose", () => {
  const [id, cost, plain, large] = parseJson(
    "[12345678901234567890, 0.1000000000000000055511, 1.50, 1e21]",
  ) as [WrittenNumber, WrittenNumber, number, number];
  expect(id).toEqual(new WrittenNumber("12345678901234567890"));
  expect(cost.text).toBe("0.1000000000000000055511");
  expect(plain).toBe(1.5);
  expect(large).toBe(1e21);
});

it("writes what it read", () => {
  expect(writeJson(parseJson('{"id":12345678901234567890,"l":[],"o":{}}') ?? null)).toBe(
    '{\n  "id": 12345678901234567890,\n  "l": [],\n  "o": {}\n}',
  );
});
