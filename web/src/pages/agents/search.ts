import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type AgentsSearch = object;

export function agentsSearch(_raw: Raw): AgentsSearch {
  return {};
}
