import { ArrowDown, ArrowUp } from "lucide-react";
import type { KeyboardEvent, PointerEvent } from "react";
import type { Column } from "./DataTable";
import type { LayoutMemory } from "./dataTableMemory";
import type { Sort } from "./sorting";

interface HeadProps<Row> {
  columns: readonly Column<Row>[];
  sort: Sort | undefined;
  onSort: (sort: Sort) => void;
  memory: LayoutMemory;
}

const NARROWEST = 48;
const WIDEST = 1200;
const STEP = 8;

/** The row of names: a click sorts, an edge drags. */
export function DataTableHead<Row>({ columns, sort, onSort, memory }: HeadProps<Row>) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const by = sort?.id === column.id ? sort : undefined;
          return (
            <th
              key={column.id}
              scope="col"
              title={column.title}
              className={column.align === "end" ? "data-table-head data-table-end" : "data-table-head"}
              aria-sort={column.sortable ? order(by) : undefined}
            >
              {column.sortable ? (
                <button
                  type="button"
                  className="data-table-sort"
                  // Figures are asked for from the largest, names from A.
                  onClick={() => onSort({ id: column.id, desc: by ? !by.desc : column.align === "end" })}
                >
                  <span className="data-table-name">{column.header}</span>
                  {by &&
                    (by.desc ? (
                      <ArrowDown size={12} aria-hidden="true" />
                    ) : (
                      <ArrowUp size={12} aria-hidden="true" />
                    ))}
                </button>
              ) : (
                <span className="data-table-name">{column.header}</span>
              )}
              <Edge column={column} memory={memory} />
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function order(sort: Sort | undefined): "ascending" | "descending" | "none" {
  if (!sort) return "none";
  return sort.desc ? "descending" : "ascending";
}

/** A head's right edge: dragged, or moved by the arrow keys; a double click or Home puts it back. */
function Edge<Row>({ column, memory }: { column: Column<Row>; memory: LayoutMemory }) {
  const set = (width: number) => memory.setWidth(column.id, clamp(width));
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.shiftKey ? STEP * 4 : STEP;
    if (event.key === "ArrowRight") set(widthNow(event.currentTarget) + step);
    else if (event.key === "ArrowLeft") set(widthNow(event.currentTarget) - step);
    else if (event.key === "Home") memory.setWidth(column.id, null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> cannot be a slider between columns
    <span
      role="separator"
      aria-orientation="vertical"
      aria-label={`Width of ${column.header}`}
      aria-valuenow={Math.round(memory.widths[column.id] ?? column.width ?? 200)}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      tabIndex={0}
      className="data-table-edge"
      onKeyDown={onKeyDown}
      onDoubleClick={() => memory.setWidth(column.id, null)}
      onPointerDown={(event) => drag(event, column.id, set)}
    />
  );
}

/** While it is dragged only the `<col>` changes; the table hears of it once, at the end. */
function drag(event: PointerEvent<HTMLElement>, id: string, set: (width: number) => void): void {
  const edge = event.currentTarget;
  const table = edge.closest("table");
  const col = table?.querySelector<HTMLElement>(`col[data-column="${CSS.escape(id)}"]`);
  if (!col || event.button !== 0) return;
  event.preventDefault();
  edge.setPointerCapture(event.pointerId);
  const begun = widthNow(edge);
  const from = event.clientX;
  let width = begun;
  const move = (moved: globalThis.PointerEvent) => {
    width = clamp(begun + moved.clientX - from);
    col.style.width = `${width}px`;
  };
  const end = () => {
    edge.removeEventListener("pointermove", move);
    if (width !== begun) set(width);
  };
  edge.addEventListener("pointermove", move);
  edge.addEventListener("lostpointercapture", end, { once: true });
}

function widthNow(edge: HTMLElement): number {
  return edge.closest("th")?.getBoundingClientRect().width ?? 200;
}

function clamp(width: number): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
}
