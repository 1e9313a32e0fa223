/** Questions that had no answer when they were last asked. */

import { hashKey } from "@tanstack/react-query";
import type { ApiProblem } from "./client";

export const unanswered = new Map<string, ApiProblem>();

/**
 * The same result, which keeps saying that there was no answer while it is asked again: else the page would turn
 * from the fault to a skeleton and back every few seconds.
 */
export function keepingFault<R extends { status: string }>(result: R, key: readonly unknown[]): R {
  const fault = result.status === "pending" ? unanswered.get(hashKey(key)) : undefined;
  return fault ? Object.create(result, { error: { value: fault } }) : result;
}
