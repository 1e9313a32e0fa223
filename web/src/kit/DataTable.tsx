import {
  type ColumnDef,
  columnSizingFeature,
  columnVisibilityFeature,
  type RowData,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { usePreferences } from "@/shell/preferences";
import { DataTableColumns } from "./DataTableColumns";
import { DataTableHead } from "./DataTableHead";
import { DataTableRow } from "./DataTableRow";
import { useRowKeys } from "./dataTableKeys";
import { useLayoutMemory } from "./dataTableMemory";
import { useRoom } from "./dataTableRoom";
import { Skeleton } from "./Skeleton";
import { type Sort, type SortValue, sorted, sortText } from "./sorting";
import "./data-table.css";

export interface Column<Row> {
  id: string;
  /** The column's name, in its head and in the menu of columns. */
  header: string;
  cell: (row: Row) => ReactNode;
  /** `end` for figures. */
  align?: "start" | "end";
  /** Pixels. Without one the column shares what the others leave; give one to all but one or two. */
  width?: number;
  /** A sentence about what it means, at the head. */
  title?: string;
  /** The order can be by it. With `sortBy` the table sorts by itself, without it `onSort` is asked. */
  sortable?: boolean;
  sortBy?: (row: Row) => SortValue;
  /** False: always shown. The first column is always shown. */
  hideable?: boolean;
  /** Not shown until somebody asks for it. */
  hidden?: boolean;
  /** Below the rows. */
  total?: ReactNode;
}

export interface DataTableProps<Row> {
  /** Names the table in what the browser remembers of it: widths and hidden columns. */
  id: string;
  /** What it lists, for screen readers. */
  label: string;
  /** Constant, or memoised. The first column names the row. */
  columns: readonly Column<Row>[];
  /** Undefined while they load. */
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  /** Where a row leads: the whole row is that link. */
  rowHref?: (row: Row) => string | undefined;
  /** Marked as the one that is looked at. */
  selected?: string;
  /** Class names for a row, for what colour means something. */
  rowClass?: (row: Row) => string | undefined;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  /** Pixels, or a CSS length, before it scrolls within itself; without one the page scrolls. */
  height?: number | string;
  /** Only rows in view are in the page. By default from 100 rows on. */
  virtual?: boolean;
  /** Called when the last rows come into view; load the next page then. */
  onEnd?: () => void;
  /** More rows are on their way. */
  loadingMore?: boolean;
  empty?: ReactNode;
  /** How many rows a skeleton has. */
  skeletonRows?: number;
  /** Before the columns' menu, above the head: how many there are, switches. */
  toolbar?: ReactNode;
}

const FEATURES = tableFeatures({ columnSizingFeature, columnVisibilityFeature });
/** A page of a list has so many rows: its end, where the next page is asked for, is not on the screen. */
const VIRTUAL_FROM = 100;
/** The least of a column without a width, which takes what the others leave. */
const DEFAULT_WIDTH = 200;
const NOTHING: readonly never[] = [];

/**
 * Rows in columns: sorted, resized, hidden, virtual, by mouse and by keyboard.
 *
 * A real `<table>`, virtual too: rows out of view are one empty row of their height, so that what reads
 * tables aloud reads this one, and columns line up without anybody measuring cells.
 */
export function DataTable<Row extends RowData>(props: DataTableProps<Row>) {
  const { columns, rows, height, rowKey, empty, skeletonRows = 10 } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const memory = useLayoutMemory(props.id, columns);
  const [ownSort, setOwnSort] = useState<Sort | undefined>(props.sort);
  const sort = props.onSort ? props.sort : ownSort;
  const ordered = useMemo(() => inOrder(rows, columns, sort), [rows, columns, sort]);
  const definitions = useMemo(() => columns.map(definition<Row>), [columns]);
  const table = useTable({
    features: FEATURES,
    columns: definitions,
    data: ordered,
    getRowId: rowKey,
    state: { columnSizing: memory.widths, columnVisibility: memory.shown },
  });
  const shown = columns.filter((column) => table.getColumn(column.id)?.getIsVisible());
  const isVirtual = props.virtual ?? ordered.length >= VIRTUAL_FROM;
  const rowHeight = useRowHeight();
  const virtual = useVirtualizer({
    count: isVirtual ? ordered.length : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    // Else it would measure the table, which has the page laid out before it is whole.
    enabled: isVirtual,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows that have been measured keep their height else
  useEffect(() => virtual.measure(), [rowHeight]);
  const range = isVirtual ? virtual.getVirtualItems() : null;
  const first = range?.[0]?.index ?? 0;
  const last = range ? (range.at(-1)?.index ?? -1) : ordered.length - 1;
  useEnd(last >= ordered.length - 10 && ordered.length > 0, ordered.length, props.onEnd);
  useTopOnSort(scroller, sort);
  const onKeyDown = useRowKeys(scroller, ordered.length, isVirtual ? virtual.scrollToIndex : null);

  const ids = shown.map((column) => column.id);
  const room = useRoom(scroller, ids, [ordered, first, sort]);
  const wide = (column: Column<Row>) =>
    memory.widths[column.id] ?? (column.width && Math.max(column.width, room[column.id] ?? 0));
  const width = shown.reduce((sum, column) => sum + (wide(column) ?? DEFAULT_WIDTH), 0);
  const fits = useFits(scroller, width);
  const bounded = isVirtual || height !== undefined;
  const before = first * rowHeight;
  const after = (ordered.length - 1 - last) * rowHeight;
  const hasTotals = shown.some((column) => column.total !== undefined);
  const canHide = columns.slice(1).some((column) => column.hideable !== false);
  return (
    <div className="data-table">
      {(props.toolbar || canHide) && (
        <div className="data-table-bar">
          <div className="data-table-toolbar">{props.toolbar}</div>
          {canHide && <DataTableColumns columns={columns} memory={memory} />}
        </div>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys pressed on the rows within arrive here */}
      <div
        ref={scroller}
        className={`data-table-scroller ${bounded ? "data-table-bounded" : fits ? "data-table-fits" : ""}`}
        style={{ maxHeight: height ?? (isVirtual ? "75vh" : undefined) }}
        tabIndex={props.rowHref ? undefined : 0}
        onKeyDown={onKeyDown}
      >
        <table
          className="data-table-table"
          style={{ minWidth: width }}
          aria-label={props.label}
          aria-rowcount={isVirtual ? ordered.length + 1 : undefined}
          aria-busy={rows === undefined}
        >
          <colgroup>
            {shown.map((column) => (
              <col key={column.id} data-column={column.id} style={{ width: wide(column) }} />
            ))}
          </colgroup>
          <DataTableHead columns={shown} sort={sort} onSort={props.onSort ?? setOwnSort} memory={memory} />
          <tbody>
            {rows === undefined && skeleton(skeletonRows, shown)}
            {before > 0 && <Gap height={before} span={shown.length} />}
            {ordered.slice(first, last + 1).map((row, place) => (
              <DataTableRow
                key={rowKey(row)}
                row={row}
                index={first + place}
                columns={shown}
                href={props.rowHref?.(row)}
                selected={props.selected !== undefined && props.selected === rowKey(row)}
                className={props.rowClass?.(row)}
                numbered={isVirtual}
              />
            ))}
            {after > 0 && <Gap height={after} span={shown.length} />}
            {props.loadingMore && <SkeletonRow columns={shown} />}
            {rows?.length === 0 && (
              <tr>
                <td className="data-table-empty" colSpan={shown.length}>
                  {empty ?? "Nothing here."}
                </td>
              </tr>
            )}
          </tbody>
          {hasTotals && ordered.length > 0 && (
            <tfoot>
              <tr>
                {shown.map((column) => (
                  <td key={column.id} className={cellClass(column)}>
                    {column.total}
                  </td>
                ))}
              </tr>
            </tfoot>
          )}
        </table>
      </div>
    </div>
  );
}

/** The class of a column's cells. */
export function cellClass(column: { align?: "start" | "end" }): string {
  return column.align === "end" ? "data-table-cell data-table-end" : "data-table-cell";
}

function definition<Row extends RowData>(column: Column<Row>): ColumnDef<typeof FEATURES, Row> {
  return { id: column.id, header: column.header, size: column.width ?? DEFAULT_WIDTH, minSize: 48 };
}

function inOrder<Row>(
  rows: readonly Row[] | undefined,
  columns: readonly Column<Row>[],
  sort: Sort | undefined,
): readonly Row[] {
  const by = sort && columns.find((column) => column.id === sort.id)?.sortBy;
  return by && rows ? sorted(rows, by, sort.desc) : (rows ?? NOTHING);
}

function skeleton<Row>(rows: number, columns: readonly Column<Row>[]): ReactNode {
  return Array.from({ length: rows }, (_, row) => `waiting ${row}`).map((key) => (
    <SkeletonRow key={key} columns={columns} />
  ));
}

function SkeletonRow<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return (
    <tr className="data-table-row">
      {columns.map((column) => (
        <td key={column.id} className={cellClass(column)}>
          <Skeleton width={column.align === "end" ? "60%" : "80%"} />
        </td>
      ))}
    </tr>
  );
}

function Gap({ height, span }: { height: number; span: number }) {
  return (
    <tr>
      <td colSpan={span} className="data-table-gap" style={{ height }} />
    </tr>
  );
}

/** The height of a row in pixels, which the density and the reader's font size decide. */
function useRowHeight(): number {
  const { density } = usePreferences();
  return useMemo(() => {
    void density; // tokens.css knows it as --row
    const root = getComputedStyle(document.documentElement);
    const rem = Number.parseFloat(root.fontSize) || 16;
    return (Number.parseFloat(root.getPropertyValue("--row")) || 2.125) * rem;
  }, [density]);
}

/** Whether the columns fit: then the page scrolls and the head sticks to it; else the table does, sideways. */
function useFits(scroller: RefObject<HTMLElement | null>, width: number): boolean {
  const [room, setRoom] = useState(Number.POSITIVE_INFINITY);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);
  return width <= room;
}

/** Another order begins at its top. */
function useTopOnSort(scroller: RefObject<HTMLElement | null>, sort: Sort | undefined): void {
  const text = sort && sortText(sort);
  const before = useRef(text);
  useEffect(() => {
    if (before.current !== text) scroller.current?.scrollTo({ top: 0 });
    before.current = text;
  }, [scroller, text]);
}

function useEnd(reached: boolean, length: number, onEnd: (() => void) | undefined): void {
  const asked = useRef(-1);
  useEffect(() => {
    if (!reached || !onEnd || asked.current === length) return;
    asked.current = length; // once for each length: the answer makes it longer
    onEnd();
  }, [reached, length, onEnd]);
}
