import { describe, expect, it } from "vitest";
import { commandHere } from "./commandHere";

const ELSEWHERE = "http://127.0.0.1:4999";

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
    expect(commandHere("watchglass check .", ELSEWHERE)).toBe("watchglass check .");
    expect(commandHere("pip install --upgrade NAME", ELSEWHERE)).toBe("pip install --upgrade NAME");
  });
  it("puts the address where an exporter is told the usual one", () => {
    expect(commandHere("export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318", ELSEWHERE)).toBe(
      `export OTEL_EXPORTER_OTLP_ENDPOINT=${ELSEWHERE}`,
    );
  });
});
