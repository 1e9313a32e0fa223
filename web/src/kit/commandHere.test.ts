import { describe, expect, it } from "vitest";
import { blanks, commandHere } from "./commandHere";

const ELSEWHERE = "http://127.0.0.1:4999";

describe("blanks", () => {
  it("says what a command lacks before it can run, and nothing of one that is whole", () => {
    expect(blanks("watchglass prices set openai m --since=7d --input USD --output USD")).toEqual([
      "USD (dollars a million tokens)",
    ]);
    expect(blanks("export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=NAME")).toHaveLength(1);
    expect(blanks('watchglass query "SELECT NAME FROM calls"')).toEqual([]);
    expect(blanks("watchglass doctor")).toEqual([]);
  });
});

describe("commandHere", () => {
  it("leaves what is told as it is where the server has the usual address", () => {
    for (const origin of ["http://127.0.0.1:4318", "http://localhost:4318"]) {
      expect(commandHere("watchglass doctor", origin)).toBe("watchglass doctor");
    }
  });
  it("names another address, once, to what asks a server, and to nothing else", () => {
    expect(commandHere("watchglass doctor", ELSEWHERE)).toBe(`watchglass doctor --url ${ELSEWHERE}`);
    expect(commandHere(`watchglass doctor --url ${ELSEWHERE}`, ELSEWHERE)).toBe(
      `watchglass doctor --url ${ELSEWHERE}`,
    );
    expect(commandHere("watchglass prices set a b && watchglass reprice", ELSEWHERE)).toBe(
      `watchglass prices set a b --url ${ELSEWHERE} && watchglass reprice --url ${ELSEWHERE}`,
    );
    expect(commandHere("watchglass check .", ELSEWHERE)).toBe("watchglass check .");
    expect(commandHere("pip install --upgrade NAME", ELSEWHERE)).toBe("pip install --upgrade NAME");
  });
  it("puts the address where an exporter is told the usual one", () => {
    expect(commandHere("export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318", ELSEWHERE)).toBe(
      `export OTEL_EXPORTER_OTLP_ENDPOINT=${ELSEWHERE}`,
    );
  });
});
