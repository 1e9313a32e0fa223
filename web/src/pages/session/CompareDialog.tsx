import { type FormEvent, useId } from "react";
import { useApi } from "@/api/queries";
import { plural } from "@/format/numbers";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Money, When } from "@/kit/Figure";
import { Problem } from "@/kit/Problem";
import { Skeleton } from "@/kit/Skeleton";

interface Props {
  /** The session that is shown, which the list leaves out. */
  session: string;
  tenant: string | undefined;
  onChoose: (session: string) => void;
  onClose: () => void;
}

/** Which session is to stand beside this one: of the latest, or by its id. */
export function CompareDialog({ session, tenant, onChoose, onClose }: Props) {
  const id = useId();
  const found = useApi("/api/v1/sessions", {
    query: { limit: 20, ...(tenant === undefined ? {} : { tenant: [tenant] }) },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const named = String(new FormData(event.currentTarget).get("session") ?? "").trim();
    if (named) onChoose(named);
  };
  return (
    <Dialog title="Compare with" onClose={onClose}>
      <form className="session-choose" onSubmit={submit}>
        <label htmlFor={id}>Session id</label>
        <input id={id} name="session" autoComplete="off" />
        <Button type="submit" tone="primary">
          Compare
        </Button>
      </form>
      {found.error && <Problem error={found.error} />}
      {found.isPending && <Skeleton lines={6} />}
      <ul className="session-choices">
        {found.data?.rows
          .filter((row) => row.session !== session)
          .map((row) => (
            <li key={`${row.session} ${row.tenant}`}>
              <button type="button" onClick={() => onChoose(row.session)}>
                <span className="session-choice-name">{row.session}</span>
                <span className="muted">
                  {plural(row.calls, "call")}, <Money usd={row.cost_usd} />, <When at={row.last} />
                </span>
              </button>
            </li>
          ))}
      </ul>
    </Dialog>
  );
}
