import { type ReactNode, useId } from "react";
import "./field.css";

/** What an input needs to belong to its label, hint and error. */
export interface FieldAttributes {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

export interface FieldProps {
  label: string;
  /** A sentence below: what it means, an example. */
  hint?: ReactNode;
  /** What is wrong with it; stands instead of the hint. */
  error?: string | null | undefined;
  /** Says so beside the label. */
  optional?: boolean;
  children: (attributes: FieldAttributes) => ReactNode;
}

/** One input of a form, with its label, its hint, and what is wrong with it. */
export function Field({ label, hint, error, optional = false, children }: FieldProps) {
  const id = useId();
  const below = `${id}-below`;
  const described = error || hint ? below : undefined;
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
        {optional && <span className="field-optional"> optional</span>}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {described && (
        <p id={below} className={error ? "field-error" : "field-hint"} role={error ? "alert" : undefined}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
