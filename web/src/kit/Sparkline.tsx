import { sparkPath } from "./sparkPath";
import "./sparkline.css";

export interface SparklineProps {
  /** Numbers for pixels; null where nothing is known. */
  values: readonly (number | null)[];
  /** What it shows, in words: "calls a day, from 12 to 340". Without one it is decoration. */
  label?: string;
  width?: number;
  height?: number;
  /** A variable of tokens.css without its dashes. */
  color?: string;
}

/** A line without axes, beside a figure. */
export function Sparkline({ values, label, width = 96, height = 22, color = "text-3" }: SparklineProps) {
  return (
    <span className="sparkline">
      <svg width={width} height={height} viewBox={`-1 -1 ${width + 2} ${height + 2}`} aria-hidden="true">
        <path d={sparkPath(values, width, height)} style={{ stroke: `var(--${color})` }} />
      </svg>
      {label && <span className="hidden-visually">{label}</span>}
    </span>
  );
}
