import { money } from "@/format/money";
import { changeSize, count, duration, plural, share, times } from "@/format/numbers";
import { targetText } from "@/format/targets";
import { Section } from "@/kit/Page";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { type Filters, groupName } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import { Course } from "./Course";
import { Figures } from "./Figures";
import { lengthOf, mainCause, moneyChangeOf, type Overview, signed, unbroken, windowBefore } from "./words";

interface Props {
  data: Overview | undefined;
  filters: Filters;
}

/** For who has one minute: three figures, a few plain sentences, one chart. */
export function Executive({ data, filters }: Props) {
  const href = useHref();
  return (
    <div className="overview-executive">
      <Figures data={data} of="executive" />
      {data ? (
        <div className="overview-sentences">
          <p>
            {done(data)} {unbroken(spent(data))}
          </p>
          <p>{quality(data)}</p>
          {data.budgets.map((budget) => (
            <p key={budget.name}>
              Budget <RouteLink href={href("/budgets")}>{budget.name}</RouteLink>:{" "}
              {budget.percent !== null && `${budget.percent}% of ${money(budget.limit_usd)} is spent`}
              {budget.outlook === "crosses" && ", and at this pace it will not last"}
              {budget.outlook === "crossed" && ", all of it"}.
            </p>
          ))}
        </div>
      ) : (
        <Skeleton lines={4} height="1.4rem" />
      )}
      {/* How long the sentences are is not known before they are: what is below them comes with them. */}
      {data && (
        <Section title="Spend over time">
          <Course data={data} chart="spend" height={260} />
        </Section>
      )}
      <p className="muted overview-more">
        <RouteLink href={href("/costs", { ...filters })}>What it was spent on</RouteLink>
        {" · "}
        <RouteLink href={href("/agents")}>How the agents did</RouteLink>
      </p>
    </div>
  );
}

function done({ now }: Overview): string {
  const ended = now.tasks.completed + now.tasks.failed;
  if (!ended) return `In ${lengthOf(now)} the agents made ${plural(now.calls, "call")}.`;
  const succeeded =
    now.tasks.success_share === null ? "" : `; ${share(now.tasks.success_share)} of them succeeded`;
  return `In ${lengthOf(now)} the agents worked on ${count(ended)} tasks${succeeded}.`;
}

function spent({ now, before, before_begins_late, difference_usd, changed }: Overview): string {
  if (now.cost_usd === null) return "What that cost is not known: none of the models has a price.";
  const unpriced = now.calls - now.priced_calls;
  const but = unpriced
    ? ` (${share(unpriced / now.calls)} of the calls have no price and are not in it)`
    : "";
  const cost = `That cost ${money(now.cost_usd)}${but}`;
  const change = moneyChangeOf(before.cost_usd, now.cost_usd);
  if (change === null || difference_usd === null || before_begins_late) return `${cost}.`;
  if (Math.abs(change) < 0.005) return `${cost}, as in ${windowBefore(before)}.`;
  const how = change > 3 ? `${times(change)} times as much as` : moreOrLess(change);
  const cause = mainCause(changed.find((each) => each.by === "tenant")?.spend ?? [], difference_usd);
  const why =
    cause?.difference_usd && cause.name
      ? `, most of all because of ${groupName(cause.name)} (${signed(cause.difference_usd)})`
      : "";
  return `${cost}, ${how} in ${windowBefore(before)}${why}.`;
}

function moreOrLess(change: number): string {
  return `${changeSize(change)} ${change < 0 ? "less" : "more"} than`;
}

function quality({ now, targets }: Overview): string {
  const missed = targets.filter((each) => each.met === false);
  const met = targets.filter((each) => each.met === true);
  if (!missed.length && !met.length) return "None of the targets can be judged in this time.";
  const said = missed.map((each) => {
    if (each.value === null) return null;
    const wanted = targetText(each.value, each.unit);
    if (each.figure === "cost_usd") return `more is spent than ${wanted}`;
    if (each.of === "calls" && each.figure === "error_share" && now.error_share !== null) {
      return `${share(now.error_share)} of the calls fail; it should be below ${wanted}`;
    }
    if (each.of === "calls" && each.figure === "p95_ns" && now.p95_ns !== null) {
      return `one call in twenty takes ${duration(now.p95_ns)} or more; it should be below ${wanted}`;
    }
    if (each.of === "calls" && each.figure === "cache_share" && now.cache_share !== null) {
      return `${share(now.cache_share)} of what is read comes from the cheaper cache; it should be above ${wanted}`;
    }
    if (each.figure === "success_share" && now.tasks.success_share !== null) {
      return `${share(now.tasks.success_share)} of the tasks succeed; it should be above ${wanted}`;
    }
    if (each.of === "tasks" && each.figure === "p95_ns" && now.tasks.p95_ns !== null) {
      return `one task in twenty takes ${duration(now.tasks.p95_ns)} or more; it should be below ${wanted}`;
    }
    return null;
  });
  const shown = said.filter((each) => each !== null);
  const all = missed.length + met.length;
  const first = missed.length ? `${met.length} of ${all} targets are met.` : `All ${all} targets are met.`;
  return [first, ...shown.map((each) => `${each[0]?.toUpperCase()}${each.slice(1)}.`)].join(" ");
}
