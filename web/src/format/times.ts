/** Moments: what the API writes (RFC 3339, up to nanoseconds), shown in the reader's zone or in UTC. */

export type Zone = "local" | "utc";

/** Making one takes longer than using it a hundred times. */
const MOMENTS = new Map<string, Intl.DateTimeFormat>();
let ZONES: Intl.DateTimeFormat | undefined;

/** Milliseconds since 1970 of a moment as the API takes it, of UTC unless it says; what is below them is cut off. */
export function epochMs(moment: string): number {
  const text = moment.replace(/(\.\d{3})\d+/, "$1");
  return Date.parse(/T[\d:.]+$/.test(text) ? `${text}Z` : text);
}

/** `21 Nov, 14:05:09`; with `millis` `14:05:09.123`; the year where it is not this one. */
export function moment(ms: number, zone: Zone, now: number, millis = false): string {
  const sameYear = new Date(ms).getUTCFullYear() === new Date(now).getUTCFullYear();
  const key = `${zone} ${sameYear} ${millis}`;
  let format = MOMENTS.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      day: "numeric",
      month: "short",
      ...(sameYear ? {} : { year: "numeric" }),
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      ...(millis ? { fractionalSecondDigits: 3 as const } : {}),
      hourCycle: "h23",
      ...timeZone(zone),
    });
    MOMENTS.set(key, format);
  }
  return format.format(ms);
}

/** The name of the zone that times are shown in: `UTC`, `GMT+1`. */
export function zoneName(zone: Zone, ms: number): string {
  if (zone === "utc") return "UTC";
  ZONES ??= new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
  return ZONES.formatToParts(ms).find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** `just now`, `5 min ago`, `3 h ago`, `2 d ago`; for the future `in 5 min`. */
export function ago(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000);
  const size = Math.abs(seconds);
  if (size < 10) return "just now";
  const [value, unit] =
    size < 60
      ? [size, "s"]
      : size < 3600
        ? [Math.round(size / 60), "min"]
        : size < 86_400 * 1.5
          ? [Math.round(size / 3600), "h"]
          : [Math.round(size / 86_400), "d"];
  return seconds < 0 ? `in ${value} ${unit}` : `${value} ${unit} ago`;
}

/** Parts of a moment as an `<input type="datetime-local">` has them. */
export function inputValue(ms: number, zone: Zone): string {
  const shifted = zone === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 16);
}

/** What was typed into one, as an ISO moment; null if it is none. */
export function fromInput(text: string, zone: Zone): string | null {
  const ms = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

function timeZone(zone: Zone): { timeZone?: string } {
  return zone === "utc" ? { timeZone: "UTC" } : {};
}
