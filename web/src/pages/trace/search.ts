import { one, oneOf, present, type Raw } from "@/shell/search";

export const TABS = ["conversation", "attributes", "events", "cost", "raw"] as const;
export type TabId = (typeof TABS)[number];

/** What the address of this page may say. */
export interface TraceSearch {
  /** The span that is looked at. */
  span?: string;
  tab?: TabId;
  /** Only spans with this text, and what is above them. */
  find?: string;
  /** `critical`: only what the trace waited for; `errors`: only what failed; `calls`: only calls of models. */
  only?: "critical" | "errors" | "calls";
}

export function traceSearch(raw: Raw): TraceSearch {
  return present({
    span: one(raw.span),
    tab: oneOf(raw.tab, ...TABS),
    find: one(raw.find),
    only: oneOf(raw.only, "critical", "errors", "calls"),
  }) as TraceSearch;
}
