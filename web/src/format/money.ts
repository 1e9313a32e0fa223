/** US dollars with the precision that says something: cents for a bill, more where cents would be 0. */

import { type Decimal, decimal, magnitude, rounded, written } from "./decimal";

/** `$1,234.56`, `$0.0779`, `$0.000013`; never `$0.00` for what is not 0. */
export function money(usd: string): string {
  return dollars(decimal(usd));
}

/** With its sign, for differences: `+$1.20`, `−$0.50`. */
export function moneyChange(usd: string): string {
  const value = decimal(usd);
  return value.digits === 0n || value.negative ? dollars(value) : `+${dollars(value)}`;
}

/** All digits that there are, for a title or a copy. */
export function moneyExact(usd: string): string {
  const value = decimal(usd);
  const { negative, scale } = value;
  const text = written({ ...value, negative: false });
  const short = scale > 2 ? text.replace(/(\.\d\d\d*?)0+$/, "$1") : text;
  return `${negative ? "−" : ""}$${short}`;
}

/** Short, for axes: `$1.2k`, `$340`, `$0.02`. */
export function moneyShort(usd: number): string {
  const size = Math.abs(usd);
  const sign = usd < 0 ? "−" : "";
  for (const [unit, letter] of UNITS) {
    if (size >= unit) return `${sign}$${significant(size / unit)}${letter}`;
  }
  return `${sign}$${significant(size)}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

function significant(value: number): string {
  if (value === 0) return "0";
  if (value >= 100) return value.toFixed(0);
  const short = Number(value.toPrecision(2));
  return short >= 1e-6 ? String(short) : short.toLocaleString("en-US", { maximumFractionDigits: 12 });
}

function dollars(value: Decimal): string {
  const text = written({ ...rounded(value, places(value)), negative: false });
  return `${value.negative ? "−" : ""}$${text}`;
}

/** Cents from a dollar up, four places from a cent up, below that two digits that are not 0. */
function places(value: Decimal): number {
  const first = magnitude(value);
  if (first === null || first >= 0) return 2;
  return first >= -2 ? 4 : 1 - first;
}
