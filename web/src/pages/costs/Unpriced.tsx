import { count, plural } from "@/format/numbers";
import { Command } from "@/kit/Command";
import { Section } from "@/kit/Page";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { WithCode } from "@/kit/WithCode";
import { useHref } from "@/shell/links";
import type { Costs } from "./CostChart";
import { type Filters, groupName } from "./filters";

/** Calls without a price: why, whose, and what mends it. */
export function Unpriced({ data, filters }: { data: Costs | undefined; filters: Filters }) {
  const href = useHref();
  const total = data?.unpriced_reasons.reduce((sum, each) => sum + each.calls, 0);
  return (
    <div id="unpriced">
      <Section
        title="Without a price"
        note={
          total
            ? `${plural(total, "call")} of this time ${total === 1 ? "is" : "are"} in no sum of money.`
            : undefined
        }
      >
        {!data && <Skeleton height="3rem" lines={2} />}
        {data && !total && <p className="muted">Every call of this time has a price.</p>}
        <ul className="costs-unpriced">
          {data?.unpriced_reasons.map((each) => (
            <li key={each.reason}>
              <h3>
                <RouteLink href={href("/traces", { ...filters, unpriced_reason: [each.reason] })}>
                  <code>{each.reason}</code>
                </RouteLink>{" "}
                <span className="muted number">{count(each.calls)}</span>
              </h3>
              <p className="costs-unpriced-most">
                {each.most
                  .map((of) => `${groupName(of.provider)} / ${groupName(of.model)} (${count(of.calls)})`)
                  .join(", ")}
              </p>
              <p className="costs-unpriced-remedy">
                <WithCode text={each.remedy} />
              </p>
              <Command command={each.command} />
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}
