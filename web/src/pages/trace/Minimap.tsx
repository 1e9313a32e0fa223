import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";
import { Button } from "@/kit/Button";
import { shownTheme, usePreferences } from "@/shell/preferences";
import type { Tree } from "./tree";
import { ROW } from "./Waterfall";

const HEIGHT = 54;

export interface MinimapProps {
  tree: Tree;
  rows: readonly number[];
  zoom: readonly [number, number];
  onZoom: (zoom: readonly [number, number]) => void;
  scroller: RefObject<HTMLDivElement | null>;
}

/** All rows at once, a line each: drag across it to look closer at a stretch of time, click to go there. */
export function Minimap({ tree, rows, zoom, onZoom, scroller }: MinimapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<readonly [number, number] | null>(null);
  const { theme } = usePreferences();
  const whole = Math.max(1, tree.view.duration_ns);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    void theme;
    // Told of the first size too: drawing here as well would draw thousands of bars twice.
    const observer = new ResizeObserver(() => draw(element, tree, rows, whole));
    observer.observe(element);
    return () => observer.disconnect();
  }, [tree, rows, whole, theme]);

  const at = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const onDown = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag([at(event), at(event)]);
  };
  const onUp = (event: PointerEvent<HTMLElement>) => {
    if (!drag) return;
    const [a, b] = [Math.min(drag[0], at(event)), Math.max(drag[0], at(event))];
    setDrag(null);
    if (b - a > 0.005) onZoom([a * whole, b * whole]);
    else {
      const box = event.currentTarget.getBoundingClientRect();
      const row = ((event.clientY - box.top) / box.height) * rows.length;
      const element = scroller.current;
      if (element) element.scrollTop = row * ROW - element.clientHeight / 2;
    }
  };
  const isZoomed = zoom[0] > 0 || zoom[1] < whole;
  const marked = drag
    ? ([Math.min(...drag), Math.max(...drag)] as const)
    : isZoomed
      ? ([zoom[0] / whole, zoom[1] / whole] as const)
      : null;
  return (
    <div className="minimap">
      <div
        className="minimap-area"
        aria-hidden="true"
        onPointerDown={onDown}
        onPointerMove={(event) => drag && setDrag([drag[0], at(event)])}
        onPointerUp={onUp}
      >
        <canvas ref={canvas} className="minimap-canvas" />
        {marked && (
          <span
            className="minimap-marked"
            style={{ left: `${marked[0] * 100}%`, width: `${(marked[1] - marked[0]) * 100}%` }}
          />
        )}
      </div>
      {isZoomed && (
        <Button small className="minimap-reset" onClick={() => onZoom([0, whole])}>
          Whole trace
        </Button>
      )}
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, tree: Tree, rows: readonly number[], whole: number): void {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = width * scale;
  canvas.height = HEIGHT * scale;
  const pen = canvas.getContext("2d");
  if (!pen || width === 0) return;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const faint = shownTheme() === "dark" ? 0.75 : 0.6;
  const colors = {
    call: color("--series-1"),
    tool: color("--series-3"),
    agent: color("--series-5"),
    task: color("--series-5"),
    flow: color("--series-5"),
    span: color("--series-other"),
  };
  const bad = color("--bad");
  pen.scale(scale, scale);
  const each = HEIGHT / Math.max(rows.length, 18);
  const { start_ns: starts, duration_ns: durations } = tree.view.spans;
  let kept = "";
  for (const [place, at] of rows.entries()) {
    const x = ((starts[at] ?? 0) / whole) * width;
    const length = ((durations[at] ?? 0) / whole) * width;
    const wanted = tree.failed[at] ? bad : colors[tree.kind[at] ?? "span"];
    if (wanted !== kept) {
      pen.globalAlpha = tree.failed[at] ? 1 : faint;
      pen.fillStyle = kept = wanted;
    }
    pen.fillRect(x, place * each, Math.max(1, length), Math.max(0.6, each - (each > 2 ? 1 : 0)));
  }
}
