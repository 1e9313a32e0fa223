import { useState } from "react";
import { beginning } from "./visibleText";

export interface Growing {
  /** The part that is shown. */
  shown: string;
  /** How many characters are not. */
  left: number;
  more: () => void;
}

/** A long text of which more is shown each time somebody asks, so that no page freezes on one. */
export function useGrowing(text: string, first: number, step: number): Growing {
  const [asked, setAsked] = useState({ text, length: first });
  // Another text begins anew; asking while rendering spares an effect and a second look.
  const length = asked.text === text ? asked.length : first;
  const shown = beginning(text, length);
  return {
    shown,
    left: text.length - shown.length,
    more: () => setAsked({ text, length: length + step }),
  };
}

const KB = 1024;

/** How long a text is, for people: `812 B`, `64 KB`, `4.9 MB`, of characters as they are counted here. */
export function textSize(characters: number): string {
  if (characters < KB) return `${characters} B`;
  if (characters < KB * KB) return `${Math.round(characters / KB)} KB`;
  return `${(characters / KB / KB).toFixed(1)} MB`;
}
