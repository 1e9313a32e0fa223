/** Where in a form a refusal of the server belongs. */

import { ApiProblem } from "@/api/client";

/** The field that a refusal is about, or null: its `where`, a JSON path in its text, or the name it begins with. */
export function fieldOf(error: unknown, names: readonly string[]): string | null {
  if (!(error instanceof ApiProblem)) return null;
  const path = error.message.match(/`\$\.(\w+)/)?.[1];
  const said = [error.where ?? undefined, path].find((each) => each !== undefined && names.includes(each));
  if (said) return said;
  const begins = names
    .map((name) => ({ name, at: error.message.search(new RegExp(`\\b${name}\\b`)) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  return begins?.name ?? null;
}

/** What each field says is wrong: what was found here, and where the server's refusal belongs. */
export function fieldErrors(
  found: Readonly<Record<string, string>>,
  error: unknown,
  names: readonly string[],
): Record<string, string> {
  const field = fieldOf(error, names);
  return field && error instanceof ApiProblem ? { [field]: error.message, ...found } : { ...found };
}
