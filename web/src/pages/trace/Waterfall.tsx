import { Bot, CircleAlert, Dot, ListChecks, Sparkles, Workflow, Wrench } from "lucide-react";
import { type KeyboardEvent, memo, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { money, moneyExact } from "@/format/money";
import { count, countShort, duration } from "@/format/numbers";
import { Minimap } from "./Minimap";
import { isUncounted, type Kind, modelsOf, nameOf, type Tree, ticks } from "./tree";

export const ROW = 28;
const OVERSCAN = 8;

export interface WaterfallProps {
  tree: Tree;
  rows: readonly number[];
  folded: ReadonlySet<number>;
  wanted: readonly boolean[] | null;
  selected: number | null;
  onSelect: (at: number) => void;
  onOpen: () => void;
  onFold: (at: number, isFolded: boolean) => void;
}

/** Drawn once and referred to by each row: a component for each of them is what rows would cost most. */
const Sprite = memo(function Sprite() {
  return (
    <svg width="0" height="0" className="waterfall-sprite" aria-hidden="true">
      {Object.entries({ ...ICONS, alert: CircleAlert }).map(([name, Icon]) => (
        <symbol key={name} id={`waterfall-${name}`} viewBox="0 0 24 24">
          <Icon />
        </symbol>
      ))}
    </svg>
  );
});

function Sign({ name, label }: { name: string; label: string }) {
  return (
    <svg className={`waterfall-sign waterfall-sign-${name}`} role="img" aria-label={label}>
      <use href={`#waterfall-${name}`} />
    </svg>
  );
}

const ICONS = { call: Sparkles, tool: Wrench, agent: Bot, task: ListChecks, flow: Workflow, span: Dot };
const KINDS: Record<Kind, string> = {
  call: "call of a model",
  tool: "tool",
  agent: "agent",
  task: "task",
  flow: "flow",
  span: "step",
};

/**
 * The tree of spans, each with its bar in time. Only rows in view are in the page, absolutely placed; one
 * element has the focus and says which row is meant.
 */
export function Waterfall(props: WaterfallProps) {
  const { tree, rows, folded, wanted, selected } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const whole = Math.max(1, tree.view.duration_ns);
  const [zoom, setZoom] = useState<readonly [number, number]>([0, whole]);
  const { first, last } = useInView(scroller, rows.length);
  const placeOf = useMemo(() => new Map(rows.map((at, place) => [at, place])), [rows]);
  useShown(scroller, selected === null ? undefined : placeOf.get(selected));
  const onKeyDown = (event: KeyboardEvent) => {
    if (moved(event, props, placeOf)) event.preventDefault();
  };
  const active = selected ?? rows[0];
  const seen = rows.slice(first, last);
  return (
    <div className="waterfall" data-trace={tree.view.trace_id}>
      <Sprite />
      <Minimap tree={tree} rows={rows} zoom={zoom} onZoom={setZoom} scroller={scroller} />
      <div className="waterfall-head" aria-hidden="true">
        <span className="waterfall-name">Span</span>
        <span className="waterfall-tokens">Tokens</span>
        <span className="waterfall-cost">Cost</span>
        <Ruler from={zoom[0]} to={zoom[1]} />
      </div>
      <div ref={scroller} className="waterfall-scroller">
        <div
          className="waterfall-rows"
          role="tree"
          aria-label="Spans"
          tabIndex={0}
          aria-activedescendant={active === undefined ? undefined : `span-${active}`}
          style={{ height: rows.length * ROW }}
          onKeyDown={onKeyDown}
        >
          {seen.map((at, place) => (
            <Row
              key={at}
              tree={tree}
              at={at}
              top={(first + place) * ROW}
              isSelected={at === selected}
              isFolded={folded.has(at)}
              isFaint={wanted !== null && !wanted[at]}
              from={zoom[0]}
              to={zoom[1]}
              onSelect={props.onSelect}
              onFold={props.onFold}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  tree: Tree;
  at: number;
  top: number;
  isSelected: boolean;
  isFolded: boolean;
  isFaint: boolean;
  from: number;
  to: number;
  onSelect: (at: number) => void;
  onFold: (at: number, isFolded: boolean) => void;
}

const Row = memo(function Row({ tree, at, top, isFolded, isSelected, isFaint, from, to, ...on }: RowProps) {
  const { spans } = tree.view;
  const depth = spans.depth[at] ?? 0;
  const below = (tree.end[at] ?? at + 1) - at - 1;
  const kind = tree.kind[at] ?? "span";
  const start = spans.start_ns[at] ?? 0;
  const length = spans.duration_ns[at] ?? null;
  const runs = spans.odd[at] === "running";
  const failed = tree.failed[at];
  const names = ["waterfall-row", `waterfall-${kind}`];
  if (isSelected) names.push("waterfall-selected");
  if (isFaint) names.push("waterfall-faint");
  if (failed) names.push("waterfall-failed");
  if (tree.critical.has(at)) names.push("waterfall-critical");
  const name = nameOf(tree, at);
  // Many instrumentations put the model into the name: once is enough.
  const model = modelsOf(tree, at).filter((each) => !name.includes(each))[0];
  const uncounted = isUncounted(tree, at);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it has the focus and takes the keys
    <div
      id={`span-${at}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={isSelected}
      aria-expanded={below ? !isFolded : undefined}
      className={names.join(" ")}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => on.onSelect(at)}
    >
      <span className="waterfall-name" style={{ paddingLeft: Math.min(depth, 14) * 14 + 4 }}>
        {below > 0 ? (
          // biome-ignore lint/a11y/noStaticElementInteractions: for the mouse; left and right do it by key
          // biome-ignore lint/a11y/useKeyWithClickEvents: as above
          <span
            className={isFolded ? "waterfall-fold" : "waterfall-fold waterfall-unfolded"}
            title={isFolded ? `Show ${count(below)} below` : "Fold"}
            onClick={(event) => {
              event.stopPropagation();
              on.onFold(at, !isFolded);
            }}
          >
            <i />
          </span>
        ) : (
          <span className="waterfall-fold" />
        )}
        <Sign name={kind} label={KINDS[kind]} />
        <span className="waterfall-text">{name}</span>
        {model && <span className="waterfall-model">{model}</span>}
        {isFolded && <span className="waterfall-below">{countShort(below)}</span>}
        {failed && <Sign name="alert" label="failed" />}
        {!failed && isFolded && tree.failedBelow[at] && <Sign name="alert" label="something below failed" />}
        {uncounted && <span className="waterfall-mark">not counted</span>}
        {runs && <span className="waterfall-mark">running</span>}
      </span>
      <Sums tree={tree} at={at} />
      <span className="waterfall-track">
        <Bar start={start} length={length} from={from} to={to} failed={failed === true} runs={runs} />
        <Waited parts={tree.waited.get(at)} from={from} to={to} />
      </span>
    </div>
  );
});

function Sums({ tree, at }: { tree: Tree; at: number }) {
  const { spans } = tree.view;
  const calls = spans.calls[at] ?? 0;
  const input = spans.input_tokens[at] ?? null;
  const output = spans.output_tokens[at] ?? null;
  const tokens = input === null && output === null ? null : (input ?? 0) + (output ?? 0);
  const cost = spans.cost_usd[at] ?? null;
  const unpriced = spans.unpriced_calls[at] ?? 0;
  const why = unpriced ? `${count(unpriced)} of ${count(calls)} calls without a price` : undefined;
  return (
    <>
      <span
        className="waterfall-tokens number"
        title={tokens === null ? undefined : `${count(input ?? 0)} in, ${count(output ?? 0)} out`}
      >
        {tokens === null ? "" : countShort(tokens)}
      </span>
      <span
        className="waterfall-cost number"
        title={[cost === null ? null : moneyExact(cost), why].filter(Boolean).join(", ") || undefined}
      >
        {cost === null ? (calls ? "–" : "") : money(cost)}
        {cost !== null && unpriced > 0 && "+"}
      </span>
    </>
  );
}

function Bar({
  start,
  length,
  from,
  to,
  failed,
  runs,
}: {
  start: number;
  /** Null where no end is known. */
  length: number | null;
  from: number;
  to: number;
  failed: boolean;
  /** It lasts so long, or longer. */
  runs: boolean;
}) {
  const range = Math.max(1, to - from);
  const left = ((start - from) / range) * 100;
  const right = ((start + (length ?? 0) - from) / range) * 100;
  if (right < 0 || left > 100) return null;
  const begins = Math.max(0, left);
  const width = Math.max(0, Math.min(100, right) - begins);
  const label = begins + width < 80 ? "after" : begins > 18 ? "before" : "inside";
  return (
    <>
      <span
        className={failed ? "waterfall-bar waterfall-bar-failed" : "waterfall-bar"}
        style={{ left: `${begins}%`, width: `max(${width}%, 2px)` }}
      />
      <span
        className={`waterfall-length number waterfall-length-${label}`}
        style={
          label === "before"
            ? { right: `${100 - begins}%` }
            : { left: `${label === "inside" ? begins : begins + width}%` }
        }
      >
        {length === null ? "no end known" : runs ? `${duration(length)} or more` : duration(length)}
      </span>
    </>
  );
}

const MOST_PARTS = 8;

/** Where the trace waited for this span itself, under its bar; many short stretches are drawn as one. */
function Waited({
  parts,
  from,
  to,
}: {
  parts: readonly (readonly [number, number])[] | undefined;
  from: number;
  to: number;
}) {
  if (!parts) return null;
  const range = Math.max(1, to - from);
  const drawn = parts.length <= MOST_PARTS ? parts : [[parts[0]?.[0] ?? 0, parts.at(-1)?.[1] ?? 0] as const];
  return drawn.map(([begin, end]) => {
    const left = Math.max(0, ((begin - from) / range) * 100);
    const right = Math.min(100, ((end - from) / range) * 100);
    if (right <= 0 || left >= 100) return null;
    const faint = drawn !== parts ? " waterfall-waited-often" : "";
    return (
      <span
        key={begin}
        className={`waterfall-waited${faint}`}
        style={{ left: `${left}%`, width: `max(${right - left}%, 1px)` }}
      />
    );
  });
}

function Ruler({ from, to }: { from: number; to: number }) {
  return (
    <span className="waterfall-track waterfall-ruler">
      {ticks(from, to, 5).map((at) => (
        <span
          key={at}
          className="waterfall-tick number"
          style={{ left: `${((at - from) / (to - from)) * 100}%` }}
        >
          {at === 0 ? "0" : duration(at)}
        </span>
      ))}
    </span>
  );
}

/** Which rows are in view, and some around them; tells React only when that changes by a few rows. */
function useInView(scroller: RefObject<HTMLDivElement | null>, length: number) {
  const [view, setView] = useState({ first: 0, last: 60 });
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const top = Math.floor(element.scrollTop / ROW);
      const height = Math.ceil(element.clientHeight / ROW);
      const first = Math.max(0, Math.floor(top / 4) * 4 - OVERSCAN);
      const last = Math.min(length, top + height + OVERSCAN + 4);
      setView((before) => (before.first === first && before.last === last ? before : { first, last }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [scroller, length]);
  return { first: Math.min(view.first, length), last: Math.min(view.last, length) };
}

/** Brings a row into view when another one is meant. */
function useShown(scroller: RefObject<HTMLDivElement | null>, place: number | undefined): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element || place === undefined) return;
    const top = place * ROW;
    if (top < element.scrollTop) element.scrollTop = Math.max(0, top - ROW * 2);
    else if (top + ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + ROW * 3 - element.clientHeight;
    }
  }, [scroller, place]);
}

function moved(event: KeyboardEvent, props: WaterfallProps, places: ReadonlyMap<number, number>): boolean {
  const { tree, rows, folded, selected } = props;
  if (event.metaKey || event.ctrlKey || event.altKey) return false;
  const place = selected === null ? -1 : (places.get(selected) ?? -1);
  const go = (to: number) => {
    const at = rows[Math.min(rows.length - 1, Math.max(0, to))];
    if (at !== undefined) props.onSelect(at);
    return true;
  };
  const at = rows[place];
  const hasBelow = at !== undefined && (tree.end[at] ?? 0) > at + 1;
  switch (event.key) {
    case "ArrowDown":
    case "j":
      return go(place + 1);
    case "ArrowUp":
    case "k":
      return go(place - 1);
    case "PageDown":
      return go(place + 20);
    case "PageUp":
      return go(place - 20);
    case "Home":
      return go(0);
    case "End":
      return go(rows.length - 1);
    case "Enter":
      props.onOpen();
      return true;
    case "ArrowRight":
      if (at === undefined) return go(0);
      if (hasBelow && folded.has(at)) props.onFold(at, false);
      else if (hasBelow) go(place + 1);
      return true;
    case "ArrowLeft": {
      if (at === undefined) return go(0);
      if (hasBelow && !folded.has(at)) {
        props.onFold(at, true);
        return true;
      }
      const parent = tree.view.spans.parent[at] ?? -1;
      if (parent >= 0) props.onSelect(parent);
      return true;
    }
    default:
      return false;
  }
}
