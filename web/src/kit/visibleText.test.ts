import { describe, expect, it } from "vitest";
import { beginning, cutLines, visible } from "./visibleText";

describe("visible", () => {
  it("leaves ordinary text of any script alone", () => {
    const text = "Grüße, 你好, שלום, 👩‍💻\n\tindented";
    expect(visible(text)).toBe(text);
  });

  it("shows escapes and other controls as signs", () => {
    expect(visible("\u001b[31mred\u001b[0m\u0007\u0000\u007f")).toBe("⟨ESC⟩[31mred⟨ESC⟩[0m⟨BEL⟩⟨NUL⟩⟨DEL⟩");
    expect(visible("\u009b31m")).toBe("⟨U+009B⟩31m");
  });

  it("shows what changes the order of text or hides in it", () => {
    expect(visible("user\u202etxt.exe")).toBe("user⟨RLO⟩txt.exe");
    expect(visible("a\u200bb\u2066c\u2069")).toBe("a⟨ZWSP⟩b⟨LRI⟩c⟨PDI⟩");
    expect(visible("hi\u{e0041}")).toBe("hi⟨U+E0041⟩");
  });

  it("keeps line ends and shows a bare carriage return", () => {
    expect(visible("a\r\nb\nc\rd")).toBe("a\nb\nc⟨CR⟩d");
  });

  it("reads five megabytes of one line in a moment", () => {
    const begun = performance.now();
    expect(visible("\u001b".repeat(1000) + "x".repeat(5_000_000)).length).toBe(5_005_000);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe("beginning", () => {
  it("never cuts a character in half", () => {
    expect(beginning("ab😀", 3)).toBe("ab");
    expect(beginning("ab😀", 4)).toBe("ab😀");
  });
});

describe("cutLines", () => {
  it("cuts long lines only and says how much is missing", () => {
    expect(cutLines(`short\n${"x".repeat(15)}`, 10)).toEqual({
      text: `short\n${"x".repeat(10)} … 5 more characters`,
      whole: false,
    });
    expect(cutLines("short\nshort too", 10)).toEqual({ text: "short\nshort too", whole: true });
  });
});
