/**
 * The parts of a message, whatever shape its library gave it.
 *
 * The server stores the shape of OpenTelemetry's GenAI conventions (`{role, parts: [{type, content}]}`), or
 * the library's own JSON where it is already one message; this reads both, and OpenAI's and Anthropic's
 * blocks within. What is none of them is shown as the JSON it is: nothing is dropped.
 */
import { type Json, parseJson, WrittenNumber, writeJson } from "./jsonValue";

export type Part =
  | { kind: "text"; text: string }
  | { kind: "reasoning"; text: string }
  | { kind: "tool_call"; id: string | null; name: string; value: Json }
  | { kind: "tool_result"; id: string | null; value: Json }
  | { kind: "reference"; media: string; name: string; size: number | null }
  | { kind: "other"; value: Json };

type Fields = { [key: string]: Json };

/** The parts of a message's stored content: JSON text of a message, or any text. */
export function messageParts(content: string): Part[] {
  if (!/^\s*[[{"]/.test(content)) return [{ kind: "text", text: content }];
  const value = parseJson(content);
  if (value === undefined) return [{ kind: "text", text: content }];
  const fields = fieldsOf(value);
  if (fields === null) return blocks(value);
  if (Array.isArray(fields.parts)) return fields.parts.flatMap(block);
  const calls = Array.isArray(fields.tool_calls) ? fields.tool_calls.flatMap(block) : [];
  if ("content" in fields && ("role" in fields || calls.length > 0 || Object.keys(fields).length <= 2)) {
    const said = blocks(fields.content ?? null);
    const answers = textOf(fields.tool_call_id ?? fields.call_id);
    const parts: Part[] =
      answers === null ? said : [{ kind: "tool_result", id: answers, value: simple(fields.content ?? null) }];
    return [...reasoning(fields), ...parts, ...calls];
  }
  return calls.length > 0 ? calls : block(value);
}

/** A tool's value as text: strings as they are, the rest as JSON. */
export function valueText(value: Json): string {
  return typeof value === "string" ? value : writeJson(value);
}

function blocks(value: Json): Part[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap(block);
  return block(value);
}

function block(value: Json): Part[] {
  if (typeof value === "string") return value === "" ? [] : [{ kind: "text", text: value }];
  const fields = fieldsOf(value);
  if (fields === null) return [{ kind: "other", value }];
  const read = READERS[textOf(fields.type) ?? ""];
  const part = read?.(fields) ?? byFields(fields);
  return [part ?? { kind: "other", value }];
}

type Reader = (fields: Fields) => Part | null;

const text: Reader = (fields) => {
  const said = textOf(fields.content ?? fields.text);
  return said === null ? null : { kind: "text", text: said };
};

const thought: Reader = (fields) => {
  const said = textOf(fields.content ?? fields.thinking ?? fields.text ?? fields.reasoning);
  return said === null ? null : { kind: "reasoning", text: said };
};

const toolCall: Reader = (fields) => {
  const named = fieldsOf(fields.function) ?? fields;
  const name = textOf(named.name);
  if (name === null) return null;
  const given = named.arguments ?? named.args ?? named.input ?? null;
  return { kind: "tool_call", id: idOf(fields), name, value: simple(given) };
};

const toolResult: Reader = (fields) => ({
  kind: "tool_result",
  id: idOf(fields),
  value: simple(fields.response ?? fields.result ?? fields.output ?? fields.content ?? null),
});

const reference: Reader = (fields) => {
  const source = fieldsOf(fields.source) ?? fieldsOf(fields.image_url) ?? fieldsOf(fields.file) ?? fields;
  const address = textOf(
    source.uri ?? source.url ?? source.file_id ?? source.filename ?? fields.image_url ?? fields.name,
  );
  const data = textOf(source.data ?? source.content ?? source.file_data);
  const media = textOf(source.mime_type ?? source.media_type ?? fields.modality ?? fields.type) ?? "file";
  const inline = address?.startsWith("data:") ? address : null;
  return {
    kind: "reference",
    media: inline?.slice(5).split(/[;,]/)[0] || media,
    name: inline ? "" : (address ?? ""),
    // Base64 holds three bytes in four characters.
    size: (data ?? inline) === null ? null : Math.floor(((data ?? inline ?? "").length * 3) / 4),
  };
};

const READERS: Record<string, Reader> = {
  text,
  input_text: text,
  output_text: text,
  refusal: (fields) => text({ content: fields.refusal ?? fields.content ?? null }),
  reasoning: thought,
  thinking: thought,
  tool_call: toolCall,
  tool_use: toolCall,
  function: toolCall,
  function_call: toolCall,
  tool_call_response: toolResult,
  tool_result: toolResult,
  function_call_output: toolResult,
  blob: reference,
  uri: reference,
  file: reference,
  image: reference,
  image_url: reference,
  input_image: reference,
  input_audio: reference,
  document: reference,
};

/** Blocks without a `type`: Gemini's, Bedrock's. */
function byFields(fields: Fields): Part | null {
  if (typeof fields.text === "string" && Object.keys(fields).length <= 2) {
    return fields.thought === true
      ? { kind: "reasoning", text: fields.text }
      : { kind: "text", text: fields.text };
  }
  const call = fieldsOf(fields.functionCall) ?? fieldsOf(fields.function_call) ?? fieldsOf(fields.toolUse);
  if (call) return toolCall(call);
  const result =
    fieldsOf(fields.functionResponse) ?? fieldsOf(fields.function_response) ?? fieldsOf(fields.toolResult);
  return result ? toolResult(result) : null;
}

function reasoning(fields: Fields): Part[] {
  const said = textOf(fields.reasoning_content ?? fields.reasoning);
  return said ? [{ kind: "reasoning", text: said }] : [];
}

/** JSON text of an object or a list as what it says; blocks of one text as that text. */
function simple(value: Json): Json {
  const fields = fieldsOf(value);
  // Vercel's AI SDK: {type: "text" | "json", value}.
  if (fields && "value" in fields && "type" in fields && Object.keys(fields).length === 2) {
    return simple(fields.value ?? null);
  }
  if (typeof value === "string" && /^\s*[[{]/.test(value)) return parseJson(value) ?? value;
  if (Array.isArray(value)) {
    const parts = value.flatMap(block);
    const texts = parts.map((part) => (part.kind === "text" ? part.text : null));
    if (texts.length > 0 && texts.every((said) => said !== null) && value.every(fieldsOf)) {
      return texts.join("\n");
    }
  }
  return value;
}

function idOf(fields: Fields): string | null {
  return textOf(fields.id ?? fields.call_id ?? fields.tool_call_id ?? fields.tool_use_id ?? fields.toolUseId);
}

function fieldsOf(value: Json | undefined): Fields | null {
  const plain = typeof value === "object" && value !== null && !Array.isArray(value);
  return plain && !(value instanceof WrittenNumber) ? value : null;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
