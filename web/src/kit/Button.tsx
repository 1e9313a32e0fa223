import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import "./button.css";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `primary`: what one came for, once a view. `quiet`: no frame. `danger`: takes something away. */
  tone?: "plain" | "primary" | "quiet" | "danger";
  small?: boolean;
  icon?: ReactNode;
  /** Only the icon is shown; `label` is then its name and its tooltip. */
  label?: string;
  ref?: Ref<HTMLButtonElement>;
}

/** A button; never submits unless it says `type="submit"`. */
export function Button({ tone = "plain", small, icon, label, className, children, ...rest }: ButtonProps) {
  const names = ["button", `button-${tone}`, small && "button-small", !children && "button-icon", className];
  return (
    <button
      type="button"
      className={names.filter(Boolean).join(" ")}
      aria-label={label}
      title={label}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
}
