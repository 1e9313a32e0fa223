/**
 * What every address of the app may say: whose data, from when to when. Written as the API takes it. Needs nothing else
 * of the app: it is read before that is there.
 */

/** What stands behind `?` in the address: text, or several texts of one name. */
export type Raw = Record<string, unknown>;

export interface RootSearch {
  /** `7d`, `12h`, or an ISO time. */
  since?: string;
  until?: string;
  tenant?: string[];
}

/** The time asked about where the address says none. */
export const SINCE = "7d";

export function rootSearch(raw: Raw): RootSearch {
  return present({ since: one(raw.since), until: one(raw.until), tenant: many(raw.tenant) });
}

/** The first text of this name. */
export function one(value: unknown): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" && first !== "" ? first : undefined;
}

/** All texts of this name; '' stands for rows where it is unknown. */
export function many(value: unknown): string[] | undefined {
  const all = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string");
  return all.length ? all : undefined;
}

/** One of a closed list of texts. */
export function oneOf<T extends string>(value: unknown, ...known: readonly T[]): T | undefined {
  return known.find((each) => each === one(value));
}

/** Without what is undefined: it would stand in the address. */
export function present<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

export type Asked = { since: string; until?: string; tenant?: string[] };

/** What a page asks the API with: time and tenants of the address. */
export function askedOf({ since = SINCE, until, tenant }: RootSearch): Asked {
  return present({ since, until, tenant }) as Asked;
}

/** `?a=1&b=2&b=3` as texts, and back: addresses that a person can read and write. */
export function parseSearch(text: string): Raw {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = found[name];
    found[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return found;
}

export function stringifySearch(search: Raw): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) written.append(name, String(each));
    }
  }
  const text = written.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}
