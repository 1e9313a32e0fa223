import { Copy } from "./Copy";
import { RouteLink } from "./RouteLink";
import "./id.css";

export interface IdProps {
  id: string;
  /** How many characters are shown; all are in the title, and copied. */
  digits?: number;
  href?: string;
  /** What it is the id of, for the copy button's name. */
  of?: string;
}

/** An id, short and monospaced, with a copy button. */
export function Id({ id, digits = 8, href, of = "id" }: IdProps) {
  const short = id.length > digits + 2 ? `${id.slice(0, digits)}…` : id;
  return (
    <span className="id">
      {href ? (
        <RouteLink href={href} className="id-text" title={id}>
          {short}
        </RouteLink>
      ) : (
        <span className="id-text" title={id}>
          {short}
        </span>
      )}
      <Copy text={id} label={`Copy ${of}`} />
    </span>
  );
}
