import { hashKey } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { ApiProblem } from "./client";
import { keepingFault, unanswered } from "./unanswered";

test("a page that had no answer says so until there is one, also while it is asked again", () => {
  const key = ["/api/v1/overview"];
  const busy = new ApiProblem(503, "Service Unavailable", "ask again in 5 s");
  const again = { status: "pending", error: null };
  unanswered.set(hashKey(key), busy);
  expect(keepingFault(again, key).error).toBe(busy);
  expect(keepingFault(again, ["/api/v1/costs"]).error).toBeNull();
  expect(keepingFault({ status: "success", error: null }, key).error).toBeNull();
  unanswered.delete(hashKey(key));
  expect(keepingFault(again, key).error).toBeNull();
});
