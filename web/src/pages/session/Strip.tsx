import { memo, useMemo } from "react";
import { duration } from "@/format/numbers";
import { placeOf, type Step, type Timeline } from "./timeline";

const WIDTH = 1000;
const LANE = 10;
const LANES: readonly (readonly [string, readonly Step["kind"][]])[] = [
  ["Messages", ["message"]],
  ["Calls", ["call"]],
  ["Tools", ["tool"]],
  ["Work", ["flow", "task", "agent"]],
];

/** A session at a glance: a lane for each sort of step, what failed in red, pauses that are cut short hatched. */
export const Strip = memo(function Strip({ steps, line }: { steps: readonly Step[]; line: Timeline }) {
  const lanes = useMemo(
    () => LANES.map(([label, kinds], lane) => ({ label, ...paths(steps, kinds, lane, line) })),
    [steps, line],
  );
  const height = LANES.length * LANE;
  return (
    <svg
      className="session-strip-drawing"
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {line.segments.map(
        (each) =>
          each.idle && (
            <rect
              key={each.from}
              className="session-strip-idle"
              x={scaled(each.playFrom, line)}
              width={scaled(each.playTo - each.playFrom, line)}
              height={height}
            >
              <title>{`${duration((each.to - each.from) * 1e6)} in which nothing happened`}</title>
            </rect>
          ),
      )}
      {lanes.map((lane) => (
        <g key={lane.label} className={`session-strip-${lane.label.toLowerCase()}`}>
          <path d={lane.fine} />
          <path d={lane.failed} className="session-strip-failed" />
        </g>
      ))}
    </svg>
  );
});

export const LANE_NAMES = LANES.map(([label]) => label);

/** All steps of a lane as two paths, so that a session of thousands is a handful of elements. */
function paths(steps: readonly Step[], kinds: readonly Step["kind"][], lane: number, line: Timeline) {
  const drawn = { fine: "", failed: "" };
  const top = lane * LANE + 2;
  for (const step of steps) {
    if (!kinds.includes(step.kind)) continue;
    const from = placeOf(line, step.at_ns / 1e6);
    const to = placeOf(line, (step.at_ns + (step.duration_ns ?? 0)) / 1e6);
    const wide = Math.max(scaled(to - from, line), 2.5);
    const left = Math.min(scaled(from, line), WIDTH - wide);
    drawn[step.status === "failed" ? "failed" : "fine"] +=
      `M${round(left)} ${top}h${round(wide)}v6h-${round(wide)}z`;
  }
  return drawn;
}

function scaled(place: number, line: Timeline): number {
  return line.playLength > 0 ? (place / line.playLength) * WIDTH : 0;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
