import { askedOf, one, oneOf, present, type Raw, type RootSearch } from "@/shell/search";

export const VIEWS = ["used", "book", "set", "changes"] as const;
export type View = (typeof VIEWS)[number];

/** What the address of this page may say. */
export interface PricesSearch {
  view?: View;
  /** Looked for in the book: a part of a model's name. */
  find?: string;
  provider?: string;
  source?: string;
  /** The model that is looked at, and who sells it. */
  model?: string;
  of?: string;
  /** Whether it is asked what the calls would have cost at that model's price. */
  whatif?: "yes";
}

/** What the page asks with. */
export function pricesAsked(search: PricesSearch & RootSearch) {
  const { since, until, tenant } = askedOf(search);
  const { provider, source, find } = search;
  return { since, until, tenant: tenant?.[0], provider, source, model: find, limit: 500 };
}

export function pricesSearch(raw: Raw): PricesSearch {
  return present({
    view: oneOf(raw.view, ...VIEWS),
    find: one(raw.find),
    provider: one(raw.provider),
    source: one(raw.source),
    model: one(raw.model),
    of: one(raw.of),
    whatif: oneOf(raw.whatif, "yes"),
  });
}
