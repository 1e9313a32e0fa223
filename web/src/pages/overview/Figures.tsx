import type { ReactNode } from "react";
import { changeText, pointsText } from "@/format/numbers";
import { targetText } from "@/format/targets";
import { Count, Duration, Money, Share, Stat, Stats, When } from "@/kit/Figure";
import { Skeleton } from "@/kit/Skeleton";
import { changeOf, moneyChangeOf, type Overview } from "./words";

type Delta = { text: string; good: boolean | null } | null;
type Target = { text: string; met: boolean | null } | null;

interface FigureProps {
  data: Overview | undefined;
}

interface Shown {
  id: string;
  label: string;
  value: (data: Overview) => ReactNode;
  delta?: (data: Overview) => Delta;
  target?: [of: "calls" | "tasks", figure: string];
  note?: (data: Overview) => ReactNode;
}

/** Smaller changes are said and not coloured: they are how figures are. */
const NOTABLE = 0.05;
const NOTABLE_SHARE = 0.005;

const SPEND: Shown = {
  id: "spend",
  label: "Spend",
  value: ({ now }) => <Money usd={now.cost_usd} why={now.unknown.cost_usd} />,
  delta: ({ now, before }) => relative(moneyChangeOf(before.cost_usd, now.cost_usd), null),
  target: ["calls", "cost_usd"],
  note: ({ before, before_begins_late }) => {
    if (before_begins_late)
      return (
        <>
          records since <When at={before_begins_late} relative={false} />
        </>
      );
    return before.calls === 0 && "nothing before";
  },
};
const CALLS: Shown = {
  id: "calls",
  label: "Calls",
  value: ({ now }) => <Count n={now.calls} short />,
  delta: ({ now, before }) => relative(changeOf(before.calls, now.calls), null),
};
const ERRORS: Shown = {
  id: "errors",
  label: "Error rate",
  value: ({ now }) => <Share part={now.error_share} why={now.unknown.error_share} />,
  delta: ({ now, before }) => points(before.error_share, now.error_share, false),
  target: ["calls", "error_share"],
};
const P95: Shown = {
  id: "p95",
  label: "p95 of a call",
  value: ({ now }) => <Duration ns={now.p95_ns} why={now.unknown.p95_ns} />,
  delta: ({ now, before }) => relative(changeOf(before.p95_ns, now.p95_ns), false),
  target: ["calls", "p95_ns"],
};
const SPREAD: Shown = {
  id: "spread",
  label: "p50 · p99",
  value: ({ now }) => (
    <span className="overview-pair">
      <Duration ns={now.p50_ns} why={now.unknown.p50_ns} />
      <span className="overview-dot"> · </span>
      <Duration ns={now.p99_ns} why={now.unknown.p99_ns} />
    </span>
  ),
  delta: ({ now, before }) => of("p99", relative(changeOf(before.p99_ns, now.p99_ns), false)),
  target: ["calls", "p99_ns"],
};
const CACHE: Shown = {
  id: "cache",
  label: "Read from cache",
  value: ({ now }) => <Share part={now.cache_share} why={now.unknown.cache_share} />,
  delta: ({ now, before }) => points(before.cache_share, now.cache_share, true),
  target: ["calls", "cache_share"],
};
const TOKENS: Shown = {
  id: "tokens",
  label: "Tokens in · out",
  value: ({ now }) => (
    <span className="overview-pair">
      <Count n={now.input_tokens} short why={now.unknown.input_tokens} />
      <span className="overview-dot"> · </span>
      <Count n={now.output_tokens} short why={now.unknown.output_tokens} />
    </span>
  ),
  delta: ({ now, before }) => of("in", relative(changeOf(before.input_tokens, now.input_tokens), null)),
};
const TASKS: Shown = {
  id: "tasks",
  label: "Tasks that succeed",
  value: ({ now }) => <Share part={now.tasks.success_share} why={now.tasks.unknown.success_share} />,
  delta: ({ now, before }) => points(before.tasks.success_share, now.tasks.success_share, true),
  target: ["tasks", "success_share"],
};
const DONE: Shown = {
  id: "done",
  label: "Tasks done",
  value: ({ now }) => <Count n={now.tasks.completed} short />,
  delta: ({ now, before }) => relative(changeOf(before.tasks.completed, now.tasks.completed), null),
};
const AGENTS: Shown = {
  id: "agents",
  label: "Active agents",
  value: ({ now }) => <Count n={now.active_agents} />,
  delta: ({ now, before }) => relative(changeOf(before.active_agents, now.active_agents), null),
};

const ROWS = {
  engineering: [SPEND, CALLS, ERRORS, P95, SPREAD, TOKENS, CACHE, AGENTS, DONE, TASKS],
  team: [SPEND, DONE, TASKS, ERRORS, AGENTS, CACHE],
  executive: [SPEND, DONE, TASKS],
} as const;

/** The figures of a view, each against the window before and its target. */
export function Figures({ data, of }: FigureProps & { of: keyof typeof ROWS }) {
  return (
    <div className={`overview-figures overview-figures-${of}`}>
      <Stats>
        {ROWS[of].map((each) => (
          <Stat
            key={each.id}
            label={each.label}
            value={data ? each.value(data) : <Skeleton width="5ch" />}
            delta={data && each.delta && !data.before_begins_late ? each.delta(data) : null}
            target={data && each.target ? judged(data, ...each.target) : null}
            note={data && each.note ? each.note(data) : undefined}
          />
        ))}
      </Stats>
    </div>
  );
}

/** A target in words, and whether the window meets it. */
export function judged(data: Overview, of: string, figure: string): Target {
  const target = data.targets.find((each) => each.of === of && each.figure === figure);
  if (!target) return null;
  if (target.value === null) return { text: "no target", met: null };
  const text = targetText(target.value, target.unit);
  return { text: `${target.bound === "below" ? "<" : ">"} ${text}`, met: target.met };
}

function relative(change: number | null, upIsGood: boolean | null): Delta {
  if (change === null) return null;
  const flat = Math.abs(change) < NOTABLE;
  return { text: changeText(change), good: flat || upIsGood === null ? null : change > 0 === upIsGood };
}

/** Which of two figures a change is of. */
function of(which: string, delta: Delta): Delta {
  return delta && { ...delta, text: `${which} ${delta.text}` };
}

function points(before: number | null, now: number | null, upIsGood: boolean): Delta {
  if (before === null || now === null) return null;
  return {
    text: pointsText(now - before),
    good: Math.abs(now - before) < NOTABLE_SHARE ? null : now > before === upIsGood,
  };
}
