import { useApi } from "@/api/queries";
import { changeText, count } from "@/format/numbers";
import { Money, Stat, Stats } from "@/kit/Figure";
import { Problem } from "@/kit/Problem";
import { Skeleton } from "@/kit/Skeleton";
import { moneyChangeOf } from "@/pages/overview/words";

const UNITS = ["successful task", "session", "tenant", "1,000 calls"];

/** What one successful task, session, tenant and a thousand calls cost; asked apart, for sessions take time. */
export function Units({ asked, late }: { asked: Record<string, unknown>; late: boolean }) {
  const { data, error, refetch } = useApi("/api/v1/costs/units", { query: asked });
  if (error && !data) return <Problem error={error} onRetry={() => void refetch()} />;
  return (
    <div className="costs-figures costs-units">
      <Stats>
        {UNITS.map((unit) => {
          const found = data?.units.find((each) => each.unit === unit);
          const change = found && !late ? moneyChangeOf(found.before_usd, found.usd) : null;
          return (
            <Stat
              key={unit}
              label={`A ${unit === "1,000 calls" ? "thousand calls" : unit}`}
              value={
                found ? (
                  <span title={found.meaning}>
                    <Money usd={found.usd} why={found.unknown} />
                  </span>
                ) : (
                  <Skeleton width="4ch" />
                )
              }
              delta={change === null ? null : { text: changeText(change), good: null }}
              note={found && (found.usd === null ? found.unknown : `of ${count(found.count ?? 0)}`)}
            />
          );
        })}
      </Stats>
    </div>
  );
}
