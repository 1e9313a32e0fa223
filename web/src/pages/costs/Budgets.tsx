import { money } from "@/format/money";
import { When } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { useHref } from "@/shell/links";
import type { Costs } from "./CostChart";

/** How the budgets stand that count these calls. */
export function Budgets({ data }: { data: Costs | undefined }) {
  const href = useHref();
  if (!data) return <Skeleton height="2.4rem" lines={2} />;
  const inForce = data.budgets.filter((each) => each.spent_usd !== null);
  if (!inForce.length) {
    return (
      <p className="muted">
        No budget counts these calls. <RouteLink href={href("/budgets")}>Make one</RouteLink> and be warned
        before it is spent.
      </p>
    );
  }
  return (
    <ul className="costs-budgets" aria-label="Budgets">
      {inForce.map((each) => (
        <li key={each.name}>
          <span className="costs-budgets-name">
            <RouteLink href={href("/budgets")}>{each.name}</RouteLink>
            <span className="muted"> a {each.period}</span>
          </span>
          <span className="number">
            {money(each.spent_usd ?? "0")} of {money(each.limit_usd)}
          </span>
          <span className="costs-meter" aria-hidden="true">
            <span
              className={
                each.outlook === "crossed"
                  ? "costs-meter-bad"
                  : each.outlook === "crosses"
                    ? "costs-meter-warn"
                    : ""
              }
              style={{ width: `${Math.min(100, each.percent ?? 0)}%` }}
            />
          </span>
          <span className="costs-budgets-said">
            {each.percent}%
            {each.outlook === "crosses" && each.crosses && (
              <>
                , all of it <When at={each.crosses} />
              </>
            )}
            {each.outlook === "crossed" && ", spent"}
            {each.outlook === "stays_below" && ", will last"}
          </span>
        </li>
      ))}
    </ul>
  );
}
