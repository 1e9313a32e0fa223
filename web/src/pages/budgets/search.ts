import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type BudgetsSearch = object;

export function budgetsSearch(_raw: Raw): BudgetsSearch {
  return {};
}
