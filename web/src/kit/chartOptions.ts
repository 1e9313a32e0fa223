import uPlot from "uplot";
import { moment, type Zone } from "@/format/times";
import { type ChartUnit, tickText, topOf } from "./chartData";

export interface Drawing {
  starts: readonly number[];
  end: number;
  /** What is drawn of each series, lowest first. */
  tops: readonly (readonly (number | null)[])[];
  colors: readonly string[];
  unit: ChartUnit;
  kind: "bars" | "area" | "line";
  stacked: boolean;
  target: number | undefined;
  width: number;
  height: number;
  zone: Zone;
  onAt: (at: number | null) => void;
  onZoom: ((first: number, last: number) => void) | undefined;
}

const FONT = '11px "Inter Variable", system-ui, sans-serif';
const DRAGGED_PX = 6;

/** How uPlot is to draw it. Colours are asked for at each drawing, so that a change of theme is one. */
export function chartOptions(drawing: Drawing): uPlot.Options {
  const { starts, end, tops, unit, target, zone } = drawing;
  const first = (starts[0] ?? 0) / 1000;
  const top = topOf(tops, target);
  return {
    width: drawing.width,
    height: drawing.height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: drawing.kind !== "bars", size: 6, fill: (_, place) => pointColor(drawing, place) },
      drag: { x: drawing.onZoom !== undefined, y: false, setScale: false, dist: DRAGGED_PX },
    },
    scales: { x: { time: true, range: [first, end / 1000] }, y: { range: [0, top] } },
    tzDate: (seconds) =>
      zone === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000),
    axes: [
      {
        font: FONT,
        size: 28,
        gap: 4,
        stroke: () => variable("--text-3"),
        grid: { show: false },
        ticks: { show: false },
        space: 90,
        values: (_, splits, __, ___, step) => splits.map((seconds) => timeText(seconds * 1000, zone, step)),
      },
      {
        font: FONT,
        size: 58,
        gap: 6,
        stroke: () => variable("--text-3"),
        grid: { stroke: () => variable("--line"), width: 1 },
        ticks: { show: false },
        space: 36,
        values: (_, splits) => splits.map((value) => tickText(value, unit)),
      },
    ],
    series: [{}, ...drawing.colors.map((name) => seriesOf(name, drawing)).toReversed()],
    hooks: {
      setCursor: [(plot) => drawing.onAt(plot.cursor.idx ?? null)],
      setSelect: [(plot) => zoomed(plot, drawing)],
      draw: [(plot) => drawTarget(plot, target)],
    },
  };
}

function seriesOf(name: string, drawing: Drawing): uPlot.Series {
  const { kind, stacked, starts, end } = drawing;
  const color = () => variable(name);
  if (kind === "bars") {
    // A bar begins where its bucket does, and is as wide as it.
    return { stroke: color, fill: color, width: 0, points: { show: false }, paths: bars(starts, end) };
  }
  const few = starts.length < 3;
  const fill = kind === "area" ? () => (stacked ? variable(name) : translucent(variable(name))) : undefined;
  return { stroke: color, width: 1.75, points: { show: few, size: 5 }, fill, spanGaps: false };
}

/** Bars of the buckets' own widths: the first, the last, and a month may be shorter than the others. */
function bars(starts: readonly number[], end: number): uPlot.Series.PathBuilder {
  return (plot, place, from, to) => {
    const path = new Path2D();
    const values = plot.data[place] ?? [];
    const ground = plot.valToPos(0, "y", true);
    for (let at = from; at <= to; at++) {
      const value = values[at];
      const start = starts[at];
      if (value === null || value === undefined || start === undefined) continue;
      const left = plot.valToPos(start / 1000, "x", true);
      const right = plot.valToPos((starts[at + 1] ?? end) / 1000, "x", true);
      const gap = Math.min(2 * devicePixelRatio, (right - left) * 0.2);
      const top = plot.valToPos(value, "y", true);
      // What is not 0 is seen, however small beside the others.
      const height = value > 0 ? Math.max(ground - top, devicePixelRatio) : 0;
      path.rect(left + gap / 2, ground - height, Math.max(right - left - gap, 1), height);
    }
    return { stroke: null, fill: path };
  };
}

function pointColor(drawing: Drawing, place: number): string {
  return variable(drawing.colors[drawing.colors.length - place] ?? "--text");
}

function zoomed(plot: uPlot, drawing: Drawing): void {
  const { left, width } = plot.select;
  if (width < DRAGGED_PX || !drawing.onZoom) return;
  const first = bucketAt(drawing.starts, plot.posToVal(left, "x") * 1000);
  const last = bucketAt(drawing.starts, plot.posToVal(left + width, "x") * 1000);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  drawing.onZoom(first, last);
}

/** The bucket that a moment lies in. */
export function bucketAt(starts: readonly number[], ms: number): number {
  const after = starts.findIndex((start) => start > ms);
  return Math.max(0, (after === -1 ? starts.length : after) - 1);
}

function drawTarget(plot: uPlot, target: number | undefined): void {
  if (target === undefined) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(target, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = variable("--text-2");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function timeText(ms: number, zone: Zone, stepSeconds: number): string {
  const text = moment(ms, zone, ms); // "21 Nov, 14:05:09"
  const [day = "", time = ""] = text.split(", ");
  if (stepSeconds >= 86_400) return day;
  const midnight = time.startsWith("00:00:00");
  return midnight ? day : stepSeconds < 60 ? time : time.slice(0, 5);
}

function variable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "gray";
}

function translucent(color: string): string {
  return color.startsWith("#") && color.length === 7 ? `${color}22` : color;
}
