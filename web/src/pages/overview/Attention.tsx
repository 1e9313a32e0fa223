import { Banknote, CircleHelp, Stethoscope } from "lucide-react";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { queries } from "@/api/queries";
import { money } from "@/format/money";
import { plural, share } from "@/format/numbers";
import { When } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import type { Filters } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import type { Overview } from "./words";

/** With a sentence of their own; of the others their number is said. */
const MOST_BUDGETS = 2;

/**
 * How many findings the doctor had when it was last asked from here; null where it was not.
 *
 * An examination reads calls of a week, which the first page must not make anybody wait for.
 */
function knownFindings(): number | null {
  const [, found] =
    queries
      .getQueriesData<Schemas["Examination"]>({
        predicate: ({ queryKey: [url] }) => String(url).startsWith("/api/v1/doctor"),
      })
      .find(([, examination]) => examination !== undefined) ?? [];
  return found?.diagnoses.filter((each) => each.severity !== "info").length ?? null;
}

/** What somebody should look at: budgets, calls without a price, the doctor's findings. Nothing where nothing is. */
export function Attention({ data, filters }: { data: Overview | undefined; filters: Filters }) {
  const href = useHref();
  const findings = knownFindings();
  const unpriced = data ? data.now.calls - data.now.priced_calls : 0;
  const notes: ReactNode[] = [];
  for (const budget of data?.budgets.slice(0, MOST_BUDGETS) ?? []) {
    notes.push(
      <Note
        key={`budget ${budget.name}`}
        href={href("/budgets")}
        icon={<Banknote size={14} aria-hidden="true" />}
      >
        Budget {budget.name}: {budget.percent}% of {money(budget.limit_usd)}
        {budget.crosses && (
          <>
            , spent <When at={budget.crosses} />
          </>
        )}
      </Note>,
    );
  }
  const more = (data?.budgets.length ?? 0) - MOST_BUDGETS;
  if (more > 0) {
    notes.push(
      <Note key="budgets" href={href("/budgets")} icon={<Banknote size={14} aria-hidden="true" />}>
        {plural(more, "more budget")} to look at
      </Note>,
    );
  }
  if (data && unpriced) {
    notes.push(
      <Note
        key="unpriced"
        href={`${href("/costs", { ...filters })}#unpriced`}
        icon={<CircleHelp size={14} aria-hidden="true" />}
      >
        {plural(unpriced, "call")} ({share(unpriced / data.now.calls)}) without a price
      </Note>,
    );
  }
  if (data) {
    notes.push(
      <Note
        key="doctor"
        href={href("/doctor")}
        icon={<Stethoscope size={14} className={findings ? "" : "overview-note-calm"} aria-hidden="true" />}
      >
        {findings === null ? "Ask the doctor" : `The doctor has ${plural(findings, "finding")}`}
      </Note>,
    );
  }
  return (
    <ul className="overview-attention" aria-label="To look at">
      {notes}
    </ul>
  );
}

function Note({ href, icon, children }: { href: string; icon: ReactNode; children: ReactNode }) {
  return (
    <li>
      <RouteLink className="overview-note" href={href}>
        {icon}
        <span>{children}</span>
      </RouteLink>
    </li>
  );
}
