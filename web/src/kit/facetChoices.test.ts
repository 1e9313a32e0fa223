import { expect, it } from "vitest";
import { facetChoices, toggledFacet } from "./facetChoices";

const values = [
  { value: "o3", count: 3 },
  { value: "gpt-4.1", count: 9 },
  { value: "", count: 5 },
];

it("shows the chosen first, also those that nothing has any more, then the most frequent", () => {
  expect(facetChoices(values, ["o3", "gone"], "").map((each) => each.value)).toEqual([
    "o3",
    "gone",
    "gpt-4.1",
    "",
  ]);
});

it("finds by words, the unknown by that name", () => {
  expect(facetChoices(values, [], "UNK").map((each) => each.value)).toEqual([""]);
  expect(facetChoices(values, [], "gpt").map((each) => each.value)).toEqual(["gpt-4.1"]);
});

it("adds a value and takes it out again", () => {
  expect(toggledFacet([], "a")).toEqual(["a"]);
  expect(toggledFacet(["a", "b"], "a")).toEqual(["b"]);
});
