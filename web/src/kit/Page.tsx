import { type ReactNode, useEffect } from "react";
import { RangePicker } from "@/shell/RangePicker";
import { visible } from "./visibleText";
import "./page.css";

interface Props {
  title: string;
  /** Beside the title: what the page is about, or where one comes from. */
  lead?: ReactNode;
  /** Buttons at the right. */
  actions?: ReactNode;
  /** Whether the page asks about a stretch of time. */
  timed?: boolean;
  children?: ReactNode;
}

/** A page: its title, which is the document's too, its actions, the time it asks about, and what it shows. */
export function Page({ title, lead, actions, timed = false, children }: Props) {
  useEffect(() => {
    document.title = `${visible(title)} · watchglass`;
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div className="page-title">
          <h1>{visible(title)}</h1>
          {lead && <div className="page-lead">{lead}</div>}
        </div>
        <div className="page-actions">
          {actions}
          {timed && <RangePicker />}
        </div>
      </header>
      <div className="page-body">{children}</div>
    </>
  );
}

interface SectionProps {
  title: string;
  /** A sentence under the title. */
  note?: ReactNode;
  /** At the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A part of a page under a heading of its own. */
export function Section({ title, note, aside, children }: SectionProps) {
  return (
    <section className="section" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        {aside && <div className="section-aside">{aside}</div>}
        {note && <p className="section-note">{note}</p>}
      </div>
      {children}
    </section>
  );
}
