/** Saved views: addresses with names, kept in this browser. Whoever is sent the address sees the same. */

import { useSyncExternalStore } from "react";

export interface SavedView {
  name: string;
  /** What stands behind the `?`. */
  search: string;
}

const KEY = "watchglass-trace-views";
const MOST = 30;
const BUILT_IN: readonly SavedView[] = [
  { name: "Failed", search: "?status=failed" },
  { name: "Dear: above $0.10", search: "?min_cost_usd=0.1" },
  { name: "Slow: above 60 s", search: "?min_duration_ms=60000" },
];
const listeners = new Set<() => void>();
let held = read();

export function useViews(): readonly SavedView[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held,
  );
}

/** Those that are there without anybody's saving them. */
export function builtIn(): readonly SavedView[] {
  return BUILT_IN;
}

export function saveView(view: SavedView): void {
  keep([...held.filter((each) => each.name !== view.name), view].slice(-MOST));
}

export function dropView(name: string): void {
  keep(held.filter((each) => each.name !== name));
}

function keep(views: readonly SavedView[]): void {
  held = views;
  try {
    localStorage.setItem(KEY, JSON.stringify(views));
  } catch {
    // A browser that keeps nothing: the views are there until the page is closed.
  }
  for (const listener of listeners) listener();
}

function read(): readonly SavedView[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isView).slice(-MOST) : [];
  } catch {
    return [];
  }
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== "object" || value === null) return false;
  const { name, search } = value as Record<string, unknown>;
  return typeof name === "string" && typeof search === "string" && search.startsWith("?");
}
