/** Keys: a page registers what it understands while it is shown, and the help lists what is registered. */

import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { carried } from "./links";
import { PLACES } from "./places";

export interface Shortcut {
  /** As `KeyboardEvent.key` has it: `j`, `/`, `Enter`, ` `; or two after each other: `g t`. */
  keys: string;
  meaning: string;
  run: () => void;
}

let registered: readonly Shortcut[] = [];
const listeners = new Set<() => void>();
/** The first key of two, and when it was pressed. */
let begun = { key: "", at: 0 };
const PAUSE_MS = 1200;

/** Understands these keys while the component is there. Later ones win over earlier ones. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const names = shortcuts.map((each) => `${each.keys}\n${each.meaning}`).join("\n\n");
  useEffect(() => {
    const mine = names
      .split("\n\n")
      .filter(Boolean)
      .map((name, index): Shortcut => {
        const [keys = "", meaning = ""] = name.split("\n");
        return { keys, meaning, run: () => latest.current[index]?.run() };
      });
    change([...registered, ...mine]);
    return () => change(registered.filter((each) => !mine.includes(each)));
  }, [names]);
}

/** What can be pressed now. */
export function useRegistered(): readonly Shortcut[] {
  return useSyncExternalStore(subscribe, () => registered);
}

/** The keys that work everywhere, and the one listener for all keys. */
export function useGlobalShortcuts({ palette, help }: { palette: () => void; help: () => void }): void {
  const navigate = useNavigate();
  useShortcuts([
    { keys: "?", meaning: "Show these keys", run: help },
    ...PLACES.map(({ to, label, key }) => ({
      keys: `g ${key}`,
      meaning: `Go to ${label}`,
      run: () => void navigate({ to, search: carried } as never),
    })),
  ]);
  const open = useRef(palette);
  open.current = palette;
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open.current();
      } else if (!event.metaKey && !event.ctrlKey && !event.altKey && !inField(event)) {
        if (pressed(event.key)) event.preventDefault();
      }
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

function pressed(key: string): boolean {
  const now = performance.now();
  const two = now - begun.at < PAUSE_MS ? `${begun.key} ${key}` : "";
  const found =
    registered.findLast((each) => each.keys === two) ?? registered.findLast((each) => each.keys === key);
  begun = found ? { key: "", at: 0 } : { key, at: now };
  found?.run();
  return found !== undefined;
}

/** Typing is not pressing a shortcut; nor is what a dialog or a control understands by itself. */
function inField(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return /^(BUTTON|A|SUMMARY)$/.test(target.tagName) && (event.key === "Enter" || event.key === " ");
}

function change(next: readonly Shortcut[]): void {
  registered = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
