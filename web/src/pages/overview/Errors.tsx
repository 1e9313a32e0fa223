import { count } from "@/format/numbers";
import { When } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { visible } from "@/kit/visibleText";
import type { Filters } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import type { Overview } from "./words";

/** What calls fail with most, each with the latest trace of it. */
export function Errors({ data, filters }: { data: Overview | undefined; filters: Filters }) {
  const href = useHref();
  if (!data) return <Skeleton height="2.6rem" lines={4} />;
  const { errors, looked_at, whole_window, types, since } = data.errors;
  if (!errors.length) return <p className="muted">No call failed in this time.</p>;
  return (
    <>
      <ol className="overview-errors" aria-label="Top errors">
        {errors.slice(0, 6).map((error) => (
          <li key={error.error_type ?? "\u0000"}>
            <span className="overview-errors-count number">{count(error.calls)}</span>
            <span className="overview-errors-what">
              <RouteLink
                href={href("/traces", { ...filters, error_type: [error.error_type ?? ""] })}
                className="overview-errors-type"
              >
                {visible(error.error_type ?? "no class given")}
              </RouteLink>
              <span className="overview-errors-message">
                {visible(error.message ?? error.models.join(", "))}
              </span>
            </span>
            <RouteLink className="overview-errors-trace" href={href(`/traces/${error.trace_id}`)}>
              <When at={error.last} />
            </RouteLink>
          </li>
        ))}
      </ol>
      <p className="muted overview-errors-note">
        {types > 6 && `${types} classes of error. `}
        {!whole_window && (
          <>
            Of the latest {count(looked_at)} failed calls, since <When at={since} relative={false} />.
          </>
        )}
      </p>
    </>
  );
}
