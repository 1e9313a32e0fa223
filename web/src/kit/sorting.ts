import { decimal, minus } from "@/format/decimal";

/** The order that a table is in; as the pages keep it in their addresses. */
export interface Sort {
  id: string;
  desc: boolean;
}

/** What a column is sorted by; null and undefined (unknown) come last in either direction. */
export type SortValue = string | number | bigint | null | undefined;

/** `cost` for descending as the API sorts, `-cost`-free: `cost.asc` for ascending. */
export function sortText(sort: Sort): string {
  return sort.desc ? sort.id : `${sort.id}.asc`;
}

/** Reads what `sortText` wrote. */
export function readSort(text: string): Sort {
  return text.endsWith(".asc") ? { id: text.slice(0, -4), desc: false } : { id: text, desc: true };
}

/** The rows in that order; equal ones stay as they stood. Decimals of the API are compared exactly. */
export function sorted<Row>(rows: readonly Row[], by: (row: Row) => SortValue, desc: boolean): Row[] {
  const keyed = rows.map((row, place) => ({ row, place, value: by(row) ?? null }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) {
      return Number(a.value === null) - Number(b.value === null) || a.place - b.place;
    }
    return (desc ? compare(b.value, a.value) : compare(a.value, b.value)) || a.place - b.place;
  });
  return keyed.map(({ row }) => row);
}

const TEXT = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/;

function compare(a: NonNullable<SortValue>, b: NonNullable<SortValue>): number {
  if (typeof a !== "string" || typeof b !== "string") return a < b ? -1 : a > b ? 1 : 0;
  if (!NUMBER.test(a) || !NUMBER.test(b)) return TEXT.compare(a, b);
  const difference = minus(decimal(a), decimal(b));
  return difference.digits === 0n ? 0 : difference.negative ? -1 : 1;
}
