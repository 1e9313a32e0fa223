/** Answers that were asked for before the app was there: see `first.ts`. */

/** So long an answer that nobody has taken is worth as much as a new one. */
const WORTH_MS = 10_000;

const begun = new Map<string, Promise<Response | undefined>>();

/** Asks once `may` says so. Whoever asks this next gets the answer, or has to ask: then it is `undefined`. */
export function askEarly(url: string, may: Promise<boolean>): Promise<Response | undefined> {
  const asked = may.then((yes) => (yes ? fetch(url, { credentials: "same-origin" }) : undefined));
  const settled = asked.catch(() => undefined);
  begun.set(url, settled);
  setTimeout(() => begun.delete(url), WORTH_MS);
  return settled;
}

/** What was asked for early, to one taker: a second question is about another moment. */
export function takeEarly(url: string): Promise<Response | undefined> | undefined {
  const asked = begun.get(url);
  begun.delete(url);
  return asked;
}
