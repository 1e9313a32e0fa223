import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Overlay } from "@/shell/Overlay";
import { Button } from "./Button";
import "./dialog.css";

export interface DialogProps {
  title: string;
  /** Escape, the cross, a click beside it. Render it only while it is open. */
  onClose: () => void;
  children: ReactNode;
  /** Buttons below; the one that does it last. */
  actions?: ReactNode;
}

/** A question or a form that the page waits for. */
export function Dialog({ title, onClose, children, actions }: DialogProps) {
  return (
    <Overlay label={title} onClose={onClose} className="dialog">
      <div className="dialog-head">
        <h2>{title}</h2>
        <Button
          tone="quiet"
          small
          label="Close"
          icon={<X size={15} aria-hidden="true" />}
          onClick={onClose}
        />
      </div>
      <div className="dialog-body">{children}</div>
      {actions && <div className="dialog-actions">{actions}</div>}
    </Overlay>
  );
}
