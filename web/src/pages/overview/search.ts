import { type Filters, readFilters } from "@/pages/costs/filters";
import { askedOf, oneOf, present, type Raw, type RootSearch } from "@/shell/asked";

export const VIEWS = ["engineering", "team", "executive"] as const;
export type View = (typeof VIEWS)[number];

export const CHARTS = ["spend", "calls", "errors", "duration"] as const;
export type Chart = (typeof CHARTS)[number];

export const CHANGED_BY = ["model", "feature", "tenant", "agent"] as const;
export type ChangedBy = (typeof CHANGED_BY)[number];

export const CHANGED = ["spend", "errors"] as const;
export type Changed = (typeof CHANGED)[number];

/** What the address of this page may say: for whom, what the chart shows, what changed and by what it is told apart. */
export interface OverviewSearch extends Filters {
  view?: View;
  chart?: Chart;
  changed?: Changed;
  by?: ChangedBy;
}

/** What the page asks with. */
export function overviewAsked(search: OverviewSearch & RootSearch) {
  return { ...askedOf(search), ...readFilters({ ...search }) };
}

export function overviewSearch(raw: Raw): OverviewSearch {
  return present({
    ...readFilters(raw),
    view: oneOf(raw.view, ...VIEWS),
    chart: oneOf(raw.chart, ...CHARTS),
    changed: oneOf(raw.changed, ...CHANGED),
    by: oneOf(raw.by, ...CHANGED_BY),
  }) as OverviewSearch;
}
