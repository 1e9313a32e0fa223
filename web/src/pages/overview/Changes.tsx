import { approximately, decimal } from "@/format/decimal";
import { changeText, plural } from "@/format/numbers";
import { Money, When } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { filterValue, groupName } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import type { ChangedBy } from "./search";
import {
  because,
  type Contribution,
  mainCause,
  moneyChangeOf,
  type Overview,
  reasons,
  signed,
  unbroken,
  windowBefore,
} from "./words";

interface Props {
  data: Overview | undefined;
  by: ChangedBy;
  filters: object;
}

/** What made the difference in spend, by one dimension: the parts add up to it. */
export function Changes({ data, by, filters }: Props) {
  const rows = data?.changed.find((each) => each.by === by)?.spend;
  if (!data || !rows) return <Skeleton height="1.9rem" lines={6} />;
  if (!data.before.calls || data.before_begins_late) return <NothingBefore data={data} />;
  const largest = Math.max(...rows.map((row) => Math.abs(approximately(row.difference_usd ?? "0"))), 0);
  return (
    <ol className="changes" aria-label={`What changed by ${by}`}>
      {rows.map((row) => (
        <Row
          key={row.other ? "\u0000other" : (row.name ?? "\u0000")}
          row={row}
          by={by}
          largest={largest}
          filters={filters}
        />
      ))}
    </ol>
  );
}

/** Why nothing can be held against the window before. */
export function NothingBefore({ data }: { data: Overview }) {
  return (
    <p className="muted">
      {data.before_begins_late ? (
        <>
          Records begin <When at={data.before_begins_late} relative={false} />, too late to hold this time
          against {windowBefore(data.before)}. Look at a shorter time to see what changed.
        </>
      ) : (
        <>Nothing was called in {windowBefore(data.before)}, so nothing can be held against it.</>
      )}
    </p>
  );
}

function Row({
  row,
  by,
  largest,
  filters,
}: {
  row: Contribution;
  by: ChangedBy;
  largest: number;
  filters: object;
}) {
  const href = useHref();
  const difference = approximately(row.difference_usd ?? "0");
  const part = largest > 0 ? Math.abs(difference) / largest : 0;
  const name = row.other ? plural(row.groups, "other") : groupName(row.name);
  const to = row.other ? undefined : href("/costs", { ...filters, [by]: [filterValue(row.name)] });
  return (
    <li className="changes-row">
      <span className="changes-name" title={name}>
        {to ? <RouteLink href={to}>{name}</RouteLink> : <span className="muted">{name}</span>}
      </span>
      <span className="changes-bars" aria-hidden="true">
        <span
          className={difference < 0 ? "changes-bar changes-less" : "changes-bar changes-more"}
          style={{ width: `${part * 50}%` }}
        />
      </span>
      <span className="changes-amount">
        <Money usd={row.difference_usd} change why="no call has a price" />
      </span>
      <span className="changes-why">{unbroken(reasons(row))}</span>
    </li>
  );
}

/** The difference in a sentence, and the group that made most of it. */
export function ChangeSentence({ data, by }: { data: Overview | undefined; by: ChangedBy }) {
  return (
    <span className="changes-sentence">
      {data ? <Sentence data={data} by={by} /> : <Skeleton lines={2} />}
    </span>
  );
}

function Sentence({ data, by }: { data: Overview; by: ChangedBy }) {
  const { now, before, difference_usd } = data;
  if (difference_usd === null || !before.calls || data.before_begins_late) return null;
  const change = moneyChangeOf(before.cost_usd, now.cost_usd);
  const rows = data.changed.find((each) => each.by === by)?.spend ?? [];
  const cause = mainCause(rows, difference_usd);
  const same = change === null ? decimal(difference_usd).digits === 0n : Math.abs(change) < 0.0005;
  return (
    <>
      {same ? (
        <>Spend is as in {windowBefore(before)}.</>
      ) : (
        <>
          Spend {approximately(difference_usd) < 0 ? "fell" : "rose"} by{" "}
          <strong>{signed(difference_usd).slice(1)}</strong>
          {change !== null && ` (${changeText(change)})`} against {windowBefore(before)}.
        </>
      )}
      {cause?.difference_usd && (
        <>
          {" "}
          <strong>{groupName(cause.name)}</strong> moved it most:{" "}
          {unbroken(signed(cause.difference_usd) + because(cause))}.
        </>
      )}
    </>
  );
}
