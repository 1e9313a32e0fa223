import type { Schemas } from "@/api/client";
import { count } from "@/format/numbers";
import { DataTable } from "@/kit/DataTable";
import { Select } from "@/kit/Select";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import { useTyped } from "@/shell/written";
import { BOOK } from "./columns";

interface Props {
  data: Schemas["PricePage"] | undefined;
  find: string | undefined;
  provider: string | undefined;
  source: string | undefined;
  selected: string;
}

const TYPING_MS = 250;

/** All models that any list knows, searched by the server. */
export function Book({ data, find = "", provider, source, selected }: Props) {
  const set = useSetSearch();
  const href = useHref();
  const write = (typed: string) => set({ find: typed || undefined }, { replace: true });
  const [words, setWords] = useTyped(find, write, TYPING_MS);
  const all = { value: "", label: "any" };
  return (
    <DataTable
      id="prices-book"
      label="The price book"
      columns={BOOK}
      rows={data?.prices}
      rowKey={(row) => `${row.provider} ${row.model} ${row.price_id} ${row.daily}`}
      rowHref={(row) =>
        href("/prices", { view: "book", find, provider, source, model: row.model, of: row.provider })
      }
      rowClass={(row) => (`${row.provider} ${row.model}` === selected ? "prices-selected" : undefined)}
      height="70vh"
      toolbar={
        <>
          <input
            type="search"
            className="prices-find"
            aria-label="Find a model"
            placeholder="Find a model: gpt-4o, claude*"
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
          <Select
            label="Sold by"
            value={provider ?? ""}
            choices={[all, ...(data?.providers ?? []).map((each) => ({ value: each, label: each }))]}
            onChange={(value) => set({ provider: value || undefined })}
          />
          <Select
            label="From"
            value={source ?? ""}
            choices={[
              all,
              ...(data?.sources ?? []).map((each) => ({
                value: each.source,
                label: `${each.source} (${count(each.models)})`,
              })),
            ]}
            onChange={(value) => set({ source: value || undefined })}
          />
          <span className="muted">{data && foundText(data)}</span>
        </>
      }
      empty="No list knows such a model. Set its price yourself."
    />
  );
}

function foundText({ found, prices }: Schemas["PricePage"]): string {
  return found > prices.length
    ? `the first ${count(prices.length)} of ${count(found)}`
    : `${count(found)} models`;
}
