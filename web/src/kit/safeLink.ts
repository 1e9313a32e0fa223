const SAFE = new Set(["http:", "https:", "mailto:"]);

/** The address if a link may lead there (http, https, mailto, absolute), else null. */
export function safeLink(address: string | undefined): string | null {
  if (!address) return null;
  try {
    return SAFE.has(new URL(address).protocol) ? address : null;
  } catch {
    return null; // relative: it would lead into this app, which the text knows nothing of
  }
}
