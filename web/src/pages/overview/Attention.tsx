import { Banknote, CircleHelp, Stethoscope } from "lucide-react";
import type { ReactNode } from "react";
import { useApi } from "@/api/queries";
import { money } from "@/format/money";
import { share } from "@/format/numbers";
import { When } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import { useHref } from "@/shell/links";
import { type Overview, plural } from "./words";

/** What somebody should look at: budgets, calls without a price, the doctor's findings. Nothing where nothing is. */
export function Attention({ data }: { data: Overview | undefined }) {
  const href = useHref();
  const doctor = useApi("/api/v1/doctor", {}, { enabled: data !== undefined });
  const findings = doctor.data?.diagnoses.filter((each) => each.severity !== "info").length ?? 0;
  const unpriced = data ? data.now.calls - data.now.priced_calls : 0;
  const notes: ReactNode[] = [];
  for (const budget of data?.budgets ?? []) {
    notes.push(
      <Note
        key={`budget ${budget.name}`}
        href={href("/budgets")}
        icon={<Banknote size={14} aria-hidden="true" />}
      >
        Budget {budget.name}: {budget.percent}% of {money(budget.limit_usd)} spent
        {budget.crosses && (
          <>
            , all of it <When at={budget.crosses} />
          </>
        )}
      </Note>,
    );
  }
  if (data && unpriced) {
    notes.push(
      <Note
        key="unpriced"
        href={`${href("/costs")}#unpriced`}
        icon={<CircleHelp size={14} aria-hidden="true" />}
      >
        {plural(unpriced, "call")} ({share(unpriced / data.now.calls)}) without a price
      </Note>,
    );
  }
  if (findings) {
    notes.push(
      <Note key="doctor" href={href("/doctor")} icon={<Stethoscope size={14} aria-hidden="true" />}>
        The doctor has {plural(findings, "finding")}
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
