import { expect, it } from "vitest";
import { readLayout } from "./dataTableMemory";

it("reads what makes sense and forgets the rest", () => {
  expect(readLayout('{"widths": {"a": 90, "b": 5, "c": "x"}, "shown": {"a": false, "b": 1}}')).toEqual({
    widths: { a: 90 },
    shown: { a: false },
  });
  for (const broken of [null, "", "[1", "7", '{"widths": 3}']) {
    expect(readLayout(broken)).toEqual({ widths: {}, shown: {} });
  }
});
