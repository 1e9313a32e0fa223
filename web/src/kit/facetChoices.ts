import { visible } from "./visibleText";
export interface FacetValue {
  /** As the API filters by it; '' is unknown. */
  value: string;
  label?: string;
  /** How many there are; null where nobody counted. */
  count: number | null;
}

/**
 * The values to show: the chosen first, though none may be counted now, then by count, those with the words in it.
 */
export function facetChoices(
  values: readonly FacetValue[],
  chosen: readonly string[],
  words: string,
): FacetValue[] {
  const known = new Set(values.map((each) => each.value));
  const gone = chosen.filter((value) => !known.has(value)).map((value) => ({ value, count: 0 }));
  const wanted = words.trim().toLowerCase();
  const picked = new Set(chosen);
  return [...values, ...gone]
    .filter((each) => !wanted || facetLabel(each).toLowerCase().includes(wanted))
    .sort(
      (a, b) => Number(picked.has(b.value)) - Number(picked.has(a.value)) || (b.count ?? 0) - (a.count ?? 0),
    );
}

export function facetLabel(each: FacetValue): string {
  return visible(each.label ?? (each.value || "unknown"));
}

/** The chosen values with this one added, or taken out. */
export function toggledFacet(chosen: readonly string[], value: string): string[] {
  return chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value];
}
