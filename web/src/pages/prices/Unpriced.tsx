import { count } from "@/format/numbers";
import { Button } from "@/kit/Button";
import { Section } from "@/kit/Page";
import { RouteLink } from "@/kit/RouteLink";
import { useHref } from "@/shell/links";
import { lacking, MENDABLE, reasonText, type UsedModel } from "./columns";

/** Models of the window whose calls have no cost for want of a price, each with what mends it. */
export function Unpriced({ rows, onSet }: { rows: readonly UsedModel[]; onSet?: (row: UsedModel) => void }) {
  const href = useHref();
  const lack = rows.flatMap((row) => {
    const found = lacking(row);
    return found ? [{ row, reason: found[0], calls: found[1] }] : [];
  });
  return (
    <Section title="Without a price" note="Their calls are in no total of money until they have one.">
      <ul className="prices-lack">
        {lack
          .sort((a, b) => b.calls - a.calls)
          .map(({ row, reason, calls }) => (
            <li key={`${row.provider} ${row.model}`}>
              <span className="prices-lack-name">
                {row.model ?? "no model named"}{" "}
                {row.provider && <span className="muted">of {row.provider}</span>}
              </span>
              <span className="prices-none">
                {count(calls)} {calls === 1 ? "call" : "calls"}: {reasonText(reason)}
              </span>
              {isMendable(reason) && onSet ? (
                <Button small aria-label={`Set a price of ${row.model}`} onClick={() => onSet(row)}>
                  Set a price
                </Button>
              ) : (
                <RouteLink href={href("/doctor")}>What to do</RouteLink>
              )}
            </li>
          ))}
      </ul>
    </Section>
  );
}

function isMendable(reason: string): boolean {
  return (MENDABLE as readonly string[]).includes(reason);
}
