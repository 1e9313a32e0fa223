import { useMutation } from "@tanstack/react-query";
import { type ApiProblem, send } from "@/api/client";
import { decimal } from "@/format/decimal";
import { count, plural } from "@/format/numbers";
import { shellWord } from "@/format/shell";
import { Button } from "@/kit/Button";
import { Command } from "@/kit/Command";
import { Money } from "@/kit/Figure";
import { Problem } from "@/kit/Problem";
import { groupName } from "./filters";

interface Change {
  name?: string | null;
  rows: number;
  before_usd: string;
  after_usd: string;
  difference_usd: string;
}

interface Looked {
  looked: number;
  changed: number;
  totals: Change;
  by_model: Change[];
}

interface Asked {
  since: string;
  until?: string;
  [name: string]: unknown;
}

/** What pricing these calls anew would change: asked on demand, for it looks at every one of them. */
export function Reprice({ asked }: { asked: Asked }) {
  const { since, until, ...filters } = asked;
  const look = useMutation<Looked, ApiProblem>({
    mutationFn: () =>
      send<Looked>("POST", "/api/v1/reprices", {
        since,
        ...(until ? { until } : {}),
        filters,
        dry_run: true,
      }),
  });
  return (
    <div className="costs-reprice">
      <Button onClick={() => look.mutate()} disabled={look.isPending}>
        {look.isPending ? "Looking …" : "What would a reprice change?"}
      </Button>
      <div role="status">{look.data && <Answer found={look.data} asked={asked} />}</div>
      {look.error && <Problem error={look.error} />}
    </div>
  );
}

function Answer({ found, asked }: { found: Looked; asked: Asked }) {
  if (!found.changed) {
    return <p>Nothing: all {count(found.looked)} calls have the price that the book has today.</p>;
  }
  return (
    <div className="costs-reprice-found">
      <p>
        {count(found.changed)} of {count(found.looked)} calls would have another price,{" "}
        <strong>
          <Money usd={found.totals.difference_usd} change />
        </strong>{" "}
        in all.
      </p>
      <ul>
        {found.by_model
          .filter((each) => decimal(each.difference_usd).digits !== 0n)
          .slice(0, 8)
          .map((each) => (
            <li key={each.name ?? "\u0000"}>
              {groupName(each.name ?? null)}: <Money usd={each.difference_usd} change /> in{" "}
              {plural(each.rows, "call")}
            </li>
          ))}
      </ul>
      <Command command={command(asked)} />
    </div>
  );
}

/** What reprices the same calls. */
function command({ since, until, ...filters }: Asked): string {
  const only = Object.entries(filters).flatMap(([name, values]) =>
    [values].flat().map((value) => ` --filter ${shellWord(`${name}=${value}`)}`),
  );
  const end = until ? ` --until ${shellWord(until)}` : "";
  return `watchglass reprice --since ${shellWord(since)}${end}${only.join("")}`;
}
