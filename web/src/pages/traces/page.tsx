import { createLazyRoute, useSearch } from "@tanstack/react-router";
import { Radio, Rows3, Search, SlidersHorizontal, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { count } from "@/format/numbers";
import { Button } from "@/kit/Button";
import { DataTable } from "@/kit/DataTable";
import { Empty } from "@/kit/Empty";
import { Facets } from "@/kit/Facets";
import { Count, Money } from "@/kit/Figure";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Snippet } from "@/kit/Snippet";
import { TimeChart } from "@/kit/TimeChart";
import { carried } from "@/shell/links";
import { setPreferences, usePreferences } from "@/shell/preferences";
import { type Raw, stringifySearch, useRange, useSetSearch } from "@/shell/search";
import { useShortcuts } from "@/shell/shortcuts";
import { useTyped } from "@/shell/written";
import { Amounts } from "./Amounts";
import { COLUMNS, FEW_COLUMNS } from "./columns";
import { type Explored, type FoundTrace, useArrivals, useFound } from "./found";
import { cleared, type TracesSearch, tokensOf, tracesAsked } from "./search";
import { Views } from "./Views";
import "./page.css";

export const Route = createLazyRoute("/traces")({ component: TracesPage });

const LABELS: Record<string, string> = {
  status: "Status",
  tenant: "Tenant",
  feature: "Feature",
  agent: "Agent",
  provider: "Provider",
  model: "Model",
  service: "Service",
  environment: "Environment",
};

function TracesPage() {
  const search = useSearch({ strict: false }) as TracesSearch & Raw;
  const filters = Route.useSearch() as TracesSearch;
  const { since } = useRange();
  const isLive = filters.live === "on";
  const found = useFound(tracesAsked(search), { live: isLive });
  const first = found.data?.pages[0];
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.rows), [found.data]);
  const tokens = tokensOf(search);
  const isFiltered = tokens.length > 0 || Boolean(filters.text);
  // Rows that there was no time to look for are not missing, unless the counts know that there is nothing.
  const isLookedThrough = !found.hasNextPage || first?.totals?.calls === 0;
  const isEmpty = rows?.length === 0 && !isFiltered && isLookedThrough;
  useArrivals((isLive && first !== undefined) || isEmpty);
  useGoingOn(found, rows?.length === 0 && !isEmpty);
  useJump(first, filters.text);
  const setSearch = useSetSearch();
  return (
    <Page title="Traces" timed actions={<Actions search={search} isLive={isLive} />}>
      <div className="traces">
        <SearchField text={filters.text ?? ""} />
        {tokens.length > 0 && (
          <ul className="traces-tokens" aria-label="Filters">
            {tokens.map((token) => (
              <li key={`${token.name} ${token.value}`}>
                <button
                  type="button"
                  className="traces-token"
                  title="Take this filter away"
                  onClick={() => setSearch(token.without)}
                >
                  {token.label}
                  <X size={12} aria-hidden="true" />
                </button>
              </li>
            ))}
            <li>
              <Button tone="quiet" small onClick={() => setSearch(cleared())}>
                Clear all
              </Button>
            </li>
          </ul>
        )}
        {!isEmpty &&
          first?.notes.map((note) => (
            <p key={note} className="traces-note" role="status">
              {note[0]?.toUpperCase()}
              {note.slice(1)}.
            </p>
          ))}
        {found.error && !first ? (
          <Problem error={found.error} onRetry={() => void found.refetch()} />
        ) : isEmpty ? (
          <Nothing since={since} isWide={since === "30d"} />
        ) : (
          <Results
            first={first}
            rows={rows}
            search={search}
            isBusy={found.isPlaceholderData}
            isMore={found.isFetchingNextPage}
            onEnd={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
          />
        )}
      </div>
    </Page>
  );
}

interface ResultsProps {
  first: Explored | undefined;
  rows: readonly FoundTrace[] | undefined;
  search: TracesSearch & Raw;
  isBusy: boolean;
  isMore: boolean;
  onEnd: (() => void) | undefined;
}

function Results({ first, rows, search, isBusy, isMore, onEnd }: ResultsProps) {
  const setSearch = useSetSearch();
  const [areShown, setShown] = useState(false);
  const isNarrow = useNarrow();
  const to = stringifySearch({ ...carried(search) });
  return (
    <div className={areShown ? "traces-columns traces-filters-shown" : "traces-columns"}>
      <Button
        small
        className="traces-filters"
        aria-expanded={areShown}
        icon={<SlidersHorizontal size={14} aria-hidden="true" />}
        onClick={() => setShown(!areShown)}
      >
        Filters
      </Button>
      <aside className="traces-side" aria-label="Filters by value">
        <Amounts search={search} onChange={(change) => setSearch(change)} />
        <Facets
          busy={isBusy}
          groups={(first?.facets ?? []).map((facet) => ({
            id: facet.name,
            label: LABELS[facet.name] ?? facet.name,
            values: facet.values.map((each) => ({ value: each.value ?? "", count: each.calls })),
            chosen: chosenOf(search, facet.name),
          }))}
          onChange={(name, chosen) =>
            setSearch({ [name]: name === "status" ? chosen.at(-1) : chosen.length ? chosen : undefined })
          }
        />
        <p className="traces-counting muted">Counts are of calls that count.</p>
      </aside>
      <div className="traces-main">
        <Histogram first={first} />
        <DataTable
          id={isNarrow ? "traces-narrow" : "traces"}
          label="Traces"
          columns={isNarrow ? FEW_COLUMNS : COLUMNS}
          rows={rows}
          rowKey={(row) => row.trace_id}
          rowHref={(row) => `/traces/${row.trace_id}${to}`}
          onEnd={onEnd}
          loadingMore={isMore}
          skeletonRows={14}
          height="max(24rem, calc(100vh - 19.5rem))"
          virtual
          toolbar={<Totals first={first} rows={rows} isAll={onEnd === undefined} />}
          empty={
            onEnd ? (
              <Empty title="None was found in the time there was">
                <Button disabled={isMore} onClick={onEnd}>
                  {isMore ? "Looking…" : "Look further back"}
                </Button>
              </Empty>
            ) : (
              <Empty title="No trace is like that">
                <Button onClick={() => setSearch(cleared())}>Clear all filters</Button>
              </Empty>
            )
          }
        />
      </div>
    </div>
  );
}

const narrow = window.matchMedia("(max-width: 40rem)");

function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener("change", listener);
      return () => narrow.removeEventListener("change", listener);
    },
    () => narrow.matches,
  );
}

function chosenOf(search: Raw, name: string): string[] {
  const value = search[name];
  return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
}

function Totals({
  first,
  rows,
  isAll,
}: {
  first: Explored | undefined;
  rows: readonly FoundTrace[] | undefined;
  isAll: boolean;
}) {
  const totals = first?.totals;
  return (
    <p className="traces-totals" role="status">
      {rows && (
        <>
          <strong>
            {count(rows.length)}
            {isAll ? "" : "+"}
          </strong>{" "}
          {rows.length === 1 && isAll ? "trace" : "traces"}
        </>
      )}
      {totals && (
        <span className="muted">
          <Count n={totals.calls ?? 0} /> calls, <Count n={totals.failed_calls ?? 0} /> failed,{" "}
          <Money usd={totals.cost_usd} why="no call has a price" />
        </span>
      )}
    </p>
  );
}

function Histogram({ first }: { first: Explored | undefined }) {
  const setSearch = useSetSearch();
  const bars = first?.histogram;
  const buckets = useMemo(
    () => bars?.calls.map((_, at) => new Date((bars.start_s + at * bars.width_s) * 1000).toISOString()) ?? [],
    [bars],
  );
  const series = useMemo(
    () =>
      bars
        ? [
            {
              id: "ok",
              label: "Calls that succeeded",
              color: "series-1",
              values: bars.calls.map((calls, at) => calls - (bars.failed_calls[at] ?? 0)),
            },
            { id: "failed", label: "Failed calls", color: "bad", values: bars.failed_calls },
          ]
        : undefined,
    [bars],
  );
  if (first && !bars) return null;
  return (
    <TimeChart
      label="Calls over time"
      buckets={buckets}
      series={series}
      unit="count"
      stacked
      height={84}
      onZoom={(since, until) => setSearch({ since, until })}
    />
  );
}

function Actions({ search, isLive }: { search: TracesSearch & Raw; isLive: boolean }) {
  const setSearch = useSetSearch();
  const { density } = usePreferences();
  useShortcuts([
    {
      keys: "l",
      meaning: "Follow new traces, or stop",
      run: () => setSearch({ live: isLive ? undefined : "on" }),
    },
  ]);
  return (
    <>
      <Button
        small
        aria-pressed={isLive}
        className={isLive ? "traces-live" : undefined}
        icon={<Radio size={14} aria-hidden="true" />}
        onClick={() => setSearch({ live: isLive ? undefined : "on" })}
      >
        Live
      </Button>
      <Views search={search} />
      <Button
        tone="quiet"
        small
        label={density === "dense" ? "More room between rows" : "Less room between rows"}
        icon={<Rows3 size={15} aria-hidden="true" />}
        onClick={() => setPreferences({ density: density === "dense" ? "roomy" : "dense" })}
      />
    </>
  );
}

const PAUSE_MS = 350;

function SearchField({ text }: { text: string }) {
  const setSearch = useSetSearch();
  const write = (words: string) => setSearch({ text: words || undefined }, { replace: text !== "" });
  const [typed, setTyped] = useTyped(text, write, PAUSE_MS);
  const field = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", meaning: "Search", run: () => field.current?.focus() }]);
  return (
    <label className="traces-search">
      <Search size={15} aria-hidden="true" />
      <input
        ref={field}
        type="search"
        value={typed}
        autoComplete="off"
        spellCheck={false}
        placeholder="Search messages, span names, errors, ids; paste a trace or call id to open it"
        aria-label="Search messages, span names, errors and ids"
        onChange={(event) => setTyped(event.target.value)}
      />
    </label>
  );
}

const MOST_TRIES = 20;

/** Where the server's time ended before it had found a row, it is asked to go on from there: nobody has to press for it. */
function useGoingOn(found: ReturnType<typeof useFound>, wanted: boolean): void {
  const { hasNextPage, isFetching, isError, fetchNextPage } = found;
  const tries = found.data?.pages.length ?? 0;
  useEffect(() => {
    if (wanted && hasNextPage && !isFetching && !isError && tries < MOST_TRIES) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, isError, tries, fetchNextPage]);
}

/** A pasted id leads to what it is of. */
function useJump(first: Explored | undefined, text: string | undefined): void {
  const navigate = Route.useNavigate();
  const jump = text ? first?.jump : null;
  useEffect(() => {
    if (!jump) return;
    void navigate({
      to: "/traces/$traceId",
      params: { traceId: jump.trace_id },
      search: { span: jump.span_id ?? undefined },
      replace: true,
    } as never);
  }, [jump, navigate]);
}

function Nothing({ since, isWide }: { since: string; isWide: boolean }) {
  const setSearch = useSetSearch();
  return (
    <div className="traces-nothing">
      <Empty title="No traces in this time" icon={<Radio size={22} aria-hidden="true" />}>
        <p>
          Run one of these. <span role="status">Waiting: the first trace appears here by itself.</span>
        </p>
        {!isWide && (
          <Button onClick={() => setSearch({ since: "30d", until: undefined })}>
            Look at the last 30 days instead of {since}
          </Button>
        )}
      </Empty>
      <Snippet />
    </div>
  );
}
