import { expect, it } from "vitest";
import { safeLink } from "./safeLink";

it("lets links to the web and to mail through", () => {
  for (const address of ["https://example.com/a?b=c", "http://example.com", "mailto:ann@example.com"]) {
    expect(safeLink(address)).toBe(address);
  }
});

it("lets nothing else through", () => {
  const refused = [
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:http://x/y",
    "//example.com",
    "/api/v1/keys",
    "#top",
    "",
    undefined,
  ];
  for (const address of refused) expect(safeLink(address)).toBeNull();
});
