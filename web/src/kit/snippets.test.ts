import { expect, it } from "vitest";
import { SNIPPET_LANGUAGES, SNIPPETS } from "./snippets";

it("sends to the address it is shown at, for the tenant it is told", () => {
  for (const language of SNIPPET_LANGUAGES) {
    const text = SNIPPETS[language].text("https://glass.example:8443", "acme");
    expect(text, language).toContain("https://glass.example:8443");
    expect(text, language).toContain('"acme"');
    expect(text, language).not.toContain("127.0.0.1");
  }
});
