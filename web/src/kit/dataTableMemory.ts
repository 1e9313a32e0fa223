import { useMemo, useState } from "react";

interface Remembered {
  widths: Record<string, number>;
  /** Columns that somebody showed (true) or hid (false); the others are as the page made them. */
  shown: Record<string, boolean>;
}

/** How somebody arranged a table: kept in the browser, under the table's id. */
export interface LayoutMemory extends Remembered {
  setWidth: (column: string, width: number | null) => void;
  setShown: (column: string, shown: boolean) => void;
  /** As the page made it. */
  reset: () => void;
}

interface Arrangeable {
  id: string;
  hidden?: boolean;
}

/** Reads and keeps the arrangement of the table with this id. */
export function useLayoutMemory(id: string, columns: readonly Arrangeable[]): LayoutMemory {
  const [kept, setKept] = useState<Remembered>(() => read(id));
  return useMemo(() => {
    const keep = (next: Remembered) => {
      setKept(next);
      write(id, next);
    };
    const asMade = Object.fromEntries(columns.map((column) => [column.id, !column.hidden]));
    return {
      widths: kept.widths,
      shown: { ...asMade, ...kept.shown },
      setWidth: (column, width) => {
        const { [column]: _, ...others } = kept.widths;
        keep({ ...kept, widths: width === null ? others : { ...others, [column]: width } });
      },
      setShown: (column, shown) => keep({ ...kept, shown: { ...kept.shown, [column]: shown } }),
      reset: () => keep({ widths: {}, shown: {} }),
    };
  }, [id, columns, kept]);
}

/** What was kept, as far as it makes sense: others may have written there, or an older version. */
export function readLayout(text: string | null): Remembered {
  const empty: Remembered = { widths: {}, shown: {} };
  try {
    const found: unknown = JSON.parse(text ?? "null");
    if (typeof found !== "object" || found === null) return empty;
    const { widths, shown } = found as { widths?: unknown; shown?: unknown };
    return {
      widths: only(widths, (value) => typeof value === "number" && value >= 48 && value <= 1200),
      shown: only(shown, (value) => typeof value === "boolean"),
    };
  } catch {
    return empty;
  }
}

function only<Value>(found: unknown, fits: (value: unknown) => boolean): Record<string, Value> {
  if (typeof found !== "object" || found === null) return {};
  return Object.fromEntries(Object.entries(found).filter(([, value]) => fits(value)));
}

function place(id: string): string {
  return `watchglass.table.${id}`;
}

function read(id: string): Remembered {
  try {
    return readLayout(localStorage.getItem(place(id)));
  } catch {
    return readLayout(null); // storage is forbidden
  }
}

function write(id: string, kept: Remembered): void {
  try {
    localStorage.setItem(place(id), JSON.stringify(kept));
  } catch {
    // Storage is full or forbidden: the arrangement lasts as long as the page.
  }
}
