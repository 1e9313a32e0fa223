import { useInfiniteQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { address, type Schemas } from "@/api/client";
import { keepingFault } from "@/api/unanswered";
import { Badge } from "@/kit/Badge";
import { type Column, DataTable } from "@/kit/DataTable";
import { Empty } from "@/kit/Empty";
import { Count, Money, Unknown, When } from "@/kit/Figure";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { useAsked } from "@/shell/search";
import { sessionsFound } from "./found";

export const Route = createLazyRoute("/sessions")({ component: SessionsPage });

type Row = Schemas["SessionRow"];
const COLUMNS: readonly Column<Row>[] = [
  { id: "session", header: "Session", cell: (row) => row.session },
  { id: "tenant", header: "Tenant", cell: (row) => row.tenant ?? <Unknown />, width: 125 },
  { id: "user", header: "User", cell: (row) => row.user ?? <Unknown />, width: 105 },
  { id: "service", header: "Service", cell: (row) => row.service ?? <Unknown />, width: 120 },
  { id: "last", header: "Last call", cell: (row) => <When at={row.last} />, width: 105 },
  { id: "time", header: "Began", cell: (row) => <When at={row.time} />, width: 110, hidden: true },
  { id: "traces", header: "Traces", cell: (row) => <Count n={row.traces} />, align: "end", width: 68 },
  { id: "calls", header: "Calls", cell: (row) => <Count n={row.calls} />, align: "end", width: 68 },
  { id: "failed", header: "Failed", cell: failed, align: "end", width: 68 },
  {
    id: "tokens",
    header: "Tokens in",
    cell: (row) => <Count n={row.input_tokens} short why="nobody said how many" />,
    align: "end",
    width: 88,
  },
  {
    id: "out",
    header: "Tokens out",
    cell: (row) => <Count n={row.output_tokens} short why="nobody said how many" />,
    align: "end",
    width: 100,
    hidden: true,
  },
  {
    id: "cost",
    header: "Cost",
    cell: (row) => <Money usd={row.cost_usd} why={`${row.unpriced_calls} calls without a price`} />,
    align: "end",
    width: 104,
  },
];

function failed(row: Row) {
  return row.failed_calls > 0 ? <Badge tone="bad">{row.failed_calls}</Badge> : <Count n={0} />;
}

function SessionsPage() {
  const asked = useAsked();
  const asking = sessionsFound(asked);
  const found = keepingFault(useInfiniteQuery(asking), asking.queryKey);
  const rows = found.data?.pages.flatMap((page) => page.rows);
  return (
    <Page title="Sessions" lead="Open one to replay it" timed>
      {found.error && !rows ? (
        <Problem error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <DataTable
          id="sessions"
          height="max(24rem, calc(100vh - 9rem))"
          label="Sessions"
          columns={COLUMNS}
          rows={rows}
          rowKey={(row) => `${row.session} ${row.tenant ?? ""}`}
          rowHref={(row) =>
            address("/sessions/{session}", { session: row.session }, { ...asked, tenant: row.tenant ?? "" })
          }
          onEnd={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
          loadingMore={found.isFetchingNextPage}
          empty={<NoSessions />}
        />
      )}
    </Page>
  );
}

function NoSessions() {
  return (
    <Empty title="No sessions in this time">
      <p>
        A session is what your calls say they belong to: <code>watchglass.context(session="…")</code>, or the
        attribute <code>gen_ai.conversation.id</code> or <code>session.id</code> on their spans. Choose a
        longer time above, or name yours.
      </p>
    </Empty>
  );
}
