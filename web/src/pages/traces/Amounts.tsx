import { type FormEvent, useId } from "react";
import type { Raw } from "@/shell/search";
import type { TracesSearch } from "./search";

/** Bounds of cost and duration; they hold when one leaves the field or presses Enter. */
export function Amounts({ search, onChange }: { search: TracesSearch; onChange: (change: Raw) => void }) {
  return (
    <>
      <Bounds
        legend="Cost, $"
        names={["min_cost_usd", "max_cost_usd"]}
        factor={1}
        search={search}
        onChange={onChange}
      />
      <Bounds
        legend="Duration, s"
        names={["min_duration_ms", "max_duration_ms"]}
        factor={1000}
        search={search}
        onChange={onChange}
      />
    </>
  );
}

interface BoundsProps {
  legend: string;
  names: readonly ["min_cost_usd" | "min_duration_ms", "max_cost_usd" | "max_duration_ms"];
  factor: number;
  search: TracesSearch;
  onChange: (change: Raw) => void;
}

function Bounds({ legend, names, factor, search, onChange }: BoundsProps) {
  const id = useId();
  const shown = (text: string | undefined) =>
    text === undefined ? "" : factor === 1 ? text : String(Number(text) / factor);
  const take = (form: HTMLFormElement) => {
    const change: Raw = {};
    for (const name of names) {
      const given = String(new FormData(form).get(name) ?? "").trim();
      change[name] =
        given === "" ? undefined : factor === 1 ? given : String(Math.round(Number(given) * factor));
    }
    if (names.some((name) => change[name] !== search[name])) onChange(change);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    take(event.currentTarget);
  };
  return (
    <form
      key={names.map((name) => search[name]).join()}
      className="traces-bounds"
      aria-labelledby={id}
      onSubmit={submit}
      onBlur={(event) => take(event.currentTarget)}
    >
      <span id={id} className="traces-legend">
        {legend}
      </span>
      {names.map((name, place) => (
        <input
          key={name}
          name={name}
          type="number"
          min="0"
          step="any"
          inputMode="decimal"
          aria-label={`${legend}: ${place ? "at most" : "at least"}`}
          placeholder={place ? "at most" : "at least"}
          defaultValue={shown(search[name])}
        />
      ))}
      <button type="submit" hidden>
        Apply
      </button>
    </form>
  );
}
