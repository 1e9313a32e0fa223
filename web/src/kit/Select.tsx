import { useId } from "react";
import "./select.css";

export interface Choice {
  value: string;
  label: string;
}

export interface SelectProps {
  label: string;
  value: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
  /** The label is only for screen readers. */
  bare?: boolean;
}

/** One of several: the browser's own list, which phones and screen readers know best. */
export function Select({ label, value, choices, onChange, bare = false }: SelectProps) {
  const id = useId();
  return (
    <span className="select">
      <label htmlFor={id} className={bare ? "hidden-visually" : "select-label"}>
        {label}
      </label>
      <select
        id={id}
        className="select-list"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </span>
  );
}
