import { plural } from "@/format/numbers";
import { Count } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { type Filters, filterValue, groupName } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import { NothingBefore } from "./Changes";
import type { ChangedBy } from "./search";
import { type Contribution, errorReasons, type Overview, signedCount, windowBefore } from "./words";

interface Props {
  data: Overview | undefined;
  by: ChangedBy;
  filters: Filters;
}

/** What made the difference in failed calls, by one dimension: the parts add up to it. */
export function ErrorChanges({ data, by, filters }: Props) {
  const rows = data?.changed.find((each) => each.by === by)?.errors;
  if (!data || !rows) return <Skeleton height="1.9rem" lines={6} />;
  if (!data.before.calls || data.before_begins_late) return <NothingBefore data={data} />;
  const shown = rows.filter((row) => row.failed || row.failed_before);
  if (!shown.length) return <p className="muted">No call failed, in this time or in the one before.</p>;
  const largest = Math.max(...shown.map((row) => Math.abs(more(row))), 1);
  return (
    <ol className="changes" aria-label={`What changed by ${by}, in errors`}>
      {shown.map((row) => (
        <Row
          key={row.other ? "\u0000other" : (row.name ?? "\u0000")}
          row={row}
          by={by}
          part={Math.abs(more(row)) / largest}
          filters={filters}
        />
      ))}
    </ol>
  );
}

function Row({
  row,
  by,
  part,
  filters,
}: {
  row: Contribution;
  by: ChangedBy;
  part: number;
  filters: Filters;
}) {
  const href = useHref();
  const name = row.other ? plural(row.groups, "other") : groupName(row.name);
  const to = row.other
    ? undefined
    : href("/traces", { ...filters, [by]: [filterValue(row.name)], status: "failed" });
  return (
    <li className="changes-row">
      <span className="changes-name" title={name}>
        {to ? <RouteLink href={to}>{name}</RouteLink> : <span className="muted">{name}</span>}
      </span>
      <span className="changes-bars" aria-hidden="true">
        <span
          className={more(row) < 0 ? "changes-bar changes-less" : "changes-bar changes-worse"}
          style={{ width: `${part * 50}%` }}
        />
      </span>
      <span className="changes-amount">{signedCount(more(row))}</span>
      <span className="changes-why">{errorReasons(row)}</span>
    </li>
  );
}

/** The difference in a sentence, and the group that made most of it. */
export function ErrorChangeSentence({ data, by }: { data: Overview | undefined; by: ChangedBy }) {
  return (
    <span className="changes-sentence">
      {data ? <Sentence data={data} by={by} /> : <Skeleton lines={2} />}
    </span>
  );
}

function Sentence({ data, by }: { data: Overview; by: ChangedBy }) {
  const { before, failed_difference: difference } = data;
  if (!before.calls || data.before_begins_late) return null;
  const rows = data.changed.find((each) => each.by === by)?.errors ?? [];
  const cause = rows.find((row) => !row.other && Math.sign(more(row)) === Math.sign(difference));
  if (difference === 0) {
    return (
      <>
        <Count n={data.now.failed_calls} /> calls failed, as many as in {windowBefore(before)}.
      </>
    );
  }
  return (
    <>
      <strong>{Math.abs(difference).toLocaleString("en-US")}</strong> {difference > 0 ? "more" : "fewer"}{" "}
      calls failed than in {windowBefore(before)}.
      {cause && (
        <>
          {" "}
          <strong>{groupName(cause.name)}</strong> moved it most: {signedCount(more(cause))},{" "}
          {errorReasons(cause)}.
        </>
      )}
    </>
  );
}

function more(row: Contribution): number {
  return row.failed - row.failed_before;
}
