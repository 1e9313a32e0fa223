/** What the address says, and how it is changed, for what is drawn. */

import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Asked, askedOf, present, type Raw, type RootSearch, SINCE } from "./asked";

export * from "./asked";

export interface Range {
  since: string;
  until: string | undefined;
}

/** The time asked about. */
export function useRange(): Range {
  const { since, until } = useSearch({ strict: false }) as RootSearch;
  return { since: since ?? SINCE, until };
}

/** The same, of this page. */
export function useAsked(): Asked {
  return askedOf(useSearch({ strict: false }) as RootSearch);
}

/** Changes what the address says, here on this page; undefined takes a name out. */
export function useSetSearch(): (change: Raw, how?: { replace?: boolean }) => void {
  const navigate = useNavigate();
  return (change, { replace = false } = {}) => {
    void navigate({ to: ".", search: (before: Raw) => present({ ...before, ...change }), replace } as never);
  };
}
