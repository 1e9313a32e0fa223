import { expect, test } from "vitest";
import { isTooDeep } from "./nesting";

test("quotes and lists as people write them are Markdown", () => {
  for (const text of [
    "> > > a reply to a reply",
    "- a\n  - b\n    1. c",
    "-".repeat(80),
    "* * *",
    "1. one\n2. two",
  ])
    expect(isTooDeep(text)).toBe(false);
});

test("thousands in each other are not, on whichever line", () => {
  for (const one of [">", "> ", "- ", "* ", "1. ", " > - "])
    expect(isTooDeep(`before\n${one.repeat(3000)}deep`)).toBe(true);
});

test("long lines are judged at once", () => {
  const began = performance.now();
  for (const text of [" ".repeat(90_000), "1".repeat(90_000), "- ".repeat(15) + " ".repeat(90_000)])
    isTooDeep(text);
  expect(performance.now() - began).toBeLessThan(1000);
});
