import { one, present, type Raw } from "@/shell/search";

/** What the address of this page may say. */
export interface SessionSearch {
  /** The moment, in seconds since the session's start; its end unless given. */
  at?: string;
  /** Another session, to stand beside this one. */
  with?: string;
}

export function sessionSearch(raw: Raw): SessionSearch {
  const at = one(raw.at);
  return present({ at: at && /^\d+(\.\d+)?$/.test(at) ? at : undefined, with: one(raw.with) });
}
