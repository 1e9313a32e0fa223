import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type TracesSearch = object;

export function tracesSearch(_raw: Raw): TracesSearch {
  return {};
}
