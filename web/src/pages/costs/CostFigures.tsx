import { changeText, count, share } from "@/format/numbers";
import { Count, Money, Share, Stat, Stats, When } from "@/kit/Figure";
import { Skeleton } from "@/kit/Skeleton";
import { changeOf, moneyChangeOf, windowBefore } from "@/pages/overview/words";
import type { Costs } from "./CostChart";

/** The whole: spend, calls, what is known of it, and tokens, against the window before. */
export function CostFigures({ data }: { data: Costs | undefined }) {
  const of = data?.totals;
  const comparable = of && !data.before_begins_late ? of : undefined;
  const change = comparable ? moneyChangeOf(comparable.cost_before_usd, comparable.cost_usd) : null;
  const calls = comparable ? changeOf(comparable.calls_before, comparable.calls) : null;
  const unpriced = of ? of.calls - of.priced_calls : 0;
  return (
    <div className="costs-figures">
      <Stats>
        <Stat
          label="Spend"
          value={of ? <Money usd={of.cost_usd} why="no call has a price" /> : <Skeleton width="5ch" />}
          delta={change === null ? null : { text: changeText(change), good: null }}
          note={
            data?.before_begins_late ? (
              <>
                records since <When at={data.before_begins_late} relative={false} />
              </>
            ) : (
              data && `against ${windowBefore(data)}`
            )
          }
        />
        <Stat
          label="Calls"
          value={of ? <Count n={of.calls} short /> : <Skeleton width="4ch" />}
          delta={calls === null ? null : { text: changeText(calls), good: null }}
        />
        <Stat
          label="Calls with a price"
          value={of ? <Share part={of.priced_calls} of={of.calls} /> : <Skeleton width="4ch" />}
          note={unpriced > 0 && <a href="#unpriced">{count(unpriced)} without</a>}
        />
        <Stat
          label="Tokens in"
          value={of ? <Count n={of.input_tokens} short why="no call says it" /> : <Skeleton width="4ch" />}
          note={
            of?.input_tokens &&
            of.cache_read_tokens !== null &&
            `${share(of.cache_read_tokens / of.input_tokens)} read from cache`
          }
        />
        <Stat
          label="Tokens out"
          value={of ? <Count n={of.output_tokens} short why="no call says it" /> : <Skeleton width="4ch" />}
          note={
            of?.output_tokens &&
            of.reasoning_tokens !== null &&
            `${share(of.reasoning_tokens / of.output_tokens)} reasoning`
          }
        />
      </Stats>
      {data?.unattributed_usd && (
        <p className="muted costs-apart">
          Beside this, <Money usd={data.unattributed_usd} /> are reported as a sum with no call under it.
        </p>
      )}
      {data?.expired && <p className="muted costs-apart">{data.expired.note}</p>}
    </div>
  );
}
