import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type TraceSearch = object;

export function traceSearch(_raw: Raw): TraceSearch {
  return {};
}
