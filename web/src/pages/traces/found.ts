/** Asks the search: the first page with all counts, further pages with rows only. */

import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  useInfiniteQuery,
} from "@tanstack/react-query";
import { useEffect } from "react";
import { againIn } from "@/api/again";
import { type Answer, type ApiProblem, address, ask } from "@/api/client";
import { queries } from "@/api/queries";
import { keepingFault } from "@/api/unanswered";
import { usePreferences } from "@/shell/preferences";
import type { Raw } from "@/shell/search";

export type Explored = Answer<"/api/v1/explore">;
export type FoundTrace = Explored["rows"][number];

const PAGE = 100;

export function tracesFound(asked: Raw) {
  const key = address("/api/v1/explore", {}, { ...asked, limit: PAGE });
  return infiniteQueryOptions<Explored, ApiProblem, InfiniteData<Explored>, string[], string | null>({
    queryKey: [key],
    queryFn: ({ pageParam, signal }) =>
      ask<Explored>(
        pageParam === null
          ? key
          : address("/api/v1/explore", {}, { ...asked, limit: PAGE, cursor: pageParam, parts: "rows" }),
        { signal },
      ),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
  });
}

export function useFound(asked: Raw, { live }: { live: boolean }) {
  const refresh = usePreferences().refresh === "on";
  const asking = tracesFound(asked);
  const result = useInfiniteQuery({
    ...asking,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => againIn(query.state.error, refresh && !live),
  });
  return keepingFault(result, asking.queryKey);
}

/**
 * While `wanted`, the server says when traces come in, and what is on the page is asked for again: at once, too, for
 * what came in since it was asked for. To be wanted when there is something on the page. A page that nobody sees asks
 * nothing.
 */
export function useArrivals(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    let asking: AbortController | undefined;
    const follow = () => {
      asking?.abort();
      if (document.visibilityState !== "visible") return;
      asking = new AbortController();
      void following(asking.signal);
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      asking?.abort();
    };
  }, [wanted]);
}

const PAUSE_MS = 1500;
const FAULT_MS = 10_000;

async function following(signal: AbortSignal): Promise<void> {
  let after: string | undefined;
  while (!signal.aborted) {
    try {
      const seen = await ask<Answer<"/api/v1/live">>(address("/api/v1/live", {}, { after }), { signal });
      if (seen.cursor !== after) {
        await queries.invalidateQueries({ predicate: ({ queryKey }) => isSearch(queryKey[0]) });
      }
      after = seen.cursor;
      await pause(PAUSE_MS, signal);
    } catch {
      await pause(FAULT_MS, signal); // a server that restarts, or one that has too many to follow
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function isSearch(key: unknown): boolean {
  return typeof key === "string" && key.startsWith("/api/v1/explore");
}
