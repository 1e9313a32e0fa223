/** Decimal text as the API sends money, kept exact: never a float on the way to the screen. */

export interface Decimal {
  readonly negative: boolean;
  /** Digits of the number without its point. */
  readonly digits: bigint;
  /** How many of the digits stand behind the point. */
  readonly scale: number;
}

/** Reads `-12.50` or `1.5E-7`; throws `TypeError` on anything else. */
export function decimal(text: string): Decimal {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text.trim());
  if (!match) throw new TypeError(`not a decimal number: ${text.slice(0, 50)}`);
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  let digits = BigInt(whole + fraction);
  let scale = fraction.length - Number(exponent);
  if (scale < 0) {
    digits *= 10n ** BigInt(-scale);
    scale = 0;
  }
  return { negative: sign === "-" && digits !== 0n, digits, scale };
}

/** Rounded half to even at `places` behind the point. */
export function rounded(value: Decimal, places: number): Decimal {
  if (value.scale <= places) {
    return { ...value, digits: value.digits * 10n ** BigInt(places - value.scale), scale: places };
  }
  const step = 10n ** BigInt(value.scale - places);
  const whole = value.digits / step;
  const rest = (value.digits % step) * 2n;
  const up = rest > step || (rest === step && whole % 2n === 1n);
  const digits = up ? whole + 1n : whole;
  return { negative: value.negative && digits !== 0n, digits, scale: places };
}

/** With thousands grouped: `-1,234.50`. */
export function written(value: Decimal): string {
  const digits = value.digits.toString().padStart(value.scale + 1, "0");
  const whole = digits.slice(0, digits.length - value.scale).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = value.scale ? `.${digits.slice(-value.scale)}` : "";
  return `${value.negative ? "−" : ""}${whole}${fraction}`;
}

/** As the API writes it, to be read again: `-1234.5`. */
export function plain({ negative, digits, scale }: Decimal): string {
  const text = digits.toString().padStart(scale + 1, "0");
  const fraction = scale ? `.${text.slice(-scale)}` : "";
  return `${negative ? "-" : ""}${text.slice(0, text.length - scale)}${fraction}`;
}

/** The power of ten of the first digit that is not 0; null for 0. `0.00013` has -4. */
export function magnitude(value: Decimal): number | null {
  return value.digits === 0n ? null : value.digits.toString().length - 1 - value.scale;
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  const sum = signed(a, scale) + signed(b, scale);
  return { negative: sum < 0n, digits: sum < 0n ? -sum : sum, scale };
}

export function minus(a: Decimal, b: Decimal): Decimal {
  return plus(a, { ...b, negative: !b.negative && b.digits !== 0n });
}

/** For drawing only: a float says where a pixel is, never what is written. */
export function approximately(text: string): number {
  return Number(text);
}

function signed(value: Decimal, scale: number): bigint {
  const digits = value.digits * 10n ** BigInt(scale - value.scale);
  return value.negative ? -digits : digits;
}

/** One in parts of another, to a millionth; null of nothing. For percentages, which are rounded anyway. */
export function ratio(part: Decimal, whole: Decimal): number | null {
  if (whole.digits === 0n) return null;
  const scale = Math.max(part.scale, whole.scale);
  return Number((signed(part, scale) * 1_000_000n) / signed(whole, scale)) / 1_000_000;
}
