/** What calls are filtered by in the address of Overview and Costs: a name may stand there several times. */

import { visible } from "@/kit/visibleText";
import { many, present, type Raw } from "@/shell/asked";

export const FILTERS = [
  "model",
  "provider",
  "feature",
  "agent",
  "engagement",
  "environment",
  "service",
  "flow_type",
  "session",
  "user",
] as const;

export type Filter = (typeof FILTERS)[number];
export type Filters = { [name in Filter]?: string[] };

export function readFilters(raw: Raw): Filters {
  return present(Object.fromEntries(FILTERS.map((name) => [name, many(raw[name])]))) as Filters;
}

/** `flow_type` as a person says it. */
export function filterLabel(name: string): string {
  return name.replaceAll("_", " ");
}

/** What a group is called; unknown ones say so. */
export function groupName(name: string | null): string {
  if (name === null) return "unknown";
  return name === "" ? "(empty)" : visible(name);
}

/** How the API writes it: '' stands for unknown. */
export function filterValue(name: string | null): string {
  return name ?? "";
}

export interface Chip {
  name: string;
  value: string;
}

/** What the address filters by, tenants too. */
export function chips(filters: Filters, tenants: readonly string[] = []): Chip[] {
  return [
    ...tenants.map((value) => ({ name: "tenant", value })),
    ...FILTERS.flatMap((name) => (filters[name] ?? []).map((value) => ({ name, value }))),
  ];
}
