import type { MouseEvent, ReactNode } from "react";
import { RouteLink } from "./RouteLink";
import { visible } from "./visibleText";

interface RowColumn<Row> {
  id: string;
  align?: "start" | "end";
  cell: (row: Row) => ReactNode;
}

export interface DataTableRowProps<Row> {
  row: Row;
  index: number;
  columns: readonly RowColumn<Row>[];
  href?: string;
  selected: boolean;
  className?: string;
  numbered: boolean;
}

/** One row. Where it leads somewhere its first cell is a link that lies over the whole row. */
export function DataTableRow<Row>(props: DataTableRowProps<Row>) {
  const { row, index, columns, href, selected, className, numbered } = props;
  const names = ["data-table-row", href && "data-table-leads", selected && "data-table-selected", className];
  return (
    <tr
      className={names.filter(Boolean).join(" ")}
      data-index={index}
      aria-rowindex={numbered ? index + 2 : undefined}
      aria-current={selected || undefined}
      tabIndex={href ? undefined : -1}
      onClick={href ? followLink : undefined}
    >
      {columns.map((column, place) => {
        const found = column.cell(row);
        const cell = typeof found === "string" ? visible(found) : found;
        const ends = column.align === "end" ? " data-table-end" : "";
        return (
          <td key={column.id} className={`data-table-cell${ends}`}>
            {place === 0 && href ? (
              <RouteLink href={href} className="data-table-link">
                {cell}
              </RouteLink>
            ) : (
              cell
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** On phones the first column sticks, and its link cannot lie over the others: a tap there follows it. */
function followLink(event: MouseEvent<HTMLTableRowElement>): void {
  const on = event.target;
  if (!(on instanceof Element) || on.closest("a, button, input, label, summary")) return;
  if (document.getSelection()?.isCollapsed === false) return; // somebody marks text
  event.currentTarget.querySelector<HTMLAnchorElement>("a.data-table-link")?.click();
}
