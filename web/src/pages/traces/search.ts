import { askedOf, many, one, oneOf, present, type Raw, type RootSearch } from "@/shell/asked";

/** Filters that take several values, as the API names them; those of `FACETS` stand at the side with counts. */
export const FACETS = [
  "status",
  "tenant",
  "feature",
  "agent",
  "provider",
  "model",
  "service",
  "environment",
] as const;
export const NAMED = [
  "session",
  "user",
  "flow",
  "task",
  "error_type",
  "operation",
  "engagement",
  "unpriced_reason",
] as const;
export const AMOUNTS = ["min_cost_usd", "max_cost_usd", "min_duration_ms", "max_duration_ms"] as const;

export type Facet = (typeof FACETS)[number];
export type Named = (typeof NAMED)[number];
export type Amount = (typeof AMOUNTS)[number];

/** What the address of this page may say. */
export type TracesSearch = { [name in Exclude<Facet, "status" | "tenant"> | Named]?: string[] } & {
  [name in Amount]?: string;
} & {
  status?: "ok" | "failed";
  /** In messages, names of spans, errors and ids. */
  text?: string;
  live?: "on";
};

export function tracesSearch(raw: Raw): TracesSearch {
  const found: Record<string, unknown> = {
    text: one(raw.text),
    status: oneOf(raw.status, "ok", "failed"),
    live: oneOf(raw.live, "on"),
  };
  for (const name of [...FACETS, ...NAMED]) {
    if (name !== "status" && name !== "tenant") found[name] = many(raw[name]);
  }
  for (const name of AMOUNTS) found[name] = amount(one(raw[name]));
  return present(found) as TracesSearch;
}

/** What the page asks with: all of its filters, in an order of their own. */
export function tracesAsked(search: TracesSearch & RootSearch): Raw {
  return { ...tracesSearch({ ...search }), live: undefined, ...askedOf(search) };
}

function amount(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{1,12}(\.\d{1,18})?$/.test(text) ? text : undefined;
}

export interface Token {
  name: string;
  value: string;
  label: string;
  /** The search without it. */
  without: Raw;
}

const WORDS: Record<string, string> = {
  text: "text",
  min_cost_usd: "cost ≥ $",
  max_cost_usd: "cost ≤ $",
  min_duration_ms: "duration ≥ ",
  max_duration_ms: "duration ≤ ",
};

/** Every filter of the address as something that can be taken away again. */
export function tokensOf(search: Raw): Token[] {
  const found: Token[] = [];
  for (const name of [...FACETS, ...NAMED]) {
    const values = many(search[name]) ?? [];
    for (const value of values) {
      const left = values.filter((each) => each !== value);
      found.push({
        name,
        value,
        label: `${name.replace("_", " ")}: ${value || "unknown"}`,
        without: { [name]: left.length ? left : undefined },
      });
    }
  }
  for (const name of AMOUNTS) {
    const value = one(search[name]);
    if (value === undefined) continue;
    const shown = name.endsWith("_ms") ? seconds(value) : value;
    found.push({ name, value, label: `${WORDS[name]}${shown}`, without: { [name]: undefined } });
  }
  return found;
}

/** Milliseconds as text, in seconds: exact, for it is only its point that moves. */
export function seconds(ms: string): string {
  return `${Number(ms) / 1000} s`;
}

/** The search without any filter; time stays. */
export function cleared(): Raw {
  return Object.fromEntries(["text", ...FACETS, ...NAMED, ...AMOUNTS].map((name) => [name, undefined]));
}
