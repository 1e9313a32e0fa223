/** Answers that were asked for before the app was there: see `first.ts`. */

const begun = new Map<string, Promise<Response | undefined>>();

/** Asks once `may` says so. Whoever asks this next gets the answer, or has to ask: then it is `undefined`. */
export function askEarly(url: string, may: Promise<boolean>): Promise<Response | undefined> {
  const asked = may.then((yes) => (yes ? fetch(url, { credentials: "same-origin" }) : undefined));
  const settled = asked.catch(() => undefined);
  begun.set(url, settled);
  return settled;
}

/** What was asked for early, to one taker: a second question is about another moment. */
export function takeEarly(url: string): Promise<Response | undefined> | undefined {
  const asked = begun.get(url);
  begun.delete(url);
  return asked;
}

/** Forgets what nobody has taken. */
export function forgetEarly(): void {
  begun.clear();
}
