/** Questions to the server as React asks them: cached, cancelled when nobody waits, refreshed when looked at. */

import { keepPreviousData, QueryClient, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { usePreferences } from "@/shell/preferences";
import { type Answer, ApiProblem, address, ask, type Params, type Query, type Readable } from "./client";

export const REFRESH_MS = 60_000;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 20_000,
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiProblem && [0, 503].includes(error.status),
      refetchOnWindowFocus: true,
    },
  },
});

interface Asking {
  /** Ask again each minute, while the page can be seen and live refresh is on. */
  live?: boolean;
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
  { live = false, enabled = true, keep = true }: Asking = {},
): UseQueryResult<Answer<P>, ApiProblem> {
  const refresh = usePreferences().refresh === "on";
  const url = address(path, asked.params, asked.query);
  return useQuery<Answer<P>, ApiProblem>({
    queryKey: [url],
    queryFn: ({ signal }) => ask<Answer<P>>(url, { signal }),
    refetchInterval: live && refresh ? REFRESH_MS : false,
    refetchIntervalInBackground: false,
    enabled,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
}
