/** Asks for sessions, a page at a time. */

import { infiniteQueryOptions } from "@tanstack/react-query";
import { type Answer, type ApiProblem, address, ask } from "@/api/client";
import { boundMs } from "@/shell/ranges";
import type { Asked } from "@/shell/search";

type Listed = Answer<"/api/v1/sessions">;
type PageOf = Listed & { since: string };

interface Next {
  since: string;
  cursor: string;
}

const LIMIT = 100;

export function sessionsFound(asked: Asked) {
  return infiniteQueryOptions<PageOf, ApiProblem, { pages: PageOf[] }, readonly unknown[], Next | undefined>({
    queryKey: ["/api/v1/sessions", asked],
    initialPageParam: undefined,
    queryFn: async ({ pageParam, signal }) => {
      // A page is only followed by another of the same times, and "7d ago" is another one each second.
      const since = pageParam?.since ?? fixed(asked.since);
      const query = { ...asked, since, limit: LIMIT, cursor: pageParam?.cursor };
      return { since, ...(await ask<Listed>(address("/api/v1/sessions", {}, query), { signal })) };
    },
    getNextPageParam: (last) => (last.next ? { since: last.since, cursor: last.next } : undefined),
  });
}

/** What the server cannot read it says itself. */
function fixed(since: string): string {
  const ms = boundMs(since, Date.now());
  return ms === null ? since : new Date(ms).toISOString();
}
