import { X } from "lucide-react";
import { visible } from "./visibleText";
import "./filter-chips.css";

export interface FilterChip {
  name: string;
  value: string;
}

export interface FilterChipsProps {
  chips: readonly FilterChip[];
  onRemove: (chip: FilterChip) => void;
}

/** What a page is narrowed to; each can be taken away. Nothing where nothing is. */
export function FilterChips({ chips, onRemove }: FilterChipsProps) {
  if (chips.length === 0) return null;
  return (
    <ul className="filter-chips" aria-label="Filters">
      {chips.map((chip) => {
        const value = visible(chip.value || "unknown");
        const text = `${chip.name.replaceAll("_", " ")}: ${value}`;
        return (
          <li key={`${chip.name}\n${chip.value}`}>
            <button
              type="button"
              className="filter-chip"
              aria-label={`Remove filter ${text}`}
              onClick={() => onRemove(chip)}
            >
              <span className="filter-chip-name">{chip.name.replaceAll("_", " ")}</span>
              <span className="filter-chip-value">{value}</span>
              <X size={12} aria-hidden="true" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
