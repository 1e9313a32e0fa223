import { askedOf, one, oneOf, present, type Raw, type RootSearch } from "@/shell/asked";
import { FILTERS, type Filters, readFilters } from "./filters";

/** What costs can be told apart by, as the page offers it; the first ones first. */
export const DIMENSIONS = ["model", "tenant", "feature", "agent", ...FILTERS.slice(4), "provider"] as const;

export const BUCKETS = ["minute", "5 minutes", "hour", "3 hours", "day", "week", "4 weeks"] as const;

/** What the address of this page may say. */
export interface CostsSearch extends Filters {
  /** One or two dimensions, with a comma. */
  by?: string;
  bucket?: (typeof BUCKETS)[number];
  /** The order of the table. */
  sort?: string;
}

export function costsSearch(raw: Raw): CostsSearch {
  return present({
    ...readFilters(raw),
    by: one(raw.by),
    bucket: oneOf(raw.bucket, ...BUCKETS),
    sort: one(raw.sort),
  }) as CostsSearch;
}

/** What the page asks with. */
export function costsAsked(search: CostsSearch & RootSearch) {
  return {
    ...askedOf(search),
    ...readFilters({ ...search }),
    by: readBy(search.by)
      .filter((name) => name !== undefined)
      .join(","),
    ...(search.bucket ? { bucket: search.bucket } : {}),
  };
}

/** The dimensions that an address names: one or two. */
export function readBy(text: string | undefined): [string, string | undefined] {
  const [first, second] = (text ?? "").split(",").filter(Boolean);
  return [first ?? "model", second === first ? undefined : second];
}

/** Where one looks next after a group was chosen: by the first dimension that is not narrowed to one value. */
export function nextBy(by: readonly string[], narrowed: readonly string[]): string {
  const left = by.filter((name) => !narrowed.includes(name));
  if (left.length) return left.join(",");
  const order = ["tenant", "feature", "agent", "model", "provider", "session"];
  return order.find((name) => !narrowed.includes(name)) ?? by[0] ?? "model";
}
