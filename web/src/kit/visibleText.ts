/**
 * Text from traces made harmless to look at: what would move the cursor, hide text, change its order or
 * smuggle words past a reader is shown as a sign instead. Copy buttons copy the text as it was.
 */

// Controls but tab and line feed, bidirectional controls, invisible characters, tag characters.
// Joiners (U+200C, U+200D) stay: scripts and emoji need them.
const HIDDEN =
  /(?![\t\n])\p{Cc}|[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const HIDDEN_ANYWHERE = new RegExp(HIDDEN.source, "u");

// The signs that Unicode has for controls are in few fonts: letters are in all.
const CONTROLS =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US";

const NAMES: Record<number, string> = {
  ...CONTROLS.split(" "),
  127: "DEL",
  173: "SHY",
  1564: "ALM",
  8203: "ZWSP",
  8206: "LRM",
  8207: "RLM",
  8232: "LSEP",
  8233: "PSEP",
  8234: "LRE",
  8235: "RLE",
  8236: "PDF",
  8237: "LRO",
  8238: "RLO",
  8288: "WJ",
  8294: "LRI",
  8295: "RLI",
  8296: "FSI",
  8297: "PDI",
  65279: "BOM",
};

/** The text with every hidden character as a visible sign: `⟨ESC⟩` for escape, `⟨RLO⟩` for an override. */
export function visible(text: string): string {
  const plain = text.includes("\r") ? text.replaceAll("\r\n", "\n") : text;
  return HIDDEN_ANYWHERE.test(plain) ? plain.replace(HIDDEN, sign) : plain;
}

function sign(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨${NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`;
}

/** The text without what its first `length` characters do not hold; never half of a character. */
export function beginning(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Lines longer than `most` characters cut, with how much was; `whole` is false if one was. */
export function cutLines(text: string, most: number): { text: string; whole: boolean } {
  if (text.length <= most) return { text, whole: true };
  let whole = true;
  const lines = text.split("\n").map((line) => {
    if (line.length <= most) return line;
    whole = false;
    const kept = beginning(line, most);
    return `${kept} … ${(line.length - kept.length).toLocaleString("en-US")} more characters`;
  });
  return { text: whole ? text : lines.join("\n"), whole };
}
