import type { Answer } from "@/api/client";
import { useApi } from "@/api/queries";
import { money } from "@/format/money";
import { When } from "@/kit/Figure";
import { Problem } from "@/kit/Problem";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { stringifySearch } from "@/shell/search";
import type { Budget } from "./page";

type Told = Answer<"/api/v1/budgets/{name}">["told"][number];

/** What was told of a budget, and the facts of it that the card has no room for. */
export function Events({ budget }: { budget: Budget }) {
  const { data, error } = useApi("/api/v1/budgets/{name}", { params: { name: budget.id } });
  const costs = `/costs${stringifySearch({ ...budget.scope, ...(budget.period_since ? { since: budget.period_since } : {}) })}`;
  return (
    <div className="budgets-details">
      <dl className="budgets-facts">
        <dt>Counts</dt>
        <dd>
          each {budget.period} of {budget.zone}
          {budget.since && (
            <>
              , from <When at={budget.since} relative={false} />
            </>
          )}
          {budget.until && (
            <>
              , until <When at={budget.until} relative={false} />
            </>
          )}
        </dd>
        <dt>Warns at</dt>
        <dd>{budget.warn.length ? `${budget.warn.join(", ")} percent` : "no threshold"}</dd>
        {budget.held && (
          <>
            <dt>Held to</dt>
            <dd>
              the larger of {money(budget.held.recorded_usd)} recorded and {money(budget.held.settled_usd)}{" "}
              settled
            </dd>
          </>
        )}
        <dt>Changed</dt>
        <dd>
          <When at={budget.changed} /> by {budget.changed_by}
        </dd>
      </dl>
      <RouteLink href={costs}>What it was spent on</RouteLink>
      <h3>Warnings</h3>
      {error && <Problem error={error} />}
      {!data && !error && <Skeleton lines={2} />}
      {data?.told.length === 0 && <p className="muted">None was given yet.</p>}
      <ol className="budgets-told">
        {data?.told.map((each) => (
          <li key={`${each.at} ${each.event} ${each.percent}`}>
            <When at={each.at} /> {toldText(each)}
          </li>
        ))}
      </ol>
    </div>
  );
}

function toldText(told: Told): string {
  const spent = `${money(told.spent_usd)} of ${money(told.limit_usd)}`;
  return told.event === "threshold"
    ? `${told.percent}% spent: ${spent}`
    : `will be spent before its end: ${spent} by then`;
}
