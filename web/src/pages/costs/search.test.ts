import { expect, test } from "vitest";
import { costsSearch, nextBy, readBy } from "./search";

test("an address names one or two dimensions", () => {
  expect(readBy(undefined)).toEqual(["model", undefined]);
  expect(readBy("tenant,model")).toEqual(["tenant", "model"]);
  expect(readBy("tenant,tenant")).toEqual(["tenant", undefined]);
});

test("what an address may not say is left out", () => {
  expect(costsSearch({ by: "model", bucket: "fortnight", model: "a", colour: "red" })).toEqual({
    by: "model",
    model: ["a"],
  });
});

test("after a group was chosen one looks on by what is not narrowed yet", () => {
  expect(nextBy(["tenant", "model"], ["tenant"])).toBe("model");
  expect(nextBy(["model"], ["model"])).toBe("tenant");
  expect(nextBy(["tenant"], ["tenant", "feature", "agent", "model", "provider", "session"])).toBe("tenant");
});
