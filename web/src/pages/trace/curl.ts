/** Requests as commands to paste: this trace from this server, and a call's request to its provider anew. */

import type { Schemas } from "@/api/client";
import { shellWord } from "@/format/shell";

type Detail = Schemas["SpanDetail"];
type Call = Schemas["SpanCall"];

/** Reads this trace from this server. */
export function traceCurl(origin: string, traceId: string, isKeyed: boolean): string {
  const key = isKeyed ? ` \\\n  -H "Authorization: Bearer $WATCHGLASS_KEY"` : "";
  return `curl -s ${shellWord(`${origin}/api/v1/traces/${traceId}`)}${key}\n`;
}

/**
 * Sends a call's request to its provider again, as far as it is known: the messages that were recorded, the
 * model. What was not recorded (tools' definitions, parameters) is not there. Null where nobody knows how.
 */
export function callCurl(detail: Detail, call: Call): string | null {
  const model = call.request_model ?? call.response_model;
  const messages = call.input.map((hash) => plainMessage(detail.messages[hash]));
  if (!model || messages.length === 0 || messages.some((each) => each === null)) return null;
  const said = messages.filter((each) => each !== null);
  const stream = call.streaming ? { stream: true } : {};
  if (call.provider === "anthropic") {
    const system = said.filter((each) => each.role === "system").map((each) => each.content);
    const body = {
      model,
      max_tokens: 4096,
      ...(system.length ? { system: system.join("\n\n") } : {}),
      messages: said.filter((each) => each.role !== "system"),
      ...stream,
    };
    return command(
      "https://api.anthropic.com/v1/messages",
      ["x-api-key: $ANTHROPIC_API_KEY", "anthropic-version: 2023-06-01"],
      body,
    );
  }
  const place = PLACES[call.provider ?? ""];
  if (!place) return null;
  return command(place.url, [`Authorization: Bearer $${place.key}`], { model, messages: said, ...stream });
}

/** Where providers take OpenAI's chat completions, by their own documentation. */
const PLACES: Record<string, { url: string; key: string }> = {
  openai: { url: "https://api.openai.com/v1/chat/completions", key: "OPENAI_API_KEY" },
  mistral: { url: "https://api.mistral.ai/v1/chat/completions", key: "MISTRAL_API_KEY" },
  mistral_ai: { url: "https://api.mistral.ai/v1/chat/completions", key: "MISTRAL_API_KEY" },
  groq: { url: "https://api.groq.com/openai/v1/chat/completions", key: "GROQ_API_KEY" },
  deepseek: { url: "https://api.deepseek.com/chat/completions", key: "DEEPSEEK_API_KEY" },
  openrouter: { url: "https://openrouter.ai/api/v1/chat/completions", key: "OPENROUTER_API_KEY" },
  google: {
    url: "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    key: "GEMINI_API_KEY",
  },
};

function command(url: string, headers: readonly string[], body: unknown): string {
  const lines = headers.map((each) => `  -H "${each}" \\\n`).join("");
  return `curl ${shellWord(url)} \\\n${lines}  -H "Content-Type: application/json" \\\n  -d ${shellWord(JSON.stringify(body, null, 2))}\n`;
}

function plainMessage(
  message: Detail["messages"][string] | undefined,
): { role: string; content: string } | null {
  if (!message || message.content === null || message.cut) return null;
  const role = message.role ?? "user";
  let value: unknown;
  try {
    value = JSON.parse(message.content);
  } catch {
    return { role, content: message.content };
  }
  if (typeof value === "string") return { role, content: value };
  if (typeof value !== "object" || value === null) return null;
  const { parts, content } = value as { parts?: unknown; content?: unknown };
  if (typeof content === "string") return { role, content };
  if (!Array.isArray(parts)) return null;
  const texts = parts.map((part: { type?: unknown; content?: unknown }) =>
    part?.type === "text" && typeof part.content === "string" ? part.content : null,
  );
  return texts.some((each) => each === null) ? null : { role, content: texts.join("\n") };
}
