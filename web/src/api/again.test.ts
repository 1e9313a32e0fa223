import { expect, it } from "vitest";
import { againIn } from "./again";
import { ApiProblem } from "./client";

it("asks again within seconds where nothing has come yet, and each minute else", () => {
  expect(againIn(null, true)).toBe(60_000);
  expect(againIn(null, true, true)).toBeLessThan(10_000);
});

it("asks an empty page's question no more than others where nobody wants it asked again", () => {
  expect(againIn(null, false, true)).toBe(false);
});

it("asks a server that gave no answer again soon, whatever is wanted", () => {
  expect(againIn(new ApiProblem(0, "no answer", "is it away?"), false)).toBeLessThan(10_000);
});
