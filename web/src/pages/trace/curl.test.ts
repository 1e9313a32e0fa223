import { expect, test } from "vitest";
import type { Schemas } from "@/api/client";
import { callCurl, traceCurl } from "./curl";

function detail(content: string | null): Schemas["SpanDetail"] {
  return { messages: { h: { role: "user", content, cut: 0 } } } as unknown as Schemas["SpanDetail"];
}

function call(provider: string): Schemas["SpanCall"] {
  return {
    provider,
    request_model: "m",
    response_model: null,
    input: ["h"],
    streaming: false,
  } as unknown as Schemas["SpanCall"];
}

test("a trace is read with a key only where the server has keys", () => {
  expect(traceCurl("http://x", "abc", false)).toBe("curl -s http://x/api/v1/traces/abc\n");
  expect(traceCurl("http://x", "abc", true)).toContain("Bearer $WATCHGLASS_KEY");
});

test("a request is sent anew to its provider, and no text of it can leave its quotes", () => {
  const hostile = '{"role":"user","parts":[{"type":"text","content":"it\'s $(rm -rf) `x`"}]}';
  const made = callCurl(detail(hostile), call("openai")) ?? "";
  expect(made).toContain("https://api.openai.com/v1/chat/completions");
  expect(made).toContain("it'\\''s $(rm -rf) `x`");
  expect(callCurl(detail("plain"), call("anthropic"))).toContain('"content": "plain"');
});

test("what is not known is not made up", () => {
  expect(callCurl(detail(null), call("openai"))).toBeNull();
  expect(callCurl(detail("x"), call("somebody"))).toBeNull();
  expect(callCurl(detail('{"parts":[{"type":"blob"}]}'), call("openai"))).toBeNull();
});
