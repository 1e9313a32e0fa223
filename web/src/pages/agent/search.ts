import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type AgentSearch = object;

export function agentSearch(_raw: Raw): AgentSearch {
  return {};
}
