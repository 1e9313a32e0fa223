import { useEffect, useRef, useState } from "react";
import { sinceWritten } from "@/shell/written";
import { type Clock, pause, placeAt, play, STOPPED, seek, withSpeed } from "./clock";
import { momentOf, placeOf, type Timeline } from "./timeline";

export interface Player {
  /** Milliseconds of the session since its start. */
  moment: number;
  playing: boolean;
  speed: number;
  toggle: () => void;
  /** Stands at another moment, or plays on from there. */
  go: (moment: number) => void;
  setSpeed: (speed: number) => void;
}

/** How often a playing page is drawn anew: the eye sees no more of a conversation. */
const DRAW_MS = 50;
/** How often a playing page writes its moment into the address. */
const WRITE_MS = 1000;
/** The address holds whole milliseconds. */
const isSame = (one: number, other: number) => Math.abs(one - other) <= 1;

/** Plays a timeline by the browser's clock. `at` comes from the address, `onMoment` writes it there. */
export function useReplay(line: Timeline, at: number, onMoment: (moment: number) => void): Player {
  const [clock, setClock] = useState<Clock>(() => ({ ...STOPPED, place: placeOf(line, at) }));
  const [place, setPlace] = useState(clock.place);
  const written = useRef<readonly number[]>([at]);
  const write = useRef(onMoment);
  write.current = onMoment;
  const length = line.playLength;

  useEffect(() => {
    if (clock.since === null) return setPlace(clock.place);
    let frame = 0;
    let drawn = 0;
    const draw = (now: number) => {
      const next = placeAt(clock, now, length);
      if (next >= length) return setClock(pause(clock, now, length));
      if (now - drawn >= DRAW_MS) {
        drawn = now;
        setPlace(next);
      }
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [clock, length]);

  const moment = momentOf(line, place);
  const rounded = Math.round(moment);
  const slow = clock.since === null ? rounded : Math.floor(performance.now() / WRITE_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each second while it plays, each change while it does not
  useEffect(() => {
    const wait = setTimeout(() => {
      if (rounded === Math.round(written.current.at(-1) ?? Number.NaN)) return;
      written.current = [...written.current, rounded];
      write.current(rounded);
    }, 200);
    return () => clearTimeout(wait);
  }, [slow]);
  useEffect(() => {
    // Somebody went back, or changed the address by hand.
    const later = sinceWritten(written.current, at, isSame);
    written.current = later ?? [at];
    if (later) return;
    setClock((before) => seek(before, performance.now(), placeOf(line, at)));
  }, [at, line]);

  const now = () => performance.now();
  return {
    moment,
    playing: clock.since !== null,
    speed: clock.speed,
    toggle: () =>
      setClock((before) =>
        before.since === null ? play(before, now(), length) : pause(before, now(), length),
      ),
    go: (to) => setClock((before) => seek(before, now(), placeOf(line, to))),
    setSpeed: (speed) => setClock((before) => withSpeed(before, now(), length, speed)),
  };
}
