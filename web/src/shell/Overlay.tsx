import { type ReactNode, useLayoutEffect, useRef } from "react";

/** A modal layer: the browser keeps the focus in it and Escape closes it. */
export function Overlay({
  label,
  onClose,
  className = "",
  children,
}: {
  label: string;
  onClose: () => void;
  className?: string;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before it leaves the page: closed in there it gives the focus back to what it was opened from.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // What has fields was opened to be filled in; else the browser's choice is right.
    shown?.querySelector<HTMLElement>(":is(input, select, textarea):enabled")?.focus();
    return () => shown?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself; this is the click beside it
    <dialog
      ref={dialog}
      className={`overlay ${className}`}
      aria-label={label}
      onCancel={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      {children}
    </dialog>
  );
}
