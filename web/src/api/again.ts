/** When a question is asked again. Pure. */

import { ApiProblem } from "./client";

export const REFRESH_MS = 60_000;

/** How soon a server that gives no answer is asked again, by a page that can be seen. */
const AWAY_MS = 5_000;

/** How soon a page that waits for something to come asks again: the first call is to be seen arriving. */
const EMPTY_MS = 3_000;

/** The server is not there, or says that it cannot answer now: it is worth asking again. */
export function away(error: unknown): boolean {
  return error instanceof ApiProblem && [0, 503].includes(error.status);
}

/** When to ask again: soon where there was no answer, or nothing in it, each minute where that is wanted. */
export function againIn(error: unknown, wanted: boolean, nothing = false): number | false {
  return away(error) ? AWAY_MS : wanted && (nothing ? EMPTY_MS : REFRESH_MS);
}
