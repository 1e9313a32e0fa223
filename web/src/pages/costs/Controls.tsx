import { Select } from "@/kit/Select";
import { useSetSearch } from "@/shell/search";
import { filterLabel } from "./filters";
import { BUCKETS, DIMENSIONS } from "./search";

/** By what costs are told apart, and how time is cut. */
export function Controls({ by, bucket }: { by: readonly string[]; bucket: string | undefined }) {
  const setSearch = useSetSearch();
  const [first = "model", second] = by;
  const set = (names: (string | undefined)[]) => {
    const text = names.filter(Boolean).join(",");
    setSearch({ by: text === "model" ? undefined : text, sort: undefined });
  };
  const choices = (without?: string) =>
    DIMENSIONS.filter((name) => name !== without).map((value) => ({ value, label: filterLabel(value) }));
  return (
    <div className="costs-controls">
      <Select
        label="By"
        value={first}
        choices={choices()}
        onChange={(value) => set([value, value === second ? undefined : second])}
      />
      <Select
        label="and"
        value={second ?? ""}
        choices={[{ value: "", label: "nothing else" }, ...choices(first)]}
        onChange={(value) => set([first, value || undefined])}
      />
      <Select
        label="per"
        value={bucket ?? ""}
        choices={[{ value: "", label: "as fits" }, ...BUCKETS.map((value) => ({ value, label: value }))]}
        onChange={(value) => setSearch({ bucket: value || undefined })}
      />
    </div>
  );
}
