import type { ReactNode } from "react";
import "./badge.css";

export type Tone = "neutral" | "accent" | "ok" | "warn" | "bad";

export interface BadgeProps {
  tone?: Tone;
  title?: string;
  children: ReactNode;
}

/** A word about a state. Its colour only repeats what the word says. */
export function Badge({ tone = "neutral", title, children }: BadgeProps) {
  return (
    <span className={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}
