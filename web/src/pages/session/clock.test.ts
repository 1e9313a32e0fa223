import { expect, it } from "vitest";
import { clockText, nextSpeed, pause, placeAt, play, STOPPED, seek, withSpeed } from "./clock";

const LENGTH = 10_000;

it("stands still until it is played, then goes with the time it is told", () => {
  expect(placeAt(STOPPED, 5000, LENGTH)).toBe(0);
  const playing = play(STOPPED, 1000, LENGTH);
  expect(placeAt(playing, 4000, LENGTH)).toBe(3000);
  expect(placeAt(pause(playing, 4000, LENGTH), 9000, LENGTH)).toBe(3000);
});

it("goes faster from where it is when its speed is changed", () => {
  const fast = withSpeed(play(STOPPED, 0, LENGTH), 1000, LENGTH, 5);
  expect(placeAt(fast, 1000, LENGTH)).toBe(1000);
  expect(placeAt(fast, 2000, LENGTH)).toBe(6000);
});

it("ends at the end, and played there begins again", () => {
  const over = play(STOPPED, 0, LENGTH);
  expect(placeAt(over, 99_000, LENGTH)).toBe(LENGTH);
  expect(placeAt(play(over, 99_000, LENGTH), 99_500, LENGTH)).toBe(500);
});

it("goes on from where it is put, or stands there", () => {
  expect(placeAt(seek(play(STOPPED, 0, LENGTH), 1000, 7000), 2000, LENGTH)).toBe(8000);
  expect(placeAt(seek(STOPPED, 1000, 7000), 2000, LENGTH)).toBe(7000);
});

it("never goes back when its time does", () => {
  expect(placeAt(play(STOPPED, 5000, LENGTH), 4000, LENGTH)).toBe(0);
});

it("knows seven speeds", () => {
  expect([nextSpeed(1, 1), nextSpeed(100, 1), nextSpeed(1, -1), nextSpeed(20, -1)]).toEqual([2, 100, 1, 10]);
});

it("writes moments as a player does", () => {
  expect([0, 7_340, 754_000, 3_724_000, 183_600_000].map(clockText)).toEqual([
    "0:00.0",
    "0:07.3",
    "12:34",
    "1:02:04",
    "2 d 03:00:00",
  ]);
});
