import { describe, expect, test } from "vitest";
import { bytes } from "./bytes";

describe("sizes", () => {
  test("are written in the largest unit of which there is one", () => {
    expect([0, 1023, 1024, 512 * 1024 ** 2, 1.44 * 1024 ** 3].map(bytes)).toEqual([
      "0 bytes",
      "1023 bytes",
      "1 KiB",
      "512 MiB",
      "1.4 GiB",
    ]);
  });
});
