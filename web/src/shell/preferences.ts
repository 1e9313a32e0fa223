/** What a reader chose for this browser: kept in localStorage, applied to the document. */

import { useSyncExternalStore } from "react";
import type { Zone } from "@/format/times";

export interface Preferences {
  theme: "system" | "light" | "dark";
  zone: Zone;
  density: "dense" | "roomy";
  refresh: "on" | "off";
  /** Whether the note that these are demo data was closed. */
  demoNoted: boolean;
}

const KEY = "watchglass";
const DEFAULTS: Preferences = {
  theme: "system",
  zone: "local",
  density: "dense",
  refresh: "on",
  demoNoted: false,
};
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let held: Preferences = read();

/** The preferences, as they are now and whenever they change. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => held);
}

export function setPreferences(change: Partial<Preferences>): void {
  held = { ...held, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(held));
  } catch {
    // A browser that keeps nothing: the choice holds until the page is closed.
  }
  applyPreferences();
  for (const listener of listeners) listener();
}

/** Puts theme and density on the document; tokens.css does the rest. */
export function applyPreferences(): void {
  document.documentElement.dataset.theme = shownTheme();
  document.documentElement.dataset.density = held.density;
}

export function shownTheme(): "light" | "dark" {
  if (held.theme !== "system") return held.theme;
  return dark.matches ? "dark" : "light";
}

function read(): Preferences {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { ...DEFAULTS, ...(typeof kept === "object" ? kept : {}) };
  } catch {
    return DEFAULTS;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

dark.addEventListener("change", () => {
  applyPreferences();
  for (const listener of listeners) listener();
});
