import { one, present, type Raw } from "@/shell/search";

/** What the address of this page may say. */
export interface BudgetsSearch {
  /** The budget that is looked at, by its id. */
  budget?: string;
}

export function budgetsSearch(raw: Raw): BudgetsSearch {
  return present({ budget: one(raw.budget) });
}
