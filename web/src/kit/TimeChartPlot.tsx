import { useEffect, useRef } from "react";
import uPlot from "uplot";
import type { Zone } from "@/format/times";
import { type ChartSeries, type ChartUnit, drawn, stacked as stackedOf } from "./chartData";
import { chartOptions } from "./chartOptions";
import "uplot/dist/uPlot.min.css";

export interface PlotProps {
  starts: readonly number[];
  end: number;
  series: readonly ChartSeries[];
  /** Series' ids and the variables they are drawn in. */
  colors: ReadonlyMap<string, string>;
  unit: ChartUnit;
  kind: "bars" | "area" | "line";
  stacked: boolean;
  target: number | undefined;
  height: number;
  zone: Zone;
  /** The bucket at the cursor, and the one that a marked stretch begins at. */
  at: number | null;
  from: number | null;
  onAt: (at: number | null) => void;
  onZoom: ((first: number, last: number) => void) | undefined;
}

/** The lazy part of `<TimeChart>`: the canvas. */
export default function TimeChartPlot(props: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { starts, end, series, colors, unit, kind, stacked, target, height, zone, at, from } = props;
  const zooms = props.onZoom !== undefined;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const values = series.map((each) => drawn(each.values));
    const tops = stacked ? stackedOf(values) : values;
    const draw = (width: number) => {
      const options = chartOptions({
        starts,
        end,
        tops,
        colors: series.map((each) => colors.get(each.id) ?? "--series-1"),
        unit,
        kind,
        stacked,
        target,
        width,
        height,
        zone,
        onAt: (index) => latest.current.onAt(index),
        onZoom: zooms ? (first, last) => latest.current.onZoom?.(first, last) : undefined,
      });
      // The tallest first: what is drawn later lies in front, down to the lowest.
      return new uPlot(options, [starts.map((ms) => ms / 1000), ...tops.toReversed()], element);
    };
    // Drawn when the page has been laid out, before it is painted: to ask for the width now would lay it out twice.
    const resized = new ResizeObserver(([entry]) => {
      const width = Math.round(entry?.contentRect.width ?? 0);
      if (!plot.current) plot.current = draw(width);
      else if (plot.current.width !== width) plot.current.setSize({ width, height });
    });
    resized.observe(element);
    const themed = new MutationObserver(() => plot.current?.redraw(false));
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [starts, end, series, colors, unit, kind, stacked, target, height, zone, zooms]);

  useEffect(() => show(plot.current, at, from), [at, from]);
  return <div ref={place} className="time-chart-canvas" aria-hidden="true" />;
}

/** Puts the cursor and the marked stretch where the keyboard says; the pointer's own moves come back as they are. */
function show(plot: uPlot | null, at: number | null, from: number | null): void {
  if (!plot) return;
  if (at === null) {
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (plot.cursor.idx != null) plot.setCursor({ left: -10, top: -10 }, false);
    return;
  }
  const x = plot.data[0][at];
  if (x === undefined) return;
  if (plot.cursor.idx !== at) plot.setCursor({ left: plot.valToPos(x, "x"), top: 10 }, false);
  if (from === null) return;
  const first = plot.valToPos(plot.data[0][Math.min(at, from)] ?? x, "x");
  const last = plot.data[0][Math.max(at, from) + 1]; // the stretch ends where its last bucket does
  const stop = last === undefined ? plot.over.clientWidth : plot.valToPos(last, "x");
  plot.setSelect({ left: first, top: 0, width: stop - first, height: plot.over.clientHeight }, false);
}
