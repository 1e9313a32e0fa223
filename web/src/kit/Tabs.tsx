import { type KeyboardEvent, type ReactNode, useId } from "react";
import { count } from "@/format/numbers";
import "./tabs.css";

export interface Tab {
  id: string;
  label: ReactNode;
  /** How many things are behind it. */
  count?: number;
}

export interface TabsProps {
  /** What they are views of, for screen readers. */
  label: string;
  tabs: readonly Tab[];
  /** The address says which; a page keeps it there. */
  active: string;
  onSelect: (id: string) => void;
  /** At the right, in the row of tabs. */
  aside?: ReactNode;
  /** What the active tab shows. */
  children: ReactNode;
}

/** Views of one thing, one at a time. Arrows go from tab to tab. */
export function Tabs({ label, tabs, active, onSelect, aside, children }: TabsProps) {
  const base = useId();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const at = tabs.findIndex((tab) => tab.id === active);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onSelect(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <div className="tabs">
      <div className="tabs-row">
        <div className="tabs-list" role="tablist" aria-label={label} onKeyDown={onKeyDown} tabIndex={-1}>
          {tabs.map((tab) => (
            <button
              key={tab.id}
              id={`${base}-${tab.id}`}
              type="button"
              role="tab"
              className="tabs-tab"
              aria-selected={tab.id === active}
              aria-controls={`${base}-panel`}
              tabIndex={tab.id === active ? 0 : -1}
              onClick={() => onSelect(tab.id)}
            >
              {tab.label}
              {tab.count !== undefined && <span className="tabs-count">{count(tab.count)}</span>}
            </button>
          ))}
        </div>
        {aside && <div className="tabs-aside">{aside}</div>}
      </div>
      <div id={`${base}-panel`} role="tabpanel" aria-labelledby={`${base}-${active}`} className="tabs-panel">
        {children}
      </div>
    </div>
  );
}
