import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type SessionsSearch = object;

export function sessionsSearch(_raw: Raw): SessionsSearch {
  return {};
}
