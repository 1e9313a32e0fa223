import { expect, it } from "vitest";
import { ApiProblem } from "@/api/client";
import { problemOf } from "./problemText";

const document = {
  title: "Bad Request",
  status: 400,
  detail: "since must be a moment, not 'soon'; write 7d or an ISO time",
  where: "since",
  request_id: "abc",
};

it("names a refusal in words, and does not offer to ask the same again", () => {
  expect(problemOf(document)).toEqual({
    title: "This question cannot be answered",
    detail: document.detail,
    where: "since",
    requestId: "abc",
    again: false,
  });
});

it("reads the document that an error carries", () => {
  expect(problemOf(Object.assign(new Error("400"), { problem: document })).where).toBe("since");
});

it("reads the API's refusals, whose message is the detail", () => {
  const refused = new ApiProblem(400, "Bad Request", "limit is too large", "limit", "abc");
  expect(problemOf(refused)).toEqual({
    title: "This question cannot be answered",
    detail: "limit is too large",
    where: "limit",
    requestId: "abc",
    again: false,
  });
});

it("says of a network failure that the server does not answer", () => {
  expect(problemOf(new TypeError("Failed to fetch")).title).toBe("The server does not answer");
});

it("shows the message of any other error, and a thrown text", () => {
  expect(problemOf(new Error("boom")).detail).toBe("boom");
  expect(problemOf("boom").detail).toBe("boom");
});

it("offers to try again what may go better then", () => {
  expect(problemOf(new ApiProblem(503, "Service Unavailable", "ask again in 5 s"))).toMatchObject({
    title: "The server is too busy now",
    again: true,
  });
  expect(problemOf(new ApiProblem(500, "Internal Server Error", "see the log")).again).toBe(true);
});
