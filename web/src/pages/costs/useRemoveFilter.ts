import { useSetSearch } from "@/shell/search";
import type { Chip, Filter, Filters } from "./filters";

/** Takes one value of a name out of the address. */
export function useRemoveFilter(filters: Filters, tenants: readonly string[] = []): (chip: Chip) => void {
  const setSearch = useSetSearch();
  return ({ name, value }) => {
    const before = name === "tenant" ? tenants : (filters[name as Filter] ?? []);
    const left = before.filter((each) => each !== value);
    setSearch({ [name]: left.length ? left : undefined });
  };
}
