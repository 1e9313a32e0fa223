import { X } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import type { Schemas } from "@/api/client";
import { useApi } from "@/api/queries";
import { count, duration } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import { Code } from "@/kit/Code";
import { Conversation, type Said } from "@/kit/Conversation";
import { Copy } from "@/kit/Copy";
import { Duration, When } from "@/kit/Figure";
import { Id } from "@/kit/Id";
import { JsonTree } from "@/kit/JsonTree";
import { parseJson } from "@/kit/jsonValue";
import { PlainText } from "@/kit/PlainText";
import { Problem } from "@/kit/Problem";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { Tabs } from "@/kit/Tabs";
import { CallCost } from "./CallCost";
import { callCurl } from "./curl";
import type { TabId } from "./search";
import { ancestors, nameOf, type Tree, text } from "./tree";

type Detail = Schemas["SpanDetail"];
type Call = Schemas["SpanCall"];

export interface SpanPanelProps {
  tree: Tree;
  at: number;
  tab: TabId | undefined;
  onTab: (tab: TabId) => void;
  onSpan: (at: number) => void;
  onClose: () => void;
}

/** One span with all it holds, beside the tree. */
export function SpanPanel({ tree, at, tab, onTab, onSpan, onClose }: SpanPanelProps) {
  const { view } = tree;
  const spanId = view.spans.span_id[at] ?? "";
  const { data, error, refetch } = useApi(
    "/api/v1/traces/{trace_id}/spans/{span_id}",
    { params: { trace_id: view.trace_id, span_id: spanId } },
    { keep: false },
  );
  const parent = view.spans.parent[at] ?? -1;
  const execution = tree.executions.get(at);
  const status = view.spans.status_message[at];
  const own = tree.critical.get(at);
  return (
    <>
      <header className="span-head">
        <div className="span-title">
          <h2>{nameOf(tree, at)}</h2>
          <Button
            tone="quiet"
            small
            label="Close"
            icon={<X size={15} aria-hidden="true" />}
            onClick={onClose}
          />
        </div>
        <div className="span-facts">
          {tree.failed[at] && <Badge tone="bad">failed</Badge>}
          {execution && <Badge>{`${execution.kind} ${execution.status}`}</Badge>}
          {view.spans.odd[at] && <Badge tone="warn">{ODD[view.spans.odd[at] ?? ""]}</Badge>}
          <Duration ns={view.spans.duration_ns[at]} why="nobody said when it ended" />
          <span className="muted number">at {duration(view.spans.start_ns[at] ?? 0)}</span>
          {own !== undefined && (
            <span
              className="span-critical number"
              title="So long the whole trace waited for this span itself"
            >
              {duration(own)} on the critical path
            </span>
          )}
          <Id id={spanId} of="span id" />
        </div>
        {parent >= 0 && (
          <div className="span-path">
            {ancestors(tree, at)
              .reverse()
              .slice(-4)
              .map((each) => (
                <button key={each} type="button" onClick={() => onSpan(each)}>
                  {nameOf(tree, each)}
                </button>
              ))}
          </div>
        )}
        {(text(view, status) ?? execution?.errorMessage) && (
          <div className="span-error">
            <PlainText text={text(view, status) ?? execution?.errorMessage ?? ""} first={600} />
          </div>
        )}
      </header>
      {error ? (
        <Problem error={error} onRetry={() => void refetch()} />
      ) : data ? (
        <Body detail={data} tab={tab} onTab={onTab} tree={tree} onSpan={onSpan} />
      ) : (
        <div className="span-waiting" aria-busy="true">
          <Skeleton height={32} />
          <Skeleton lines={12} />
        </div>
      )}
    </>
  );
}

const ODD: Record<string, string> = {
  orphan: "its parent has not come",
  cycle: "its parent is below it",
  missing: "the span itself is not there",
  running: "still going when last heard of",
};

interface BodyProps {
  detail: Detail;
  tree: Tree;
  tab: TabId | undefined;
  onTab: (tab: TabId) => void;
  onSpan: (at: number) => void;
}

function Body({ detail, tree, tab, onTab, onSpan }: BodyProps) {
  const hasMessages = detail.calls.some((call) => call.input.length + call.output.length > 0);
  const attributes = Object.keys(detail.attributes).length;
  const tabs = [
    ...(detail.calls.length ? [{ id: "conversation", label: "Conversation" }] : []),
    ...(detail.calls.length ? [{ id: "cost", label: "Cost" }] : []),
    { id: "attributes", label: "Attributes", count: attributes },
    { id: "events", label: "Events", count: detail.events.length },
    { id: "raw", label: "Raw" },
  ];
  const natural = hasMessages
    ? "conversation"
    : detail.events.some((event) => event.name === "exception")
      ? "events"
      : detail.calls.length
        ? "cost"
        : "attributes";
  const active = tabs.some((each) => each.id === tab) ? (tab as string) : natural;
  return (
    <Tabs label="Of the span" tabs={tabs} active={active} onSelect={(id) => onTab(id as TabId)}>
      {active === "conversation" && (
        <Each calls={detail.calls}>
          {(call) => <Messages detail={detail} call={call} tree={tree} onSpan={onSpan} />}
        </Each>
      )}
      {active === "cost" && (
        <Each calls={detail.calls}>{(call) => <CallCost call={call} tree={tree} onSpan={onSpan} />}</Each>
      )}
      {active === "attributes" && <Attributes detail={detail} />}
      {active === "events" && <Events detail={detail} />}
      {active === "raw" && <Raw detail={detail} />}
    </Tabs>
  );
}

function Each({ calls, children }: { calls: readonly Call[]; children: (call: Call) => ReactNode }) {
  return calls.map((call) => (
    <section
      key={call.call_id}
      className="span-call"
      aria-label={`${call.operation} ${call.request_model ?? ""}`}
    >
      {calls.length > 1 && (
        <h3>
          {call.operation} {call.response_model ?? call.request_model}
        </h3>
      )}
      {children(call)}
    </section>
  ));
}

function Messages({
  detail,
  call,
  tree,
  onSpan,
}: {
  detail: Detail;
  call: Call;
  tree: Tree;
  onSpan: (at: number) => void;
}) {
  const messages = useMemo(() => saidIn(detail, call), [detail, call]);
  const curl = useMemo(() => callCurl(detail, call), [detail, call]);
  const from = call.goes_on_from ? tree.places.get(call.goes_on_from.split(":")[1] ?? "") : undefined;
  const old = call.input.length - call.new.length;
  return (
    <>
      <div className="span-step">
        {from === undefined ? (
          <span className="muted">The beginning of this conversation in the trace.</span>
        ) : (
          <span>
            {count(call.new.length)} new, {count(old)} as in{" "}
            <button type="button" className="span-link" onClick={() => onSpan(from)}>
              the step before
            </button>
            {call.left_out > 0 && `, ${count(call.left_out)} of its messages left out`}
          </span>
        )}
        {curl && <Copy label="Copy request as curl" labelled text={curl} />}
      </div>
      <Conversation
        messages={messages}
        foldOld
        empty="No messages were recorded. Content capture may be off in the SDK, or the texts have expired."
      />
    </>
  );
}

function saidIn(detail: Detail, call: Call): Said[] {
  const fresh = new Set(call.new);
  const said = (hash: string, key: string, isNew: boolean): Said => {
    const message = detail.messages[hash];
    return {
      key,
      role: message?.role ?? null,
      content: message?.content ?? null,
      isNew,
      aside: message?.cut ? `${count(message.cut)} characters more` : undefined,
    };
  };
  return [
    ...call.input.map((hash, at) => said(hash, `in ${at} ${hash}`, fresh.has(at))),
    ...call.output.map((hash, at) => said(hash, `out ${at} ${hash}`, true)),
  ];
}

type Values = Detail["attributes"];

function Attributes({ detail }: { detail: Detail }) {
  return (
    <div className="span-attributes">
      <ValueTable values={detail.attributes} empty="The span has no attributes of its own." />
      <h3>Resource</h3>
      <ValueTable values={detail.resource} empty="Nothing is said of where it ran." />
      <h3>Scope</h3>
      <dl className="span-values">
        <div>
          <dt>name</dt>
          <dd>{detail.scope || "–"}</dd>
        </div>
        <div>
          <dt>version</dt>
          <dd>{detail.scope_version || "–"}</dd>
        </div>
      </dl>
      {detail.links.length > 0 && (
        <>
          <h3>Links</h3>
          {detail.links.map((link) => (
            <p key={`${link.trace_id}${link.span_id}`}>
              <RouteLink href={`/traces/${link.trace_id}?span=${link.span_id}`}>
                {link.trace_id.slice(0, 8)} · {link.span_id}
              </RouteLink>
            </p>
          ))}
        </>
      )}
    </div>
  );
}

function ValueTable({ values, empty }: { values: Values; empty: string }) {
  const names = Object.keys(values);
  if (names.length === 0) return <p className="muted">{empty}</p>;
  return (
    <dl className="span-values">
      {names.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value value={values[name]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: Values[string] | undefined }) {
  if (value === undefined || value.value === null) return <span className="muted">no longer kept</span>;
  const json = value.type === "json" || /^\s*[[{]/.test(value.value) ? parseJson(value.value) : undefined;
  return (
    <>
      {json !== undefined && typeof json === "object" && json !== null ? (
        <JsonTree value={json} open={0} />
      ) : (
        <PlainText text={value.value} />
      )}
      {value.cut ? <span className="muted">{count(value.cut)} characters more</span> : null}
    </>
  );
}

function Events({ detail }: { detail: Detail }) {
  if (detail.events.length === 0) return <p className="muted">No events were recorded in this span.</p>;
  return detail.events.map((event, at) => {
    const {
      "exception.stacktrace": stack,
      "exception.type": type,
      "exception.message": message,
      ...rest
    } = event.attributes;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: events have no ids, and their order never changes
      <section key={at} className="span-event" aria-label={event.name}>
        <h3>
          {event.name === "exception" && type?.value ? type.value : event.name}
          <span className="muted number"> after {duration(event.offset_ns)}</span>
        </h3>
        {message?.value && <PlainText text={message.value} />}
        {stack?.value && <Code text={stack.value} language="stack trace" height={420} />}
        {Object.keys(rest).length > 0 && <ValueTable values={rest} empty="" />}
      </section>
    );
  });
}

function Raw({ detail }: { detail: Detail }) {
  const raw = useMemo(() => JSON.stringify(detail, null, 2), [detail]);
  return (
    <>
      <p className="muted span-started">
        Started <When at={detail.start} relative={false} millis />
      </p>
      <Code text={raw} language="json" file={`span-${detail.span_id}.json`} />
    </>
  );
}
