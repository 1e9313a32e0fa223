import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { type Column, DataTable } from "@/kit/DataTable";
import { Count, Money, Share } from "@/kit/Figure";
import { readSort, sortText } from "@/kit/sorting";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import type { Costs } from "./CostChart";
import { type Filters, filterLabel, filterValue, groupName } from "./filters";
import { nextBy } from "./search";

type Group = Schemas["CostGroup"];

interface Props {
  data: Costs | undefined;
  by: readonly string[];
  filters: Filters;
  sort: string | undefined;
}

/** Each group with its part, what changed, and its figures; one that is followed becomes a filter. */
export function Groups({ data, by, filters, sort }: Props) {
  const href = useHref();
  const setSearch = useSetSearch();
  const key = by.join(",");
  const late = data ? data.before_begins_late !== null : false;
  const columns = useMemo(() => columnsOf(key.split(","), data?.totals, late), [key, data?.totals, late]);
  const drill = (row: Group) => {
    if (row.other) return undefined;
    const chosen = Object.fromEntries(by.map((name, at) => [name, [filterValue(row.names[at] ?? null)]]));
    const narrowed = [...Object.keys(filters), ...Object.keys(chosen)];
    return href("/costs", { ...filters, ...chosen, by: nextBy(by, narrowed) });
  };
  return (
    <DataTable
      id="costs-groups"
      label={`Costs by ${by.join(" and ")}`}
      columns={columns}
      rows={data?.groups}
      rowKey={(row) => (row.other ? "\u0000other" : row.names.map((name) => name ?? "\u0000").join("\n"))}
      rowHref={drill}
      sort={readSort(sort ?? "cost")}
      onSort={(next) =>
        setSearch({ sort: sortText(next) === "cost" ? undefined : sortText(next) }, { replace: true })
      }
      skeletonRows={8}
      empty="No call in this time."
    />
  );
}

const LATE = "records are too young to hold this time against the one before";

function columnsOf(by: readonly string[], totals: Group | undefined, late: boolean): Column<Group>[] {
  return [
    ...by.map(
      (name, at): Column<Group> => ({
        id: `name-${at}`,
        header: filterLabel(name)[0]?.toUpperCase() + filterLabel(name).slice(1),
        cell: (row) => nameOf(row, at),
        hideable: false,
        sortable: true,
        sortBy: (row) => (row.other ? null : row.names[at]),
        ...(at === 0 ? { total: "All" } : { width: 150 }),
      }),
    ),
    {
      id: "cost",
      header: "Spend",
      align: "end",
      width: 112,
      cell: (row) => <Money usd={row.cost_usd} why={why(row)} />,
      sortable: true,
      sortBy: (row) => row.cost_usd,
      total: totals && <Money usd={totals.cost_usd} why={why(totals)} />,
    },
    {
      id: "share",
      header: "of all",
      align: "end",
      width: 84,
      title: "Part of the known spend",
      cell: (row) => <Share part={row.share} why={why(row)} />,
    },
    {
      id: "change",
      header: "Change",
      align: "end",
      width: 108,
      title: "Against the equal time before",
      cell: (row) => <Money usd={late ? null : row.difference_usd} change why={late ? LATE : why(row)} />,
      sortable: true,
      sortBy: (row) => row.difference_usd,
      total: totals && (
        <Money usd={late ? null : totals.difference_usd} change why={late ? LATE : why(totals)} />
      ),
    },
    {
      id: "calls",
      header: "Calls",
      align: "end",
      width: 92,
      cell: (row) => <Count n={row.calls} />,
      sortable: true,
      sortBy: (row) => row.calls,
      total: totals && <Count n={totals.calls} />,
    },
    {
      id: "each",
      header: "A call",
      align: "end",
      width: 100,
      title: "Dollars of a priced call",
      cell: (row) => <Money usd={row.per_call_usd} why={why(row)} />,
      sortable: true,
      sortBy: (row) => row.per_call_usd,
      total: totals && <Money usd={totals.per_call_usd} why={why(totals)} />,
    },
    {
      id: "input",
      header: "Tokens in",
      align: "end",
      width: 104,
      cell: (row) => <Count n={row.input_tokens} short why="no call says it" />,
      sortable: true,
      sortBy: (row) => row.input_tokens,
      total: totals && <Count n={totals.input_tokens} short why="no call says it" />,
    },
    {
      id: "output",
      header: "Tokens out",
      align: "end",
      width: 104,
      cell: (row) => <Count n={row.output_tokens} short why="no call says it" />,
      sortable: true,
      sortBy: (row) => row.output_tokens,
      total: totals && <Count n={totals.output_tokens} short why="no call says it" />,
    },
    {
      id: "unpriced",
      header: "No price",
      align: "end",
      width: 92,
      title: "Calls without a price: their cost is not in the sum",
      cell: (row) => unpricedOf(row),
      sortable: true,
      sortBy: (row) => row.calls - row.priced_calls,
      total: totals && unpricedOf(totals),
    },
  ];
}

function nameOf(row: Group, at: number) {
  if (row.other) return at === 0 ? <span className="muted">{row.groups} others</span> : "";
  const name = row.names[at] ?? null;
  return name === null ? <span className="muted">unknown</span> : groupName(name);
}

function unpricedOf(row: Group) {
  const calls = row.calls - row.priced_calls;
  if (!calls) return <span className="muted">0</span>;
  return (
    <span title={why(row)}>
      <Count n={calls} />
    </span>
  );
}

/** Why calls have no price, by reason. */
function why(row: Group): string {
  const said = Object.entries(row.unpriced).map(([reason, calls]) => `${reason}: ${calls}`);
  return said.length ? `without a price: ${said.join(", ")}` : "no call";
}
