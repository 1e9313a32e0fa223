/** What a link to another page takes along: whose data, from when to when. */

import { useSearch } from "@tanstack/react-router";
import { many, one, present, type Raw, type RootSearch, stringifySearch } from "./search";

export function carried(before: Raw): RootSearch {
  return present({ since: one(before.since), until: one(before.until), tenant: many(before.tenant) });
}

/** Addresses of other pages, for tables and lists: `href("/traces", { agent })` takes time and tenants along. */
export function useHref(): (path: string, more?: Raw) => string {
  const search = useSearch({ strict: false }) as Raw;
  return (path, more = {}) => path + stringifySearch(present({ ...carried(search), ...more }));
}
