import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type OverviewSearch = object;

export function overviewSearch(_raw: Raw): OverviewSearch {
  return {};
}
