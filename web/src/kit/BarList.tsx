import type { ReactNode } from "react";
import { RouteLink } from "./RouteLink";
import "./bar-list.css";

export interface BarListRow {
  key: string;
  name: ReactNode;
  value: ReactNode;
  /** How long the bar is, of 1; null where it is not known. For pixels only. */
  part: number | null;
  href?: string;
  /** Against the window before, or a share. */
  delta?: ReactNode;
  title?: string;
  /** A variable of tokens.css without its dashes; by default the accent. */
  color?: string;
}

export interface BarListProps {
  /** What it ranks, for screen readers. */
  label: string;
  rows: readonly BarListRow[];
  empty?: ReactNode;
}

/** The largest of something, each with a bar behind its name. */
export function BarList({ label, rows, empty = "Nothing in this time." }: BarListProps) {
  if (rows.length === 0) return <p className="muted">{empty}</p>;
  return (
    <ol className="bar-list" aria-label={label}>
      {rows.map((row) => (
        <li key={row.key} className="bar-list-row" title={row.title}>
          <span
            className="bar-list-bar"
            style={{ width: `${clamp(row.part) * 100}%`, background: row.color && `var(--${row.color})` }}
            aria-hidden="true"
          />
          <span className="bar-list-name">
            {row.href ? <RouteLink href={row.href}>{row.name}</RouteLink> : row.name}
          </span>
          {row.delta !== undefined && <span className="bar-list-delta">{row.delta}</span>}
          <span className="bar-list-value">{row.value}</span>
        </li>
      ))}
    </ol>
  );
}

function clamp(part: number | null): number {
  return Math.min(1, Math.max(0, part ?? 0));
}
