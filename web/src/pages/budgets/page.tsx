import { createLazyRoute } from "@tanstack/react-router";
import { Banknote, Plus } from "lucide-react";
import { useState } from "react";
import { type Answer, send } from "@/api/client";
import { queries, useApi } from "@/api/queries";
import { money } from "@/format/money";
import { count } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import { Confirm } from "@/kit/Confirm";
import { Empty } from "@/kit/Empty";
import { When } from "@/kit/Figure";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Skeleton } from "@/kit/Skeleton";
import { useSetSearch } from "@/shell/search";
import { useMayChange, useSession } from "@/shell/session";
import { BudgetForm } from "./BudgetForm";
import { Events } from "./Events";
import "./budgets.css";

export const Route = createLazyRoute("/budgets")({ component: BudgetsPage });

export type Budget = Answer<"/api/v1/budgets/status">["budgets"][number];

function BudgetsPage() {
  const may = useMayChange();
  const isKnown = useSession().data !== undefined;
  const { budget } = Route.useSearch();
  const set = useSetSearch();
  const [edited, setEdited] = useState<Budget | "new" | null>(null);
  const [removed, setRemoved] = useState<Budget | null>(null);
  const { data, error, refetch } = useApi("/api/v1/budgets/status", {}, { live: true });
  // What was told of a budget is not asked for once it is gone.
  const ask = (each: Budget) => {
    if (budget === each.id) set({ budget: undefined }, { replace: true });
    setRemoved(each);
  };
  const make = may && (
    <Button tone="primary" icon={<Plus size={15} aria-hidden="true" />} onClick={() => setEdited("new")}>
      Make a budget
    </Button>
  );
  const none = data?.budgets.length === 0;
  return (
    <Page title="Budgets" actions={none ? undefined : make || undefined}>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {!error && !data && <Skeleton height="7rem" lines={3} />}
      {none && (
        <Empty title="There are no budgets" icon={<Banknote size={22} aria-hidden="true" />}>
          <p>
            A budget says what may be spent in an hour, a day or a month: by a tenant, a feature, an agent, or
            altogether. It warns before it is spent, and says when it will be at this pace. A hard one refuses
            reservations beyond it.
          </p>
          {make || (isKnown && <p>An admin key makes one.</p>)}
        </Empty>
      )}
      <ul className="budgets-list">
        {data?.budgets.map((each) => (
          <Card
            key={each.id}
            budget={each}
            open={budget === each.id}
            onToggle={() => set({ budget: budget === each.id ? undefined : each.id }, { replace: true })}
            {...(may ? { onEdit: () => setEdited(each), onRemove: () => ask(each) } : {})}
          />
        ))}
      </ul>
      {edited && <BudgetForm budget={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      {removed && (
        <Confirm
          title={`Remove the budget ${removed.name}?`}
          verb="Remove"
          onConfirm={async () => {
            await send("DELETE", `/api/v1/budgets/${encodeURIComponent(removed.id)}`);
            void queries.invalidateQueries();
          }}
          onClose={() => setRemoved(null)}
        >
          <p>
            What was spent stays on record; nobody warns of it any more
            {removed.kind === "hard" && ", and reservations are no longer held to it"}. This cannot be taken
            back.
          </p>
        </Confirm>
      )}
    </Page>
  );
}

interface CardProps {
  budget: Budget;
  open: boolean;
  onToggle: () => void;
  onEdit?: () => void;
  onRemove?: () => void;
}

function Card({ budget, open, onToggle, onEdit, onRemove }: CardProps) {
  const { percent, spent_usd, limit_usd, held } = budget;
  const level = levelOf(budget);
  return (
    <li className="budgets-card">
      <div className="budgets-head">
        <h2>{budget.name}</h2>
        <span className="muted">{scopeText(budget)}</span>
        <Badge
          title={
            budget.kind === "hard" ? "Reservations beyond it are refused" : "It warns, and refuses nothing"
          }
        >
          {budget.kind}
        </Badge>
        {!budget.in_force && <Badge>not in force</Badge>}
        <span className="budgets-actions">
          <Button small tone="quiet" aria-expanded={open} onClick={onToggle}>
            {open ? "Close" : "Details"}
          </Button>
          {onEdit && (
            <Button small tone="quiet" aria-label={`Change ${budget.name}`} onClick={onEdit}>
              Change
            </Button>
          )}
          {onRemove && (
            <Button small tone="quiet" aria-label={`Remove ${budget.name}`} onClick={onRemove}>
              Remove
            </Button>
          )}
        </span>
      </div>
      {spent_usd !== null && percent !== null && (
        <>
          <p className="budgets-figures">
            <span className={`budgets-spent budgets-${level}`}>{money(spent_usd)}</span>
            <span className="muted">
              of {money(limit_usd)} this {budget.period}
            </span>
            <span className={`budgets-percent budgets-${level}`}>{percent}%</span>
          </p>
          <Meter budget={budget} level={level} />
        </>
      )}
      <p className="budgets-outlook">
        <Outlook budget={budget} />
        {held && Number(held.reserved_usd) > 0 && <span>{money(held.reserved_usd)} reserved</span>}
        {held && <span>{money(held.left_usd)} left</span>}
        {(budget.unpriced_calls ?? 0) > 0 && (
          <span className="budgets-warn">
            {count(budget.unpriced_calls ?? 0)} of {count(budget.calls ?? 0)} calls have no price and are not
            in it
          </span>
        )}
      </p>
      {open && <Events budget={budget} />}
    </li>
  );
}

type Level = "calm" | "warn" | "bad";

function levelOf(budget: Budget): Level {
  if ((budget.percent ?? 0) >= 100) return "bad";
  return budget.crossed.length > 0 || budget.forecast?.outlook === "crosses" ? "warn" : "calm";
}

/** How much is spent and reserved, with a mark at each warning. Widths are pixels' business; the figures stand above. */
function Meter({ budget, level }: { budget: Budget; level: Level }) {
  const limit = Number(budget.limit_usd) || 1;
  const spent = Math.min(100, (Number(budget.spent_usd) / limit) * 100);
  const reserved = Math.min(100 - spent, (Number(budget.held?.reserved_usd ?? 0) / limit) * 100);
  return (
    <div className="budgets-meter" aria-hidden="true">
      <span className={`budgets-fill budgets-fill-${level}`} style={{ width: `${spent}%` }} />
      <span className="budgets-reserved" style={{ left: `${spent}%`, width: `${reserved}%` }} />
      {budget.warn
        .filter((each) => each < 100)
        .map((each) => (
          <span
            key={each}
            className="budgets-mark"
            style={{ left: `${each}%` }}
            title={`warns at ${each}%`}
          />
        ))}
    </div>
  );
}

function Outlook({ budget }: { budget: Budget }) {
  const { forecast, period_until } = budget;
  if (!forecast) return <span className="muted">Its time has not begun, or is over.</span>;
  const ends = (
    <>
      {" "}
      (it ends <When at={period_until} />)
    </>
  );
  switch (forecast.outlook) {
    case "crossed":
      return <span className="budgets-bad">Spent{ends}</span>;
    case "crosses":
      return (
        <span className="budgets-warn">
          At this pace it is spent <When at={forecast.crosses} />
          {ends}
        </span>
      );
    case "stays_below":
      return <span>At this pace it lasts{ends}</span>;
    default:
      return <span className="muted">Too early for a forecast{ends}</span>;
  }
}

export function scopeText(budget: Pick<Budget, "scope">): string {
  const parts = Object.entries(budget.scope).map(([name, value]) => `${name} ${value}`);
  return parts.length ? parts.join(", ") : "all calls";
}
