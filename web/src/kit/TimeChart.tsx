import { Table2 } from "lucide-react";
import { type ComponentType, type KeyboardEvent, useEffect, useMemo, useState } from "react";
import { epochMs, moment, zoneName } from "@/format/times";
import { usePreferences } from "@/shell/preferences";
import { Button } from "./Button";
import { ChartTable } from "./ChartTable";
import {
  type ChartSeries,
  type ChartUnit,
  type ChartValue,
  colorOf,
  endOf,
  moved,
  valueText,
} from "./chartData";
import { Skeleton } from "./Skeleton";
import type { PlotProps } from "./TimeChartPlot";
import "./time-chart.css";

export interface TimeChartProps {
  /** What it shows: "Spend by model". */
  label: string;
  /** When each bucket begins, as the API writes moments; ascending. */
  buckets: readonly string[];
  /** When the last one ends. */
  until?: string;
  /** Each has a value for every bucket. Undefined while they load. */
  series: readonly ChartSeries[] | undefined;
  unit: ChartUnit;
  kind?: "bars" | "area" | "line";
  /** On top of each other, for parts of a whole. */
  stacked?: boolean;
  /** Their sum, where it is not to be added up here: beside the others at the cursor. */
  total?: readonly ChartValue[];
  /** A line to be held against, in the unit. */
  target?: { value: ChartValue; label: string };
  /** Asked for by dragging, or Shift with the arrows and Enter; moments as the API takes them. */
  onZoom?: (since: string, until: string) => void;
  /** Pixels of the drawing, the legend not included. */
  height?: number;
}

/**
 * Values over time. The legend says the values at the cursor as text; arrows move it, and a table says all.
 */
export function TimeChart(props: TimeChartProps) {
  const { label, series, unit, kind = "bars", stacked = false, height = 200, target, total } = props;
  const { zone } = usePreferences();
  const Plot = usePlot();
  const starts = useMemo(() => props.buckets.map(epochMs), [props.buckets]);
  const end = endOf(starts, props.until === undefined ? undefined : epochMs(props.until));
  const [at, setAt] = useState<number | null>(null);
  const [from, setFrom] = useState<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [asTable, setAsTable] = useState(false);
  const shown = useMemo(() => series?.filter((each) => !hidden.has(each.id)) ?? [], [series, hidden]);
  const colors = useMemo(
    () => new Map(series?.map((each, place) => [each.id, colorOf(each, place)])),
    [series],
  );

  const zoom = (first: number, last: number) => {
    const [a, b] = [Math.min(first, last), Math.max(first, last)];
    const since = starts[a];
    if (since === undefined || !props.onZoom) return;
    props.onZoom(new Date(since).toISOString(), new Date(starts[b + 1] ?? end).toISOString());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && from !== null && at !== null) zoom(from, at);
    else if (event.key === "Escape" && (at !== null || from !== null)) setAt(null);
    else {
      const next = moved(at, event.key, starts.length);
      if (next === null) return;
      setAt(next);
      setFrom(event.shiftKey ? (from ?? at ?? next) : null);
      event.preventDefault();
      return;
    }
    setFrom(null);
    event.preventDefault();
  };

  const when = at === null ? undefined : starts[at];
  const now = Date.now();
  return (
    <figure className="time-chart" aria-label={label}>
      {asTable && series ? (
        <ChartTable label={label} starts={starts} series={series} unit={unit} height={height} />
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: a <fieldset> is for forms
        <div
          className="time-chart-plot"
          style={{ height }}
          role="group"
          aria-label={`${label}: left and right go from bucket to bucket${props.onZoom ? ", with Shift they mark a stretch and Enter zooms to it" : ""}`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows move its cursor
          tabIndex={0}
          onKeyDown={onKeyDown}
        >
          {series === undefined || Plot === undefined ? (
            <Skeleton height={height} />
          ) : (
            <Plot
              starts={starts}
              end={end}
              series={shown}
              colors={colors}
              unit={unit}
              kind={kind}
              stacked={stacked}
              target={target ? Number(target.value ?? 0) : undefined}
              height={height}
              zone={zone}
              at={at}
              from={from}
              onAt={setAt}
              onZoom={props.onZoom ? zoom : undefined}
            />
          )}
        </div>
      )}
      <figcaption className="time-chart-legend">
        <output className="time-chart-when">
          {when === undefined ? (
            <span className="muted">{zoneName(zone, now)}</span>
          ) : (
            moment(when, zone, now).replace(/:00$/, "")
          )}
        </output>
        <ul>
          {(series ?? []).map((each) => (
            <li key={each.id}>
              <button
                type="button"
                className="time-chart-series"
                aria-pressed={!hidden.has(each.id)}
                title={hidden.has(each.id) ? `Show ${each.label}` : `Hide ${each.label}`}
                onClick={() => setHidden(toggled(hidden, each.id))}
              >
                <span className="time-chart-key" style={{ background: `var(${colors.get(each.id)})` }} />
                <span className="time-chart-label">{each.label}</span>
                {at !== null && <span className="number">{valueText(each.values[at], unit)}</span>}
              </button>
            </li>
          ))}
          {total && at !== null && (
            <li className="time-chart-total">
              Total <span className="number">{valueText(total[at], unit)}</span>
            </li>
          )}
          {target && (
            <li className="time-chart-target">
              <span className="time-chart-dash" aria-hidden="true" />
              {target.label} <span className="number">{valueText(target.value, unit)}</span>
            </li>
          )}
        </ul>
        <Button
          tone="quiet"
          small
          aria-pressed={asTable}
          label={asTable ? `${label} as a chart` : `${label} as a table`}
          icon={<Table2 size={13} aria-hidden="true" />}
          onClick={() => setAsTable(!asTable)}
        />
      </figcaption>
    </figure>
  );
}

let plot: ComponentType<PlotProps> | undefined;

/** What draws charts. It is fetched while the values are on their way: a lazy component would be when they are there. */
function usePlot(): ComponentType<PlotProps> | undefined {
  const [Plot, setPlot] = useState<ComponentType<PlotProps> | undefined>(() => plot);
  useEffect(() => {
    if (Plot) return;
    import("./TimeChartPlot").then(
      (made) => {
        plot = made.default;
        setPlot(() => plot);
      },
      (error: unknown) =>
        setPlot(() => {
          throw error; // to the page's boundary, as a lazy component's would go
        }),
    );
  }, [Plot]);
  return Plot;
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}
