import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type SessionSearch = object;

export function sessionSearch(_raw: Raw): SessionSearch {
  return {};
}
