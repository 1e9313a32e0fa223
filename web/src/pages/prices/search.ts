import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type PricesSearch = object;

export function pricesSearch(_raw: Raw): PricesSearch {
  return {};
}
