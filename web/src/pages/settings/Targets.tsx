import { type FormEvent, useState } from "react";
import { type Schemas, send } from "@/api/client";
import { queries, useApi } from "@/api/queries";
import { kept, targetText, typed } from "@/format/targets";
import { Button } from "@/kit/Button";
import { Field } from "@/kit/Field";
import { When } from "@/kit/Figure";
import { Section } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Skeleton } from "@/kit/Skeleton";
import { useMayChange } from "@/shell/session";

type Target = Schemas["TargetShown"];

const LABELS: Readonly<Record<string, string>> = {
  "calls.cost_usd": "Spend a day",
  "calls.error_share": "Calls that fail",
  "calls.p50_ns": "p50 of a call",
  "calls.p95_ns": "p95 of a call",
  "calls.p99_ns": "p99 of a call",
  "calls.cache_share": "Input read from cache",
  "tasks.success_share": "Tasks that succeed",
  "tasks.p95_ns": "p95 of a task",
  "tasks.p99_ns": "p99 of a task",
};
const UNITS: Readonly<Record<Target["unit"], string>> = {
  share: "%",
  nanoseconds: "seconds",
  usd_per_day: "US dollars",
};

/** What figures are held against, for everybody; an admin changes it. */
export function Targets() {
  const { data, error, refetch } = useApi("/api/v1/targets");
  return (
    <Section
      title="Targets"
      note={
        <>
          What figures are held against, for everybody who looks. Nothing in a field is no target.
          {data?.changed && (
            <>
              {" "}
              Chosen <When at={data.changed} /> by {data.changed_by}.
            </>
          )}
        </>
      }
    >
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data ? (
        <Chosen targets={data.targets} changed={data.changed !== null} />
      ) : (
        !error && <Skeleton height="13rem" />
      )}
    </Section>
  );
}

function Chosen({ targets, changed }: { targets: readonly Target[]; changed: boolean }) {
  const may = useMayChange();
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [state, setState] = useState<"" | "busy" | "saved">("");
  const [fault, setFault] = useState<unknown>(null);
  const change = async (method: "PUT" | "DELETE", body?: { targets: Record<string, string | null> }) => {
    if (state === "busy") return;
    setState("busy");
    setFault(null);
    try {
      await send(method, "/api/v1/targets", body);
      setState("saved");
      void queries.invalidateQueries();
    } catch (error) {
      setFault(error);
      setState("");
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const chosen: Record<string, string | null> = {};
    const found: Record<string, string> = {};
    for (const each of targets) {
      const value = kept(String(said.get(nameOf(each)) ?? ""), each.unit);
      if (value === undefined) found[nameOf(each)] = WRONG[each.unit];
      else if (value !== each.value) chosen[nameOf(each)] = value;
    }
    setWrong(found);
    if (Object.keys(found).length === 0) void change("PUT", { targets: chosen });
  };
  return (
    <form className="settings-targets" noValidate onSubmit={submit}>
      <div className="settings-targets-fields">
        {targets.map((each) => (
          <Field
            key={nameOf(each)}
            label={`${LABELS[nameOf(each)] ?? nameOf(each)}, ${UNITS[each.unit]}`}
            hint={hintOf(each)}
            error={wrong[nameOf(each)]}
          >
            {(field) => (
              <input
                {...field}
                key={each.value}
                name={nameOf(each)}
                inputMode="decimal"
                autoComplete="off"
                placeholder="no target"
                maxLength={20}
                readOnly={!may}
                defaultValue={typed(each)}
              />
            )}
          </Field>
        ))}
      </div>
      {fault !== null && <Problem error={fault} />}
      {!may && <p className="muted">Who has an admin key can change them.</p>}
      {may && (
        <div className="settings-targets-actions">
          <Button type="submit" tone="primary" disabled={state === "busy"}>
            Save targets
          </Button>
          {changed && (
            <Button disabled={state === "busy"} onClick={() => void change("DELETE")}>
              As they come
            </Button>
          )}
          <span role="status" className="muted">
            {state === "saved" && "Saved."}
          </span>
        </div>
      )}
    </form>
  );
}

const WRONG: Readonly<Record<Target["unit"], string>> = {
  share: "A share above 0 and up to 100, such as 2 or 99.5.",
  nanoseconds: "Seconds above 0, such as 2 or 0.25.",
  usd_per_day: "An amount above 0, such as 50 or 0.25.",
};

function nameOf(target: Target): string {
  return `${target.of}.${target.figure}`;
}

function hintOf({ is, unit, value, default: first }: Target): string {
  const side = is === "below" ? "Met when below" : "Met when above";
  if (value === first) return side;
  return `${side}; at first ${first === null ? "there is none" : targetText(first, unit)}`;
}
