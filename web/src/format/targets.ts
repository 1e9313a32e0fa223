/** Targets in words and as a person types them: shares in percent, times in seconds, money by the day. */

import type { Schemas } from "@/api/client";
import { approximately, decimal, written } from "./decimal";
import { money } from "./money";
import { duration, share } from "./numbers";

export type Target = Pick<Schemas["Judged"], "value" | "unit">;
type Unit = Target["unit"];

/** How many digits the point is moved from what is kept to what is typed. */
const SHIFT: Record<Unit, number> = { share: 2, nanoseconds: -9, usd_per_day: 0 };

/** `2%`, `2 s`, `$50.00 a day`. */
export function targetText(value: string, unit: Unit): string {
  if (unit === "usd_per_day") return `${money(value)} a day`;
  return unit === "share" ? share(approximately(value)) : duration(approximately(value));
}

/** What stands in the field: `2`, `0.5`; nothing where there is no target. */
export function typed({ value, unit }: Target): string {
  return value === null ? "" : moved(value, SHIFT[unit]);
}

/** What is kept of a text: null for none, undefined where it is no such number. */
export function kept(text: string, unit: Unit): string | null | undefined {
  const bare = text
    .trim()
    .replace(/^\$|%$|s$/g, "")
    .trim()
    .replaceAll(",", "");
  if (bare === "") return null;
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(bare) || /^[0.]+$/.test(bare)) return undefined;
  if (unit === "share" && Number(bare) > 100) return undefined;
  return moved(bare, -SHIFT[unit]);
}

function moved(text: string, places: number): string {
  const { digits, scale } = decimal(text);
  const to = scale - places;
  const shifted = to < 0 ? { digits: digits * 10n ** BigInt(-to), scale: 0 } : { digits, scale: to };
  const found = written({ negative: false, ...shifted }).replaceAll(",", "");
  return found.includes(".") ? found.replace(/\.?0+$/, "") : found;
}
