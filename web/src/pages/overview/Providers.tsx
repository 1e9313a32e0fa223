import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { type Column, DataTable } from "@/kit/DataTable";
import { Count, Duration, Money, Share } from "@/kit/Figure";
import { type Filters, filterValue, groupName } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import type { Overview } from "./words";

type Provider = Schemas["ProviderHealth"];

/** How each provider did: errors and latency against their targets, and its part of the spend. */
export function Providers({ data, filters }: { data: Overview | undefined; filters: Filters }) {
  const href = useHref();
  const errors = targetOf(data, "error_share");
  const p95 = targetOf(data, "p95_ns");
  const columns = useMemo(() => columnsOf(errors, p95), [errors, p95]);
  return (
    <DataTable
      id="overview-providers"
      label="Providers"
      columns={columns}
      rows={data?.providers}
      rowKey={(row) => row.provider ?? "\u0000"}
      rowHref={(row) => href("/traces", { ...filters, provider: [filterValue(row.provider)] })}
      sort={{ id: "calls", desc: true }}
      skeletonRows={5}
      empty="No call in this time."
    />
  );
}

function columnsOf(errors: number | undefined, p95: number | undefined): Column<Provider>[] {
  return [
    { id: "provider", header: "Provider", cell: (row) => groupName(row.provider) },
    {
      id: "calls",
      header: "Calls",
      align: "end",
      width: 66,
      cell: (row) => <Count n={row.calls} short />,
      sortable: true,
      sortBy: (row) => row.calls,
    },
    {
      id: "errors",
      header: "Errors",
      align: "end",
      width: 66,
      title: "Part of the calls that failed",
      cell: (row) => (
        <span className={isAbove(row.error_share, errors) ? "overview-missed" : undefined}>
          <Share part={row.error_share} why="no call in this time" />
        </span>
      ),
      sortable: true,
      sortBy: (row) => row.error_share,
    },
    {
      id: "p50",
      header: "p50",
      align: "end",
      width: 66,
      hidden: true,
      cell: (row) => <Duration ns={row.p50_ns} why="no duration is known" />,
      sortable: true,
      sortBy: (row) => row.p50_ns,
    },
    {
      id: "p95",
      header: "p95",
      align: "end",
      width: 66,
      cell: (row) => (
        <span className={isAbove(row.p95_ns, p95) ? "overview-missed" : undefined}>
          <Duration ns={row.p95_ns} why="no duration is known" />
        </span>
      ),
      sortable: true,
      sortBy: (row) => row.p95_ns,
    },
    {
      id: "cost",
      header: "Spend",
      align: "end",
      width: 78,
      cell: (row) => <Money usd={row.cost_usd} why="no call has a price" />,
      sortable: true,
      sortBy: (row) => row.cost_usd,
    },
    {
      id: "share",
      header: "of all",
      align: "end",
      width: 58,
      title: "Part of the known spend",
      cell: (row) => <Share part={row.spend_share} why="no call has a price" />,
    },
  ];
}

function targetOf(data: Overview | undefined, figure: string): number | undefined {
  const value = data?.targets.find((each) => each.of === "calls" && each.figure === figure)?.value;
  return value ? Number(value) : undefined;
}

function isAbove(value: number | null, target: number | undefined): boolean {
  return value !== null && target !== undefined && value >= target;
}
