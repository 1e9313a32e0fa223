import { approximately } from "@/format/decimal";
import { money } from "@/format/money";
import { Money } from "@/kit/Figure";
import { Skeleton } from "@/kit/Skeleton";
import type { Costs } from "./CostChart";

/** What the calendar month has cost and will have, with its range and how that is known. */
export function Month({ data }: { data: Costs | undefined }) {
  if (!data) return <Skeleton height="1.4rem" lines={3} />;
  const { month } = data;
  const { forecast_usd, low_usd, high_usd } = month;
  if (forecast_usd === null || low_usd === null || high_usd === null) {
    return (
      <p>
        <Money usd={month.spent_usd} /> so far. <span className="muted">No forecast: {month.unknown}.</span>
      </p>
    );
  }
  const whole = approximately(high_usd) || 1;
  const part = (usd: string) => (approximately(usd) / whole) * 100;
  return (
    <div className="costs-month">
      <p>
        <strong>
          <Money usd={month.spent_usd} />
        </strong>{" "}
        so far, about{" "}
        <strong>
          <Money usd={forecast_usd} />
        </strong>{" "}
        by its end: between {money(low_usd)} and {money(high_usd)}.
      </p>
      <span className="costs-meter costs-meter-high" aria-hidden="true">
        <span
          className="costs-meter-range"
          style={{ left: `${part(low_usd)}%`, width: `${100 - part(low_usd)}%` }}
        />
        <span style={{ width: `${part(month.spent_usd)}%` }} />
        <span className="costs-meter-mark" style={{ left: `${part(forecast_usd)}%` }} />
      </span>
      <p className="muted costs-small">{month.method}</p>
    </div>
  );
}
