/** What a link to another page takes along: whose data, from when to when. */

import { many, one, present, type Raw, type RootSearch } from "./search";

export function carried(before: Raw): RootSearch {
  return present({ since: one(before.since), until: one(before.until), tenant: many(before.tenant) });
}
