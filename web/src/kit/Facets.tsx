import { useState } from "react";
import { count, countShort } from "@/format/numbers";
import { Button } from "./Button";
import { type FacetValue, facetChoices, facetLabel, toggledFacet } from "./facetChoices";
import "./facets.css";

export interface FacetGroup {
  id: string;
  label: string;
  values: readonly FacetValue[];
  chosen: readonly string[];
}

export interface FacetsProps {
  groups: readonly FacetGroup[];
  /** The values now chosen of a group; none means all. */
  onChange: (group: string, chosen: string[]) => void;
  /** The counts are of another question, while the answer to this one comes. */
  busy?: boolean;
}

const SHOWN = 6;
const SEARCHED_FROM = 9;

/** Filters by value, with how many there are of each. */
export function Facets({ groups, onChange, busy = false }: FacetsProps) {
  return (
    <div className="facets" aria-busy={busy}>
      {groups.map((group) => (
        <Group key={group.id} group={group} onChange={(chosen) => onChange(group.id, chosen)} />
      ))}
    </div>
  );
}

function Group({ group, onChange }: { group: FacetGroup; onChange: (chosen: string[]) => void }) {
  const [words, setWords] = useState("");
  const [all, setAll] = useState(false);
  const choices = facetChoices(group.values, group.chosen, words);
  const shown = all || words ? choices : choices.slice(0, Math.max(SHOWN, group.chosen.length));
  if (group.values.length === 0 && group.chosen.length === 0) return null;
  return (
    <fieldset className="facets-group">
      <legend className="facets-legend">{group.label}</legend>
      {group.chosen.length > 0 && (
        <Button
          tone="quiet"
          small
          className="facets-clear"
          onClick={() => onChange([])}
          aria-label={`Clear ${group.label}`}
        >
          Clear
        </Button>
      )}
      {group.values.length >= SEARCHED_FROM && (
        <input
          type="search"
          className="facets-search"
          placeholder={`Find in ${count(group.values.length)}`}
          aria-label={`Find in ${group.label}`}
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      )}
      {shown.map((each) => (
        <label key={each.value} className="facets-value" title={facetLabel(each)}>
          <input
            type="checkbox"
            checked={group.chosen.includes(each.value)}
            onChange={() => onChange(toggledFacet(group.chosen, each.value))}
          />
          <span className={each.value || each.label ? "facets-name" : "facets-name muted"}>
            {facetLabel(each)}
          </span>
          <span className="facets-count" title={each.count === null ? undefined : count(each.count)}>
            {each.count === null ? "" : countShort(each.count)}
          </span>
        </label>
      ))}
      {shown.length === 0 && <p className="muted facets-none">None with “{words}”</p>}
      {!words && choices.length > SHOWN && (
        <Button tone="quiet" small aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${count(choices.length)}`}
        </Button>
      )}
    </fieldset>
  );
}
