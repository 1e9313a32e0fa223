/** Room for what is in narrow columns: a figure that is cut short says nothing. */

import { type RefObject, useEffect, useState } from "react";

/** Both widths are whole pixels, what is drawn is not. */
const ROUNDING = 2;

type Widths = Readonly<Record<string, number>>;

/**
 * How wide columns of figures have to be, and heads, where what is in them is wider than their room. Looked at
 * when there are other rows, as a frame is about to be drawn: the layout that it asks for is the frame's own.
 */
export function useRoom(
  scroller: RefObject<HTMLElement | null>,
  columns: readonly string[],
  seen: readonly unknown[],
): Widths {
  const [widths, setWidths] = useState<Widths>({});
  const ids = columns.join("\n");
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (!scroller.current) return;
      const wanted = tooNarrow(scroller.current, ids.split("\n"));
      if (wanted.size > 0) setWidths((had) => ({ ...had, ...Object.fromEntries(wanted) }));
    });
    return () => cancelAnimationFrame(frame);
  }, [scroller, ids, ...seen]);
  return widths;
}

function tooNarrow(scroller: HTMLElement, ids: readonly string[]): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const part of scroller.querySelectorAll<HTMLElement>("td.data-table-end, .data-table-name")) {
    const more = part.scrollWidth - part.clientWidth;
    const cell = part.closest("td, th");
    if (more <= 0 || part.clientWidth === 0 || !(cell instanceof HTMLTableCellElement) || cell.colSpan > 1)
      continue;
    const id = ids[cell.cellIndex] ?? "";
    wanted.set(id, Math.max(wanted.get(id) ?? 0, cell.offsetWidth + more + ROUNDING));
  }
  return wanted;
}
