import { count, duration } from "@/format/numbers";
import "./histogram.css";

export interface HistogramProps {
  /** What is counted: "Durations of runs". */
  label: string;
  /** Upper bounds in nanoseconds; the last bar has none. */
  bounds: readonly number[];
  counts: readonly number[];
  /** A single line in a table, without words. */
  small?: boolean;
}

/** How many took how long. Bars without anything at either end are left out. */
export function Histogram({ label, bounds, counts, small = false }: HistogramProps) {
  const first = counts.findIndex((each) => each > 0);
  const last = counts.findLastIndex((each) => each > 0);
  if (first < 0) return <span className="muted">{small ? "–" : "Nothing has ended in this time."}</span>;
  const from = small ? 0 : Math.max(0, first - 1);
  const to = small ? counts.length - 1 : Math.min(counts.length - 1, last + 1);
  const most = Math.max(...counts);
  const bars = counts.slice(from, to + 1).map((value, place) => ({
    value,
    name: rangeText(bounds, from + place),
    end: bounds[from + place],
  }));
  const words = bars
    .filter(({ value }) => value > 0)
    .map(({ name, value }) => `${name}: ${count(value)}`)
    .join(", ");
  return (
    <div
      className={small ? "histogram histogram-small" : "histogram"}
      role="img"
      aria-label={`${label}. ${words}`}
    >
      {bars.map(({ value, name, end }) => (
        <div key={name} className="histogram-bar" title={`${name}: ${count(value)}`}>
          {!small && <span className="histogram-count">{value ? count(value) : ""}</span>}
          <span
            className={value ? "histogram-fill" : "histogram-fill histogram-none"}
            style={{ height: `${value ? Math.max(4, (value / most) * (small ? 100 : 78)) : 0}%` }}
          />
          {!small && <span className="histogram-name">{end === undefined ? "more" : duration(end)}</span>}
        </div>
      ))}
    </div>
  );
}

function rangeText(bounds: readonly number[], place: number): string {
  const end = bounds[place];
  const start = place > 0 ? bounds[place - 1] : undefined;
  if (end === undefined) return `${duration(start ?? 0)} or more`;
  return start === undefined ? `under ${duration(end)}` : `${duration(start)} to ${duration(end)}`;
}
