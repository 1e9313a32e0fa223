/** What a page writes into the address by itself, a moment after somebody did something. */

import { useEffect, useRef, useState } from "react";

/**
 * What was written, from what the address says now on; `null` where that was never written, so that somebody else
 * changed it. A browser that is busy lags behind: its address says one thing while the next is already on its way.
 */
export function sinceWritten<T>(
  written: readonly T[],
  said: T,
  same: (one: T, other: T) => boolean = Object.is,
): readonly T[] | null {
  const found = written.findLastIndex((each) => same(each, said));
  return found === -1 ? null : written.slice(found);
}

/**
 * The words of a field: written into the address when no key was pressed for a while, and taken from there when somebody
 * went back, or took them away.
 */
export function useTyped(
  said: string,
  write: (words: string) => void,
  pauseMs: number,
): [string, (words: string) => void] {
  const [typed, setTyped] = useState(said);
  const written = useRef<readonly string[]>([said]);
  const latest = useRef(write);
  latest.current = write;
  useEffect(() => {
    const later = sinceWritten(written.current, said);
    written.current = later ?? [said];
    if (!later) setTyped(said);
  }, [said]);
  useEffect(() => {
    const words = typed.trim();
    if (words === written.current.at(-1)) return;
    const timer = setTimeout(() => {
      written.current = [...written.current, words];
      latest.current(words);
    }, pauseMs);
    return () => clearTimeout(timer);
  }, [typed, pauseMs]);
  return [typed, setTyped];
}
