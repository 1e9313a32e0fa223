import { RouteLink } from "./RouteLink";
import "./segments.css";

export interface Segment {
  id: string;
  label: string;
  /** Where it leads: the same page, looked at in another way. */
  href: string;
  title?: string;
}

export interface SegmentsProps {
  /** What one chooses: "View". */
  label: string;
  segments: readonly Segment[];
  active: string;
}

/** A few ways to look at one thing, as links beside each other: each is an address. */
export function Segments({ label, segments, active }: SegmentsProps) {
  return (
    <ul className="segments" aria-label={label}>
      {segments.map((each) => (
        <li key={each.id}>
          <RouteLink
            className="segment"
            href={each.href}
            title={each.title}
            aria-current={each.id === active ? "true" : undefined}
          >
            {each.label}
          </RouteLink>
        </li>
      ))}
    </ul>
  );
}
