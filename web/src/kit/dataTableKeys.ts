import type { KeyboardEvent, RefObject } from "react";
import { useShortcuts } from "@/shell/shortcuts";

type ScrollTo = ((index: number, options?: { align: "auto" }) => void) | null;

/**
 * j and k go from row to row, from wherever one is; the arrows do within the table. Enter follows the
 * focused row's link by itself. Gives the handler of the arrows.
 */
export function useRowKeys(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  scrollTo: ScrollTo,
): (event: KeyboardEvent) => void {
  const go = (step: 1 | -1) => {
    const table = scroller.current;
    if (!table || count === 0) return;
    const row = document.activeElement?.closest<HTMLElement>("tr[data-index]");
    const at = row && table.contains(row) ? Number(row.dataset.index) + step : 0;
    focusRow(table, Math.min(count - 1, Math.max(0, at)), scrollTo);
  };
  useShortcuts([
    { keys: "j", meaning: "Next row", run: () => go(1) },
    { keys: "k", meaning: "Row before", run: () => go(-1) },
  ]);
  return (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const inRow = event.target instanceof Element && event.target.closest("tbody tr[data-index]");
    if (step === 0 || !inRow || event.metaKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    go(step);
  };
}

function focusRow(table: HTMLElement, index: number, scrollTo: ScrollTo): void {
  scrollTo?.(index, { align: "auto" });
  const focus = () => {
    const row = table.querySelector<HTMLElement>(`tr[data-index="${index}"]`);
    const target = row?.querySelector<HTMLElement>("a.data-table-link") ?? row;
    target?.focus({ preventScroll: scrollTo !== null });
    return target !== null && target !== undefined;
  };
  // A virtual row is there only after the scroll has been drawn.
  if (!focus()) requestAnimationFrame(() => focus() || requestAnimationFrame(focus));
}
