import { Pause, Play, SkipBack, SkipForward } from "lucide-react";
import { duration } from "@/format/numbers";
import { Button } from "@/kit/Button";
import { Select } from "@/kit/Select";
import { useShortcuts } from "@/shell/shortcuts";
import { clockText, nextSpeed, SPEEDS } from "./clock";
import { LANE_NAMES, Strip } from "./Strip";
import { idleAt, momentOf, placeOf, type Step, type Timeline } from "./timeline";
import type { Player } from "./useReplay";

interface Props {
  player: Player;
  line: Timeline;
  /** The strips, one or two. */
  strips: readonly { id: string; steps: readonly Step[] }[];
  /** When something began, in ms, ascending: where the arrows stop. */
  stops: readonly number[];
}

/** Play, step, scrub, speed; by pointer and by keyboard. */
export function PlayerBar({ player, line, strips, stops }: Props) {
  const { moment, playing, speed } = player;
  const before = stops.findLast((each) => each < moment - 0.5) ?? 0;
  const after = stops.find((each) => each > moment + 0.5) ?? line.length;
  useShortcuts([
    { keys: " ", meaning: "Play or pause", run: player.toggle },
    { keys: "ArrowLeft", meaning: "Step before", run: () => player.go(before) },
    { keys: "ArrowRight", meaning: "Next step", run: () => player.go(after) },
    { keys: "Home", meaning: "To the start", run: () => player.go(0) },
    { keys: "End", meaning: "To the end", run: () => player.go(line.length) },
    { keys: "[", meaning: "Slower", run: () => player.setSpeed(nextSpeed(speed, -1)) },
    { keys: "]", meaning: "Faster", run: () => player.setSpeed(nextSpeed(speed, 1)) },
  ]);
  const idle = playing ? idleAt(line, moment) : null;
  const place = placeOf(line, moment);
  return (
    <section className="session-player" aria-label="Player">
      <div className="session-controls">
        <Button
          label="Step before (←)"
          icon={<SkipBack size={15} aria-hidden="true" />}
          onClick={() => player.go(before)}
        />
        <Button
          tone="primary"
          label={playing ? "Pause (space)" : "Play (space)"}
          icon={playing ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
          onClick={player.toggle}
        />
        <Button
          label="Next step (→)"
          icon={<SkipForward size={15} aria-hidden="true" />}
          onClick={() => player.go(after)}
        />
        <Select
          label="Speed"
          bare
          value={String(speed)}
          choices={SPEEDS.map((each) => ({ value: String(each), label: `${each}×` }))}
          onChange={(value) => player.setSpeed(Number(value))}
        />
        <span className="session-time">
          {clockText(moment)} <span className="muted">/ {clockText(line.length)}</span>
        </span>
        <span className="session-idle" aria-live="off">
          {idle && `skipping ${duration((idle.to - idle.from) * 1e6)} of nothing`}
        </span>
      </div>
      <div className="session-strip">
        <div className="session-lanes" aria-hidden="true">
          {strips.map(({ id }) => LANE_NAMES.map((name) => <span key={`${id} ${name}`}>{name}</span>))}
        </div>
        <div className="session-track">
          {strips.map(({ id, steps }) => (
            <Strip key={id} steps={steps} line={line} />
          ))}
          <input
            type="range"
            className="session-scrub"
            min={0}
            max={Math.max(1, Math.round(line.playLength))}
            step={1}
            value={Math.round(place)}
            aria-label="Moment"
            aria-valuetext={`${clockText(moment)} of ${clockText(line.length)}`}
            onChange={(event) => player.go(momentOf(line, Number(event.target.value)))}
          />
        </div>
      </div>
    </section>
  );
}
