import { type FormEvent, useState } from "react";
import { ApiProblem, type Schemas, send } from "@/api/client";
import { queries } from "@/api/queries";
import { Button } from "@/kit/Button";
import { Code } from "@/kit/Code";
import { Dialog } from "@/kit/Dialog";
import { Field } from "@/kit/Field";
import { fieldErrors } from "@/kit/fieldErrors";
import { Problem } from "@/kit/Problem";
import { signIn } from "@/shell/session";

type Made = Schemas["KeyMade"];
type Role = Made["role"];

const ROLES: readonly { value: Role; label: string }[] = [
  { value: "admin", label: "admin: everything, also keys, prices and budgets" },
  { value: "read", label: "read: looks, and changes nothing" },
  { value: "ingest", label: "ingest: sends telemetry, and reads nothing" },
];
const FIELDS = ["role", "tenant", "name", "requests_per_s", "bytes_per_s"] as const;

/** A form for a key, then the key itself, once. `first`: there are none yet. */
export function MakeKey({ first, onClose }: { first: boolean; onClose: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  return made ? (
    <Shown made={made} onClose={onClose} />
  ) : (
    <Wanted first={first} onClose={onClose} onMade={setMade} />
  );
}

function Wanted({
  first,
  onClose,
  onMade,
}: {
  first: boolean;
  onClose: () => void;
  onMade: (made: Made) => void;
}) {
  const [role, setRole] = useState<Role>(first ? "admin" : "ingest");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [found, setFound] = useState<Record<string, string>>({});
  const errors = fieldErrors(found, error, FIELDS);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const said = new FormData(event.currentTarget);
    const wrong = wrongIn(said);
    setFound(wrong);
    setError(null);
    if (Object.keys(wrong).length > 0) return;
    setBusy(true);
    try {
      const made = await send<Made>("POST", "/api/v1/keys", bodyOf(role, said));
      // From the first key on this browser needs one too; and what is shown next must not be lost to a sign-in.
      if (first) await signIn(made.key);
      else void queries.invalidateQueries();
      onMade(made);
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  const apart = error instanceof ApiProblem && Object.keys(errors).length > 0;
  return (
    <Dialog
      title="Make a key"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="make-key" disabled={busy}>
            Make the key
          </Button>
        </>
      }
    >
      <form id="make-key" className="form" noValidate onSubmit={submit}>
        {first && (
          <p className="keys-note">
            The first key has to be an admin key: with another one nobody could make a second here. This
            browser is signed in with it at once.
          </p>
        )}
        <Field label="What it may do" error={errors.role}>
          {(field) => (
            <select
              {...field}
              name="role"
              value={role}
              disabled={first}
              onChange={(event) => setRole(event.target.value as Role)}
            >
              {ROLES.map((each) => (
                <option key={each.value} value={each.value}>
                  {each.label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="Name"
          optional
          hint="Where it is used, so that you know it again: ci, billing-service"
          error={errors.name}
        >
          {(field) => <input {...field} name="name" maxLength={200} autoComplete="off" />}
        </Field>
        {role !== "admin" && (
          <Field
            label="Tenant"
            optional
            hint="Sends and sees this tenant’s rows alone; empty is everybody’s"
            error={errors.tenant}
          >
            {(field) => <input {...field} name="tenant" maxLength={200} autoComplete="off" />}
          </Field>
        )}
        <div className="form-row">
          <Field label="Requests a second, at most" optional error={errors.requests_per_s}>
            {(field) => <input {...field} name="requests_per_s" inputMode="decimal" autoComplete="off" />}
          </Field>
          <Field label="Bytes a second, at most" optional error={errors.bytes_per_s}>
            {(field) => <input {...field} name="bytes_per_s" inputMode="numeric" autoComplete="off" />}
          </Field>
        </div>
        {error !== null && !apart && <Problem error={error} />}
      </form>
    </Dialog>
  );
}

function wrongIn(said: FormData): Record<string, string> {
  const wrong: Record<string, string> = {};
  const requests = String(said.get("requests_per_s") ?? "").trim();
  const bytes = String(said.get("bytes_per_s") ?? "").trim();
  if (requests && !(Number(requests) > 0))
    wrong.requests_per_s = "A number above 0, or nothing for no limit.";
  if (bytes && !/^[1-9]\d*$/.test(bytes))
    wrong.bytes_per_s = "A whole number above 0, or nothing for no limit.";
  return wrong;
}

function bodyOf(role: Role, said: FormData) {
  const text = (name: string) => String(said.get(name) ?? "").trim();
  return {
    role,
    name: text("name"),
    ...(text("tenant") ? { tenant: text("tenant") } : {}),
    ...(text("requests_per_s") ? { requests_per_s: Number(text("requests_per_s")) } : {}),
    ...(text("bytes_per_s") ? { bytes_per_s: Number(text("bytes_per_s")) } : {}),
  };
}

function Shown({ made, onClose }: { made: Made; onClose: () => void }) {
  const use =
    made.role === "ingest"
      ? `export WATCHGLASS_KEY=${made.key}\n\n# any OpenTelemetry exporter\nexport OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}\nexport OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer ${made.key}"`
      : `export WATCHGLASS_URL=${location.origin}\nexport WATCHGLASS_KEY=${made.key}\nwatchglass usage`;
  return (
    <Dialog
      title="Here is the key"
      onClose={onClose}
      actions={
        <Button tone="primary" onClick={onClose}>
          I have kept it
        </Button>
      }
    >
      <div className="form">
        <p>This is the only time it is shown: the server keeps no more than a hash of it.</p>
        <Code text={made.key} language="key" wrap />
        <p className="muted">
          Use it in the environment of whoever {made.role === "ingest" ? "sends" : "asks"}:
        </p>
        <Code text={use} language="sh" wrap />
      </div>
    </Dialog>
  );
}
