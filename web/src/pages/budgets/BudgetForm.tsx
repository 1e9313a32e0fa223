import { type FormEvent, useState } from "react";
import { ApiProblem, send } from "@/api/client";
import { queries } from "@/api/queries";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Field } from "@/kit/Field";
import { fieldErrors } from "@/kit/fieldErrors";
import { Problem } from "@/kit/Problem";
import { type Budget, scopeText } from "./page";
import { readBudget, type Said, SCOPES } from "./readBudget";

const FIELDS = ["name", "limit_usd", "kind", "period", "zone", "scope", "warn", "since", "until"] as const;
const ZONES = Intl.supportedValuesOf("timeZone");

/** Makes a budget, or changes what of one can change: its limit and its warnings. */
export function BudgetForm({ budget, onClose }: { budget: Budget | null; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [found, setFound] = useState<Record<string, string>>({});
  const errors = fieldErrors(found, error, FIELDS);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const said = Object.fromEntries(new FormData(event.currentTarget)) as Said;
    const { body, wrong } = readBudget(said, budget);
    setFound(wrong);
    setError(null);
    if (!body) return;
    setBusy(true);
    try {
      await send("POST", "/api/v1/budgets", body);
      void queries.invalidateQueries();
      onClose();
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  const atField = error instanceof ApiProblem && Object.keys(errors).length > 0;
  return (
    <Dialog
      title={budget ? `Change ${budget.name}` : "Make a budget"}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="budget" disabled={busy}>
            {budget ? "Change it" : "Make it"}
          </Button>
        </>
      }
    >
      <form id="budget" className="form" noValidate onSubmit={submit}>
        {!budget && (
          <Field label="Name" hint="Letters, digits, dots, dashes: what warnings call it" error={errors.name}>
            {(field) => <input {...field} name="name" required autoComplete="off" maxLength={100} />}
          </Field>
        )}
        <div className="form-row">
          <Field label="Limit, in US dollars" error={errors.limit_usd}>
            {(field) => (
              <input
                {...field}
                name="limit_usd"
                required
                inputMode="decimal"
                autoComplete="off"
                defaultValue={budget?.limit_usd}
              />
            )}
          </Field>
          {!budget && (
            <Field label="For each" error={errors.period}>
              {(field) => (
                <select {...field} name="period" defaultValue="month">
                  <option value="hour">hour</option>
                  <option value="day">day</option>
                  <option value="month">month</option>
                </select>
              )}
            </Field>
          )}
          <Field label="Warn at, in percent" hint="With commas" error={errors.warn}>
            {(field) => (
              <input
                {...field}
                name="warn"
                autoComplete="off"
                defaultValue={(budget?.warn ?? [50, 80, 100]).join(", ")}
              />
            )}
          </Field>
        </div>
        {budget ? (
          <p className="muted">
            It counts {scopeText(budget)}, each {budget.period} of {budget.zone}, and is {budget.kind}: that
            stays, for what was counted would be another thing’s.
          </p>
        ) : (
          <>
            <div className="form-row">
              <Field label="Spend of" error={errors.scope}>
                {(field) => (
                  <select {...field} name="dimension" defaultValue="tenant">
                    <option value="">everything</option>
                    {SCOPES.map((each) => (
                      <option key={each} value={each}>
                        {each.replaceAll("_", " ")}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field label="Called" hint="Its name, as calls give it" error={errors.value}>
                {(field) => <input {...field} name="value" autoComplete="off" maxLength={200} />}
              </Field>
            </div>
            <div className="form-row">
              <Field label="When it is spent" error={errors.kind}>
                {(field) => (
                  <select {...field} name="kind" defaultValue="soft">
                    <option value="soft">warn, and refuse nothing</option>
                    <option value="hard">refuse reservations</option>
                  </select>
                )}
              </Field>
              <Field label="Time zone of its days" error={errors.zone}>
                {(field) => (
                  <>
                    <input {...field} name="zone" list="budget-zones" defaultValue="UTC" autoComplete="off" />
                    <datalist id="budget-zones">
                      {ZONES.map((each) => (
                        <option key={each} value={each} />
                      ))}
                    </datalist>
                  </>
                )}
              </Field>
            </div>
          </>
        )}
        {error !== null && !atField && <Problem error={error} />}
      </form>
    </Dialog>
  );
}
