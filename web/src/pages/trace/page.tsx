import { createLazyRoute } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, CircleAlert, Search } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { address } from "@/api/client";
import { useApi } from "@/api/queries";
import { count, plural } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import { Copy } from "@/kit/Copy";
import { Empty } from "@/kit/Empty";
import { Count, Duration, Money, Stat, Stats, Unknown, When } from "@/kit/Figure";
import { Id } from "@/kit/Id";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { RouteLink } from "@/kit/RouteLink";
import { Select } from "@/kit/Select";
import { Skeleton } from "@/kit/Skeleton";
import { visible } from "@/kit/visibleText";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import { useSession } from "@/shell/session";
import { useShortcuts } from "@/shell/shortcuts";
import { useTyped } from "@/shell/written";
import { traceCurl } from "./curl";
import { SpanPanel } from "./SpanPanel";
import type { TraceSearch } from "./search";
import { ancestors, matching, nextFailure, rowsOf, type Tree, treeOf, type View, whyFailed } from "./tree";
import { Waterfall } from "./Waterfall";
import "./page.css";

export const Route = createLazyRoute("/traces/$traceId")({ component: TracePage });

function TracePage() {
  const { traceId } = Route.useParams();
  const href = useHref();
  const { data, error, refetch } = useApi(
    "/api/v1/traces/{trace_id}/view",
    { params: { trace_id: traceId } },
    { keep: false },
  );
  const tree = useMemo(() => (data ? treeOf(data) : undefined), [data]);
  if (error && !data) {
    return (
      <Page title={`Trace ${traceId.slice(0, 8)}`}>
        <Problem error={error} onRetry={() => void refetch()}>
          {error.status === 404 && <RouteLink href={href("/traces")}>See the latest traces</RouteLink>}
        </Problem>
      </Page>
    );
  }
  if (!tree) return <Waiting traceId={traceId} />;
  return <Loaded key={tree.view.trace_id} tree={tree} />;
}

function Loaded({ tree }: { tree: Tree }) {
  const { view } = tree;
  const search = Route.useSearch() as TraceSearch;
  const setSearch = useSetSearch();
  const [folded, setFolded] = useState<ReadonlySet<number>>(NONE);
  const writeFind = (words: string) => setSearch({ find: words || undefined }, { replace: true });
  const [find, setFind] = useTyped(search.find ?? "", writeFind, FIND_MS);
  const filter = useRef<HTMLInputElement>(null);
  const panel = useRef<HTMLElement>(null);
  const wanted = useMemo(() => matching(tree, { find, only: search.only }), [tree, find, search.only]);
  const rows = useMemo(() => rowsOf(tree, folded, wanted), [tree, folded, wanted]);
  const selected = search.span === undefined ? null : (tree.places.get(search.span) ?? null);
  const latest = useRef({ setSearch, selected });
  latest.current = { setSearch, selected };

  const select = useCallback(
    (at: number) => {
      const span = tree.view.spans.span_id[at];
      latest.current.setSearch({ span }, { replace: latest.current.selected !== null });
    },
    [tree],
  );
  const fold = useCallback((at: number, isFolded: boolean) => {
    setFolded((before) => {
      const next = new Set(before);
      if (isFolded) next.add(at);
      else next.delete(at);
      return next;
    });
  }, []);
  const reveal = (at: number) => {
    setFolded((before) => new Set([...before].filter((each) => !ancestors(tree, at).includes(each))));
    select(at);
  };
  const toFailure = () => {
    const at = nextFailure(tree, selected ?? -1);
    if (at !== null) reveal(at);
  };
  const why = useMemo(() => firstReason(tree), [tree]);
  const go = useNeighbours(view);
  useShortcuts([
    { keys: "/", meaning: "Find a span", run: () => filter.current?.focus() },
    { keys: "e", meaning: "Next error", run: toFailure },
    {
      keys: "c",
      meaning: "Only the critical path, or all",
      run: () => setSearch({ only: search.only === "critical" ? undefined : "critical" }, { replace: true }),
    },
    { keys: "[", meaning: "The session’s trace before", run: go.previous },
    { keys: "]", meaning: "The session’s trace after", run: go.next },
    { keys: "Escape", meaning: "Close the span", run: () => setSearch({ span: undefined, tab: undefined }) },
  ]);
  const deepest = useMemo(() => foldable(tree), [tree]);
  return (
    <Page title={view.name} lead={<Lead view={view} />} actions={<Actions view={view} />}>
      <Figures view={view} />
      <div className={selected === null ? "trace-split" : "trace-split trace-split-open"}>
        <section className="trace-tree" aria-label="Spans of the trace">
          <div className="trace-bar">
            <label className="trace-find">
              <Search size={14} aria-hidden="true" />
              <input
                ref={filter}
                type="search"
                value={find}
                placeholder="Find in names, models, errors"
                aria-label="Find in names, models, errors"
                onChange={(event) => setFind(event.target.value)}
              />
            </label>
            <Select
              bare
              label="Which spans"
              value={search.only ?? ""}
              choices={ONLY}
              onChange={(only) => setSearch({ only: only || undefined }, { replace: true })}
            />
            {view.errors > 0 && (
              <Button small icon={<CircleAlert size={13} aria-hidden="true" />} onClick={toFailure}>
                <span className="trace-error">
                  {count(view.errors)} {view.errors === 1 ? "error" : "errors"}
                  {why && <span className="trace-why">: {visible(why)}</span>}
                </span>
              </Button>
            )}
            <span className="trace-seen muted" role="status">
              {rows.length === tree.count
                ? plural(tree.count, "span")
                : `${count(rows.length)} of ${plural(tree.count, "span")}`}
            </span>
            <Button tone="quiet" small onClick={() => setFolded(folded.size ? NONE : deepest)}>
              {folded.size ? "Unfold all" : "Fold all"}
            </Button>
          </div>
          {rows.length ? (
            <Waterfall
              tree={tree}
              rows={rows}
              folded={folded}
              wanted={wanted}
              selected={selected}
              onSelect={select}
              onOpen={() => panel.current?.focus()}
              onFold={fold}
            />
          ) : (
            <Empty title="No span is like that">
              <Button
                onClick={() => {
                  setFind("");
                  setSearch({ find: undefined, only: undefined }, { replace: true });
                }}
              >
                Show all spans
              </Button>
            </Empty>
          )}
        </section>
        {selected !== null && (
          <aside ref={panel} className="trace-panel" aria-label="The chosen span" tabIndex={-1}>
            <SpanPanel
              tree={tree}
              at={selected}
              tab={search.tab}
              onTab={(tab) => setSearch({ tab }, { replace: true })}
              onSpan={reveal}
              onClose={() => setSearch({ span: undefined, tab: undefined })}
            />
          </aside>
        )}
      </div>
      {search.span !== undefined && selected === null && (
        <p className="muted">The span {search.span} is not in this trace, or not yet.</p>
      )}
    </Page>
  );
}

/** How long somebody who types pauses before the address says it. */
const FIND_MS = 300;
const NONE: ReadonlySet<number> = new Set();
const ONLY = [
  { value: "", label: "All spans" },
  { value: "critical", label: "Critical path" },
  { value: "calls", label: "Calls of models" },
  { value: "errors", label: "Errors" },
];

/** Why the first span failed that did: what most who come here want to know. */
function firstReason(tree: Tree): string | null {
  const at = nextFailure(tree, -1);
  return at === null ? null : (whyFailed(tree, at)?.slice(0, 200) ?? null);
}

function foldable(tree: Tree): ReadonlySet<number> {
  const all = new Set<number>();
  for (let at = 0; at < tree.count; at++) {
    if ((tree.view.spans.depth[at] ?? 0) > 0 && (tree.end[at] ?? 0) > at + 1) all.add(at);
  }
  return all;
}

function useNeighbours(view: View) {
  const navigate = Route.useNavigate();
  const to = (id: string | undefined) => () => {
    if (id) void navigate({ to: "/traces/$traceId", params: { traceId: id }, search: carriedOnly } as never);
  };
  return { previous: to(view.previous?.trace_id), next: to(view.next?.trace_id) };
}

function carriedOnly({ since, until, tenant }: Record<string, unknown>) {
  return { since, until, tenant };
}

function Lead({ view }: { view: View }) {
  return (
    <span className="trace-lead">
      <State view={view} />
      <When at={view.start} />
      <Id id={view.trace_id} of="trace id" />
    </span>
  );
}

function State({ view }: { view: View }) {
  if (view.errors > 0) return <Badge tone="bad">failed</Badge>;
  return view.spans.odd.includes("running") ? <Badge>running</Badge> : <Badge tone="ok">ok</Badge>;
}

function Actions({ view }: { view: View }) {
  const { data: session } = useSession();
  const link = (id: string | undefined) =>
    id ? `/traces/${id}${location.search.replace(/([?&])(span|tab|find|only)=[^&]*/g, "$1")}` : undefined;
  const before = link(view.previous?.trace_id);
  const after = link(view.next?.trace_id);
  return (
    <>
      {view.session && (
        <span className="trace-session">
          {before ? (
            <RouteLink
              className="trace-step"
              href={before}
              aria-label="The session’s trace before"
              title="The session’s trace before  ["
            >
              <ChevronLeft size={15} aria-hidden="true" />
            </RouteLink>
          ) : null}
          <RouteLink
            href={address("/sessions/{session}", { session: view.session }, { tenant: view.tenant ?? "" })}
            className="trace-replay"
          >
            Session replay
          </RouteLink>
          {after ? (
            <RouteLink
              className="trace-step"
              href={after}
              aria-label="The session’s trace after"
              title="The session’s trace after  ]"
            >
              <ChevronRight size={15} aria-hidden="true" />
            </RouteLink>
          ) : null}
        </span>
      )}
      <span className="trace-curl">
        <Copy
          label="Copy as curl"
          labelled
          text={() => traceCurl(location.origin, view.trace_id, session?.keyed === true)}
        />
      </span>
    </>
  );
}

function Figures({ view }: { view: View }) {
  const { totals } = view;
  const uncounted = Object.entries(view.not_counted);
  const about = [
    ["Tenant", view.tenant],
    ["Feature", view.feature],
    [
      "Agent",
      view.agents.length > 3
        ? `${view.agents.slice(0, 3).join(", ")} and ${view.agents.length - 3} more`
        : view.agents.join(", "),
    ],
    ["Session", view.session],
    ["User", view.user],
    ["Flow", view.flow],
    ["Environment", view.environment],
  ].filter(([, value]) => value);
  const unpriced = Object.entries(totals.unpriced ?? {})
    .map(([reason, calls]) => `${count(calls)} unpriced: ${reason}`)
    .join(", ");
  const tokens =
    totals.input_tokens === null && totals.output_tokens === null
      ? null
      : (totals.input_tokens ?? 0) + (totals.output_tokens ?? 0);
  return (
    <div className="trace-figures">
      <Stats>
        <Stat label="Duration" value={<Duration ns={view.duration_ns} />} />
        <Stat
          label="Cost"
          value={<Money usd={totals.cost_usd} why={unpriced || "no counted calls"} />}
          note={totals.cost_usd === null ? undefined : unpriced || undefined}
        />
        <Stat
          label="Calls"
          value={<Count n={totals.calls} />}
          note={
            uncounted.length
              ? `and ${uncounted.map(([reason, calls]) => `${count(calls)} ${reason}`).join(", ")}, not counted`
              : undefined
          }
        />
        <Stat
          label="Tokens"
          value={tokens === null ? <Unknown why="nobody said" /> : <Count n={tokens} short />}
          note={
            tokens === null
              ? undefined
              : `${count(totals.input_tokens ?? 0)} in, ${count(totals.output_tokens ?? 0)} out`
          }
        />
        <Stat label="Errors" value={<Count n={view.errors} />} />
      </Stats>
      {about.length > 0 && (
        <dl className="trace-about">
          {about.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd title={value ?? undefined}>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function Waiting({ traceId }: { traceId: string }) {
  return (
    <Page title={`Trace ${traceId.slice(0, 8)}`}>
      <div className="trace-figures" aria-busy="true">
        <Skeleton height={64} />
      </div>
      <Skeleton height={480} />
    </Page>
  );
}
