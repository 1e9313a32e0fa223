import { one, oneOf, present, type Raw } from "@/shell/asked";

export const VIEWS = ["agents", "flows", "trouble"] as const;
export type View = (typeof VIEWS)[number];

export const MEASURES = ["cost", "calls", "tokens", "failed"] as const;
export type Measure = (typeof MEASURES)[number];

/** What the address of this page may say. */
export interface AgentsSearch {
  view?: View;
  /** What the chart shows. */
  measure?: Measure;
  /** The flow type that is looked at; '' is none. */
  flow?: string;
  sort?: string;
}

export function agentsSearch(raw: Raw): AgentsSearch {
  return present({
    view: oneOf(raw.view, ...VIEWS),
    measure: oneOf(raw.measure, ...MEASURES),
    flow: typeof raw.flow === "string" ? raw.flow : undefined,
    sort: one(raw.sort),
  });
}
