/** Questions asked before their page is there: while its link is pointed at, or its code is on the way. */

import { address, type Query, type Readable } from "@/api/client";
import { queries, question, SESSION } from "@/api/queries";
import { isSignedOut, type Session } from "./session";

/** Asks what `useApi(path, { query })` will ask. Nobody waits for it; a fault is told by the page, which asks again. */
export function askAhead<P extends Readable>(
  path: P,
  query: Partial<Query<P>> & Record<string, unknown> = {},
): void {
  ahead(() => queries.prefetchQuery(question(address(path, {}, query))));
}

/** Asks, where it is known that this browser may: without a key it asks for nothing but that. */
export function ahead(ask: () => Promise<void>): void {
  const session = queries.getQueryData<Session>([SESSION]);
  if (session !== undefined && !isSignedOut(session)) void ask();
}
