/** The clock of a replay. Time is always an argument: milliseconds of any clock that only goes forward. */

export const SPEEDS = [1, 2, 5, 10, 20, 50, 100] as const;

export interface Clock {
  /** Where it stood when it was last touched, in milliseconds of playing. */
  place: number;
  /** When that was; null while it stands still. */
  since: number | null;
  speed: number;
}

export const STOPPED: Clock = { place: 0, since: null, speed: 1 };

/** Where it stands now, at the end at most. */
export function placeAt(clock: Clock, now: number, length: number): number {
  const gone = clock.since === null ? 0 : Math.max(0, now - clock.since) * clock.speed;
  return Math.min(length, Math.max(0, clock.place + gone));
}

/** Goes on; from the beginning again if it has reached the end. */
export function play(clock: Clock, now: number, length: number): Clock {
  const place = placeAt(clock, now, length);
  return { ...clock, place: place >= length ? 0 : place, since: now };
}

export function pause(clock: Clock, now: number, length: number): Clock {
  return { ...clock, place: placeAt(clock, now, length), since: null };
}

/** Goes on from another place, or stands there. */
export function seek(clock: Clock, now: number, place: number): Clock {
  return { ...clock, place: Math.max(0, place), since: clock.since === null ? null : now };
}

/** Another speed from here on. */
export function withSpeed(clock: Clock, now: number, length: number, speed: number): Clock {
  return { ...seek(clock, now, placeAt(clock, now, length)), speed };
}

/** The speed that is one faster (1) or slower (-1). */
export function nextSpeed(speed: number, by: 1 | -1): number {
  const at = SPEEDS.findIndex((each) => each >= speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at === -1 ? SPEEDS.length - 1 : at) + by))] ?? 1;
}

/** A moment as people read a player: `0:07.3`, `12:04`, `1:02:04`, `2 d 03:00:00`. Tenths below ten minutes. */
export function clockText(ms: number): string {
  const tenths = Math.floor(Math.max(0, ms) / 100);
  const seconds = Math.floor(tenths / 10);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}:${two(seconds % 60)}.${tenths % 10}`;
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  const hours = Math.floor(minutes / 60);
  const rest = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return hours < 24 ? `${hours}:${rest}` : `${Math.floor(hours / 24)} d ${two(hours % 24)}:${rest}`;
}
