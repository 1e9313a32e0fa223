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
      {Array.from({ length: lines }, (_, line) => (
        <span
          key={line}
          className="skeleton-line"
          style={{ width: lines > 1 && line === lines - 1 ? "60%" : width, height }}
        />
      ))}
    </span>
  );
}
