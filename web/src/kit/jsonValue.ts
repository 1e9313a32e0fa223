/** A number that JavaScript cannot hold exactly, as it was written. */
export class WrittenNumber {
  constructor(readonly text: string) {}
}

export type Json = null | boolean | number | string | WrittenNumber | Json[] | { [key: string]: Json };

/** JSON text as a value, numbers that would lose digits kept as written; undefined if it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    // The third argument (its source text) is in browsers since 2024 and not in TypeScript's types yet.
    return JSON.parse(text, exact as (this: unknown, key: string, value: unknown) => unknown) as Json;
  } catch {
    return undefined;
  }
}

function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return sameNumber(value, context.source) ? value : new WrittenNumber(context.source);
}

function sameNumber(value: number, source: string): boolean {
  if (Number.isSafeInteger(value)) return true;
  return Number.isFinite(value) && significant(String(value)) === significant(source);
}

/** The digits of a number, without point, exponent and zeros at the ends. */
function significant(text: string): string {
  return text
    .replace(/e.*$/i, "")
    .replace(/[-.]/g, "")
    .replace(/^0+|0+$/g, "");
}

/** The value as JSON text again, with `indent` spaces; written numbers as they were written. */
export function writeJson(value: Json, indent = 2, depth = 0): string {
  if (value instanceof WrittenNumber) return value.text;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const items = Array.isArray(value)
    ? value.map((item) => writeJson(item, indent, depth + 1))
    : Object.entries(value).map(
        ([key, item]) => `${JSON.stringify(key)}: ${writeJson(item, indent, depth + 1)}`,
      );
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  const inner = `\n${" ".repeat(indent * (depth + 1))}`;
  return `${open}${inner}${items.join(`,${inner}`)}\n${" ".repeat(indent * depth)}${close}`;
}
