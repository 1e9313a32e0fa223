/** Single figures as text: each with its unit, honest precision, and the exact value in its title. */

import type { ReactNode } from "react";
import { money, moneyChange, moneyExact } from "@/format/money";
import { count, countShort, duration, share } from "@/format/numbers";
import { ago, epochMs, moment, zoneName } from "@/format/times";
import { usePreferences } from "@/shell/preferences";
import { Skeleton } from "./Skeleton";
import { useNow } from "./useNow";
import "./figure.css";

/** What is not known, with the reason for it. */
export function Unknown({ why }: { why?: string | null | undefined }) {
  return (
    <span className="figure-unknown" title={why ?? "not known"}>
      –<span className="hidden-visually">{why ?? "not known"}</span>
    </span>
  );
}

/** Dollars, from decimal text. */
export function Money({
  usd,
  why,
  change,
}: {
  usd: string | null | undefined;
  why?: string | null;
  change?: boolean;
}) {
  if (usd === null || usd === undefined) return <Unknown why={why} />;
  const text = change ? moneyChange(usd) : money(usd);
  return (
    <span className="number" title={moneyExact(usd)} data-long={text.length > 10 || undefined}>
      {text}
    </span>
  );
}

/** A number of things; `short` from ten thousand on. */
export function Count({
  n,
  short,
  why,
}: {
  n: number | null | undefined;
  short?: boolean;
  why?: string | null;
}) {
  if (n === null || n === undefined) return <Unknown why={why} />;
  return (
    <span className="number" title={count(n)}>
      {short ? countShort(n) : count(n)}
    </span>
  );
}

/** How long, from nanoseconds. */
export function Duration({ ns, why }: { ns: number | null | undefined; why?: string | null }) {
  if (ns === null || ns === undefined) return <Unknown why={why} />;
  return (
    <span className="number" title={`${count(ns)} ns`}>
      {duration(ns)}
    </span>
  );
}

/** A part of a whole, as a percentage; of nothing there is none. */
export function Share({
  part,
  of = 1,
  why,
}: {
  part: number | null | undefined;
  of?: number | null;
  why?: string | null;
}) {
  if (part === null || part === undefined || !of) return <Unknown why={why ?? "there was nothing"} />;
  return (
    <span className="number" title={`${(part / of) * 100}%`}>
      {share(part / of)}
    </span>
  );
}

/** A moment, relative or as a date; the other one is its title. */
export function When({
  at,
  relative = true,
  millis,
}: {
  at: string | null | undefined;
  relative?: boolean;
  millis?: boolean;
}) {
  const { zone } = usePreferences();
  const now = useNow();
  if (!at) return <Unknown />;
  const ms = epochMs(at);
  const exact = `${moment(ms, zone, now, millis ?? relative)} ${zoneName(zone, ms)}`;
  const near = ago(ms, now);
  return (
    <time className="number" dateTime={at} title={relative ? exact : near}>
      {relative ? near : moment(ms, zone, now, millis)}
    </time>
  );
}

interface StatProps {
  label: string;
  value: ReactNode;
  /** Against the window before: the text, and whether it is for the better. */
  delta?: { text: string; good: boolean | null } | null;
  /** The target and whether it is met; null is not known. */
  target?: { text: string; met: boolean | null } | null;
  note?: ReactNode;
}

/** One of the figures at the top of a page, with what it is held against. */
export function Stat({ label, value, delta, target, note }: StatProps) {
  return (
    <div className="stat">
      <dt className="stat-label">{label}</dt>
      <dd className="stat-value">{value}</dd>
      <dd className="stat-beside">
        {delta && <span className={`stat-delta ${tone(delta.good)}`}>{delta.text}</span>}
        {target && (
          <span className={`stat-target ${tone(target.met)}`}>
            <span aria-hidden="true">{target.met === null ? "○" : target.met ? "●" : "▲"}</span> {target.text}
            <span className="hidden-visually">
              {target.met === null ? "" : target.met ? ", met" : ", missed"}
            </span>
          </span>
        )}
        {note && <span className="stat-note">{note}</span>}
      </dd>
    </div>
  );
}

/** The room of so many figures until they are known, so that nothing below moves when they are. */
export function StatsAwaited({ labels }: { labels: readonly string[] }) {
  return (
    <Stats>
      {labels.map((label) => (
        <Stat key={label} label={label} value={<Skeleton width="5ch" />} />
      ))}
    </Stats>
  );
}

/** Figures beside each other. */
export function Stats({ children }: { children: ReactNode }) {
  return <dl className="stats">{children}</dl>;
}

function tone(good: boolean | null): string {
  return good === null ? "" : good ? "stat-good" : "stat-bad";
}
