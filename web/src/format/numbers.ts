/** Counts, shares and lengths of time as people read them. */

const THOUSANDS = /\B(?=(\d{3})+$)/g;

/** All digits: `1,234,567`. Whole numbers by hand: the first use of `Intl` reads its tables, some 20 ms. */
export function count(value: number): string {
  if (!Number.isSafeInteger(value)) return value.toLocaleString("en-US");
  return String(value).replace(THOUSANDS, ",");
}

/** Three digits that say something: `1.23M`, `45.6k`, `789`. */
export function countShort(value: number): string {
  const size = Math.abs(value);
  // From where the three digits of the smaller unit would be rounded up to a thousand.
  for (const [from, unit, letter] of [
    [999.5e9, 1e12, "T"],
    [999.5e6, 1e9, "B"],
    [999.5e3, 1e6, "M"],
    [1e4, 1e3, "k"],
  ] as const) {
    if (size >= from) return `${trimmed(value / unit)}${letter}`;
  }
  return Number.isInteger(value) ? count(value) : trimmed(value);
}

/** A part of 1 as a percentage: `12.3%`; what is not 0 is never `0.0%`. */
export function share(part: number): string {
  const percent = part * 100;
  const size = Math.abs(percent);
  if (size > 0 && size < 0.1) return percent < 0 ? "> −0.1%" : "< 0.1%";
  if (size > 99.9 && size < 100) return `${percent < 0 ? "> −" : "> "}99.9%`;
  return `${percent.toFixed(size >= 100 || Number.isInteger(percent) ? 0 : 1)}%`.replace("-", "−");
}

/** How large a change is: `4.2%`, from a tenth on `12%`; less than all is never 100%. */
export function changeSize(part: number): string {
  const size = Math.abs(part);
  if (size < 0.0995) return share(size);
  const percent = Math.round(size * 100);
  return `${size < 1 ? Math.min(99, percent) : percent}%`;
}

/** `+12%`, `−4.2%`, `as before`; what more than tripled is said as a multiple. */
export function changeText(part: number): string {
  if (Math.abs(part) < 0.0005) return "as before";
  if (part > 3) return `×${times(part)}`;
  return `${part > 0 ? "+" : "−"}${changeSize(part)}`;
}

/** How many times as much: `5.2`. */
export function times(part: number): string {
  return Number((part + 1).toPrecision(2)).toLocaleString("en-US");
}

/** A difference of shares in points: `+0.4 points`. */
export function pointsText(difference: number): string {
  const points = difference * 100;
  if (Math.abs(points) < 0.05) return "as before";
  return `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(1)} points`;
}

/** `1 span`, `5,000 spans`. */
export function plural(n: number, one: string): string {
  return `${count(n)} ${one}${n === 1 ? "" : "s"}`;
}

/** Nanoseconds: `734 ms`, `2.07 s`, `1 m 12 s`, `3 h 20 m`, `2 d 4 h`. */
export function duration(ns: number): string {
  const size = Math.abs(ns);
  const sign = ns < 0 ? "−" : "";
  if (size < 1e3) return `${sign}${size.toFixed(0)} ns`;
  if (size < 999.5e3) return `${sign}${trimmed(size / 1e3)} µs`;
  if (size < 999.5e6) return `${sign}${trimmed(size / 1e6)} ms`;
  if (size < 59.95e9) return `${sign}${trimmed(size / 1e9)} s`;
  const seconds = Math.round(size / 1e9);
  if (seconds < 3600) return `${sign}${parts(seconds, 60, "m", "s")}`;
  if (seconds < 86_400) return `${sign}${parts(Math.round(seconds / 60), 60, "h", "m")}`;
  return `${sign}${parts(Math.round(seconds / 3600), 24, "d", "h")}`;
}

function parts(value: number, base: number, large: string, small: string): string {
  const rest = value % base;
  const whole = `${count(Math.floor(value / base))} ${large}`;
  return rest ? `${whole} ${rest} ${small}` : whole;
}

function trimmed(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
