/** Questions to the server as React asks them: cached, cancelled when nobody waits, refreshed when looked at. */

import {
  keepPreviousData,
  QueryCache,
  QueryClient,
  type UseQueryResult,
  useQuery,
} from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { usePreferences } from "@/shell/preferences";
import { againIn, away } from "./again";
import { type Answer, ApiProblem, address, ask, type Params, type Query, type Readable } from "./client";
import { keepingFault, unanswered } from "./unanswered";

export const SESSION = "/api/v1/session";

/** A key that was good when the page was opened may be revoked: whoever is asked for one next is asked by the shell. */
function refused(error: unknown): void {
  if (error instanceof ApiProblem && error.status === 401) {
    queries.invalidateQueries({ queryKey: [SESSION] });
  }
}

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onSuccess: (_, query) => unanswered.delete(query.queryHash),
    onError: (error, query) => {
      if (away(error)) unanswered.set(query.queryHash, error as ApiProblem);
      if (query.queryKey[0] !== SESSION) refused(error);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 20_000,
      retry: (failures, error) => failures < 1 && away(error),
      refetchInterval: (query) => againIn(query.state.error, false),
      refetchOnWindowFocus: true,
    },
  },
});

/** A question by its address, which is what its answer is kept under. */
export function question<A>(url: string) {
  return {
    queryKey: [url],
    queryFn: ({ signal }: { signal: AbortSignal }) => ask<A>(url, { signal }),
  };
}

interface Asking<A> {
  /** Ask again each minute, while the page can be seen and live refresh is on. */
  live?: boolean;
  /** Whether there is nothing in an answer: then a live page asks within seconds. */
  empty?: (answer: A) => boolean;
  enabled?: boolean;
  /** Show the former answer while the next one comes; off where another subject's would be wrong. */
  keep?: boolean;
}

/**
 * What `GET path` answers, e.g.
 * `useApi("/api/v1/calls/{call_id}", { params: { call_id } })` or `useApi("/api/v1/usage", { query: { by: "day" } })`.
 */
export function useApi<P extends Readable>(
  path: P,
  asked: { params?: Params; query?: Partial<Query<P>> & Record<string, unknown> } = {},
  { live = false, empty, enabled = true, keep = true }: Asking<Answer<P>> = {},
): UseQueryResult<Answer<P>, ApiProblem> {
  const refresh = usePreferences().refresh === "on";
  const url = address(path, asked.params, asked.query);
  const result = useQuery<Answer<P>, ApiProblem>({
    ...question<Answer<P>>(url),
    refetchInterval: ({ state }) =>
      againIn(state.error, live && refresh, state.data !== undefined && empty?.(state.data)),
    refetchIntervalInBackground: false,
    enabled,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
  return keepingFault(result, [url]);
}

/** Whether what the page shows cannot be asked again now, because the server gives no answer. */
export function useAway(): boolean {
  return useSyncExternalStore(followed, () =>
    held.getAll().some((query) => query.getObserversCount() > 0 && away(query.state.error)),
  );
}

const held = queries.getQueryCache();
const followed = (changed: () => void) => held.subscribe(changed);
