import { type FormEvent, useState } from "react";
import { ApiProblem, send } from "@/api/client";
import { queries } from "@/api/queries";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Field } from "@/kit/Field";
import { fieldErrors } from "@/kit/fieldErrors";
import { Problem } from "@/kit/Problem";
import type { SetPrice } from "./columns";
import { CLASSES, dayOf, readTerms, type Said, withTimes } from "./terms";

const FIELDS = [
  "provider",
  "model",
  "percent",
  ...CLASSES.map(([name]) => name),
  "tier",
  "tenant",
  "since",
  "until",
  "source",
];
const FIRST = 4;

export interface PriceFormProps {
  /** What stands in the form to begin with. */
  begin: Partial<SetPrice>;
  /** The override that is changed; undefined makes a new one. */
  replaces?: string | undefined;
  providers: readonly string[];
  onClose: () => void;
  /** It was set. */
  onSet: (from: string | undefined) => void;
}

/** Sets a price or a discount. */
export function PriceForm({ begin, replaces, providers, onClose, onSet }: PriceFormProps) {
  const [kind, setKind] = useState<"price" | "discount">(begin.kind === "discount" ? "discount" : "price");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [found, setFound] = useState<Record<string, string>>({});
  const errors = fieldErrors(found, error, FIELDS);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const said = withTimes(Object.fromEntries(new FormData(event.currentTarget)) as Said, begin);
    const { body, wrong } = readTerms(kind, said, keptOf(kind, begin));
    setFound(wrong);
    setError(null);
    if (!body) return;
    setBusy(true);
    try {
      const done = await send<{ overrides: { id: string }[] }>("POST", "/api/v1/prices/overrides", body);
      // What an override is for makes its id: with another model or another time it is another one.
      if (replaces && !done.overrides.some((each) => each.id === replaces)) {
        await send("DELETE", `/api/v1/prices/overrides/${replaces}`);
      }
      void queries.invalidateQueries();
      onSet(typeof body.since === "string" ? body.since : undefined);
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  const atField = error instanceof ApiProblem && Object.keys(errors).length > 0;
  const input = (name: keyof SetPrice & string) => ({
    name,
    autoComplete: "off",
    defaultValue: typeof begin[name] === "string" ? String(begin[name]).slice(0, 500) : "",
  });
  return (
    <Dialog
      title={replaces ? "Change a price" : "Set a price"}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="price" disabled={busy}>
            {replaces ? "Change it" : "Set it"}
          </Button>
        </>
      }
    >
      <form id="price" className="form" noValidate onSubmit={submit}>
        <Field label="What">
          {(field) => (
            <select {...field} value={kind} onChange={(event) => setKind(event.target.value as typeof kind)}>
              <option value="price">a price: what is paid, whatever the lists say</option>
              <option value="discount">a discount: percent off what the lists say</option>
            </select>
          )}
        </Field>
        <div className="form-row">
          <Field label="Sold by" error={errors.provider}>
            {(field) => (
              <>
                <input {...field} {...input("provider")} list="price-providers" />
                <datalist id="price-providers">
                  {providers.map((each) => (
                    <option key={each} value={each} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <Field
            label="Model"
            optional={kind === "discount"}
            hint="* stands for anything: gpt-4o*"
            error={errors.model}
          >
            {(field) => <input {...field} {...input("model")} />}
          </Field>
        </div>
        {kind === "discount" ? (
          <Field label="Percent off" error={errors.percent}>
            {(field) => <input {...field} {...input("percent")} inputMode="decimal" />}
          </Field>
        ) : (
          <fieldset className="prices-amounts">
            <legend>US dollars a million tokens</legend>
            <Amounts names={CLASSES.slice(0, FIRST)} input={input} errors={errors} />
            <details open={CLASSES.slice(FIRST).some(([name]) => begin[name])}>
              <summary>Further classes of tokens</summary>
              <Amounts names={CLASSES.slice(FIRST)} input={input} errors={errors} />
            </details>
          </fieldset>
        )}
        <div className="form-row">
          <Field label="From" optional hint="A date; nothing is ever since" error={errors.since}>
            {(field) => (
              <input {...field} {...input("since")} type="date" defaultValue={dayOf(begin.since)} />
            )}
          </Field>
          <Field label="Until" optional hint="Not included" error={errors.until}>
            {(field) => (
              <input {...field} {...input("until")} type="date" defaultValue={dayOf(begin.until)} />
            )}
          </Field>
          <Field label="Tier" optional hint="batch, flex, priority" error={errors.tier}>
            {(field) => <input {...field} {...input("tier")} />}
          </Field>
          <Field label="Tenant" optional hint="For its calls alone" error={errors.tenant}>
            {(field) => <input {...field} {...input("tenant")} />}
          </Field>
        </div>
        <Field
          label="Why, or where it stands"
          optional
          hint="A contract, a page: whoever asks later reads it in the history"
          error={errors.source}
        >
          {(field) => <input {...field} {...input("source")} maxLength={500} />}
        </Field>
        {error !== null && !atField && <Problem error={error} />}
      </form>
    </Dialog>
  );
}

function Amounts({
  names,
  input,
  errors,
}: {
  names: readonly (readonly [keyof SetPrice & string, string])[];
  input: (name: keyof SetPrice & string) => object;
  errors: Record<string, string>;
}) {
  return (
    <div className="form-row">
      {names.map(([name, label]) => (
        <Field key={name} label={label} optional={name !== "input"} error={errors[name]}>
          {(field) => <input {...field} {...input(name)} inputMode="decimal" />}
        </Field>
      ))}
    </div>
  );
}

/** What the form does not show of a price and must not lose. */
function keptOf(kind: "price" | "discount", begin: Partial<SetPrice>): Record<string, unknown> {
  if (kind === "discount") return {};
  return {
    ...(begin.above?.length ? { above: begin.above.map((step) => withoutNulls(step)) } : {}),
    ...(begin.daily ? { daily: begin.daily } : {}),
  };
}

function withoutNulls(values: object): object {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  );
}
