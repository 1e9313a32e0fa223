import { Check, Copy as CopyIcon, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button";
import { copyText } from "./clipboard";

export interface CopyProps {
  /** What is copied; a function where making it is work. */
  text: string | (() => string);
  /** What it is: "Copy trace id". */
  label?: string;
  /** Shows the label beside the icon. */
  labelled?: boolean;
  /** Out of the order of tabs, for copies by the hundred; it can still be clicked. */
  untabbed?: boolean;
}

const SHOWN_MS = 1500;
const SAID = { idle: "", done: "Copied", refused: "The browser does not allow copying" } as const;

/** Copies a text, and says whether it did. */
export function Copy({ text, label = "Copy", labelled, untabbed }: CopyProps) {
  const [state, setState] = useState<keyof typeof SAID>("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const Icon = { idle: CopyIcon, done: Check, refused: X }[state];
  const copy = async () => {
    setState((await copyText(typeof text === "function" ? text() : text)) ? "done" : "refused");
  };
  return (
    <>
      <Button
        tone="quiet"
        small
        icon={<Icon size={13} aria-hidden="true" />}
        aria-label={label}
        title={SAID[state] || label}
        tabIndex={untabbed ? -1 : undefined}
        onClick={copy}
      >
        {labelled ? SAID[state] || label : null}
      </Button>
      <span role="status" className="hidden-visually">
        {SAID[state]}
      </span>
    </>
  );
}
