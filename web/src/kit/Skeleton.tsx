import "./skeleton.css";

export interface SkeletonProps {
  /** CSS lengths or pixels; by default a line of text over the whole width. */
  width?: number | string;
  height?: number | string;
  /** That many lines, the last one shorter. */
  lines?: number;
}

/** Where something will be, in its final size. Silent for screen readers: the region says it is busy. */
export function Skeleton({ width = "100%", height = "1em", lines = 1 }: SkeletonProps) {
  return (
    <span className="skeleton" aria-hidden="true">
      {widths(width, lines).map(([key, each]) => (
        <span key={key} className="skeleton-line" style={{ width: each, height }} />
      ))}
    </span>
  );
}

function widths(width: number | string, lines: number): [string, number | string][] {
  return Array.from({ length: lines }, (_, line) => [
    `line ${line}`,
    lines > 1 && line === lines - 1 ? "60%" : width,
  ]);
}
