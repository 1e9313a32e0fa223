import type { Raw } from "@/shell/search";

/** What the address of this page may say beside time and tenants: nothing. */
export type SessionsSearch = Record<never, never>;

export function sessionsSearch(_raw: Raw): SessionsSearch {
  return {};
}
