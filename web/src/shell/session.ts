/** Who asks: what this browser's key may do, on which server. */

import { useQuery } from "@tanstack/react-query";
import { ApiProblem, ask, type Schemas, send } from "@/api/client";
import { queries, SESSION } from "@/api/queries";

export type Session = Schemas["Session"];

export interface SessionState {
  data: Session | undefined;
  /** The server wants a key and has none from this browser. */
  signedOut: boolean;
}

export function useSession(): SessionState {
  const { data, error } = useQuery<Session, ApiProblem>({
    queryKey: [SESSION],
    queryFn: ({ signal }) => ask<Session>(SESSION, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const refused = error instanceof ApiProblem && error.status === 401;
  return { data, signedOut: refused || (data !== undefined && isSignedOut(data)) };
}

/** The server wants a key and was told none that is one. */
export function isSignedOut({ keyed, role }: Session): boolean {
  return keyed && role === null;
}

/** Whether this browser's key may change what needs `admin`. */
export function useMayChange(): boolean {
  return useSession().data?.role === "admin";
}

/** Throws `ApiProblem` for a key that is none. */
export async function signIn(key: string): Promise<void> {
  await send("POST", SESSION, { key });
  await queries.resetQueries();
}

export async function signOut(): Promise<void> {
  await send("DELETE", SESSION);
  await queries.resetQueries();
}
