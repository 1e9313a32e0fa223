import { describe, expect, it } from "vitest";
import { messageParts } from "./messageParts";

const parts = (value: unknown) => messageParts(JSON.stringify(value));

describe("messageParts", () => {
  it("reads the stored shape: text, reasoning, a tool's call and its answer", () => {
    expect(
      parts({
        role: "assistant",
        parts: [
          { type: "reasoning", content: "hm" },
          { type: "text", content: "Let me look." },
          { type: "tool_call", id: "c1", name: "search", arguments: { q: "x" } },
          { type: "tool_call_response", id: "c1", response: "found" },
        ],
      }),
    ).toEqual([
      { kind: "reasoning", text: "hm" },
      { kind: "text", text: "Let me look." },
      { kind: "tool_call", id: "c1", name: "search", value: { q: "x" } },
      { kind: "tool_result", id: "c1", value: "found" },
    ]);
  });

  it("reads a message as OpenAI writes it", () => {
    expect(
      parts({
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "search", arguments: '{"q":1}' } }],
      }),
    ).toEqual([{ kind: "tool_call", id: "c1", name: "search", value: { q: 1 } }]);
    expect(parts({ role: "tool", tool_call_id: "c1", content: '{"n": 2}' })).toEqual([
      { kind: "tool_result", id: "c1", value: { n: 2 } },
    ]);
    expect(parts({ role: "user", content: "Hello" })).toEqual([{ kind: "text", text: "Hello" }]);
  });

  it("reads Anthropic's blocks", () => {
    expect(
      parts({
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "21 °C" }] },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
        ],
      }),
    ).toEqual([
      { kind: "tool_result", id: "t1", value: "21 °C" },
      { kind: "reference", media: "image/png", name: "", size: 3 },
    ]);
  });

  it("never shows the data of an image, only what and how much it is", () => {
    expect(
      parts({
        role: "user",
        content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }],
      }),
    ).toEqual([{ kind: "reference", media: "image/png", name: "", size: 19 }]);
  });

  it("shows what it does not know as it is, and text that is no JSON as text", () => {
    expect(parts({ role: "user", parts: [{ type: "hologram", x: 1 }] })).toEqual([
      { kind: "other", value: { type: "hologram", x: 1 } },
    ]);
    expect(messageParts("{broken")).toEqual([{ kind: "text", text: "{broken" }]);
    expect(messageParts("Hello")).toEqual([{ kind: "text", text: "Hello" }]);
    expect(parts({ answer: 42 })).toEqual([{ kind: "other", value: { answer: 42 } }]);
  });
});
