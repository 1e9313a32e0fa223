import type { ReactNode } from "react";
import "./empty.css";

export interface EmptyProps {
  /** What is not there. */
  title: string;
  /** The next step: a sentence, buttons, a `<Snippet>`. */
  children?: ReactNode;
  icon?: ReactNode;
}

/** Nothing to show, and what to do about it. */
export function Empty({ title, children, icon }: EmptyProps) {
  return (
    <div className="empty">
      {icon}
      <p className="empty-title">{title}</p>
      {children && <div className="empty-next">{children}</div>}
    </div>
  );
}
