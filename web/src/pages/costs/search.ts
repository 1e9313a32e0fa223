import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type CostsSearch = object;

export function costsSearch(_raw: Raw): CostsSearch {
  return {};
}
