import { type ReactNode, useId, useRef } from "react";
import { placeBeside } from "./place";
import "./tooltip.css";

export interface TooltipProps {
  /** What it says, text only: what can be clicked does not belong where nobody can reach it. */
  text: string;
  children: ReactNode;
}

/** A word with an explanation, by pointer, by focus, and for screen readers. Escape takes it away. */
export function Tooltip({ text, children }: TooltipProps) {
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  const tip = useRef<HTMLSpanElement>(null);
  const show = () => {
    if (!tip.current || !anchor.current || tip.current.matches(":popover-open")) return;
    tip.current.showPopover();
    placeBeside(tip.current, anchor.current, "center");
  };
  const hide = () => tip.current?.hidePopover();
  return (
    <span className="tooltip">
      <button
        ref={anchor}
        type="button"
        className="tooltip-word"
        aria-describedby={id}
        onMouseEnter={show}
        onMouseLeave={hide}
        onFocus={show}
        onBlur={hide}
        onClick={show}
        onKeyDown={(event) => event.key === "Escape" && hide()}
      >
        {children}
      </button>
      <span ref={tip} id={id} role="tooltip" popover="manual" className="tooltip-text">
        {text}
      </span>
    </span>
  );
}
