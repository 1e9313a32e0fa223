/** What a form says of a price, as the API takes it; or what is wrong with it, by field. */

export const CLASSES = [
  ["input", "Input"],
  ["output", "Output"],
  ["cache_read", "Cached input"],
  ["cache_write", "Cache write"],
  ["cache_write_1h", "Cache write, 1 h"],
  ["reasoning", "Reasoning"],
  ["input_audio", "Audio input"],
  ["output_audio", "Audio output"],
] as const;

export type Said = Partial<Record<string, string>>;

const AMOUNT = /^\d{1,9}(\.\d{1,12})?$/;
const PLAIN = ["provider", "model", "tier", "tenant", "since", "until", "source"] as const;

/** The day of a moment, as the form has it. */
export function dayOf(moment: string | null | undefined): string {
  return moment?.slice(0, 10) ?? "";
}

/** The form knows days alone: a bound whose day was left as it was keeps its time of day. */
export function withTimes(
  said: Said,
  before: { since?: string | null | undefined; until?: string | null | undefined },
): Said {
  const kept = (name: "since" | "until") =>
    before[name] && said[name] === dayOf(before[name]) ? { [name]: before[name] } : {};
  return { ...said, ...kept("since"), ...kept("until") };
}

export function readTerms(
  kind: "price" | "discount",
  said: Said,
  kept: Record<string, unknown> = {},
): { body: Record<string, unknown> | null; wrong: Record<string, string> } {
  const wrong: Record<string, string> = {};
  const text = (name: string) => (said[name] ?? "").trim();
  const body: Record<string, unknown> = { ...kept };
  for (const name of PLAIN) if (text(name)) body[name] = text(name);
  if (!text("provider")) wrong.provider = "Who sells it: openai, anthropic … or * for anybody.";
  if (kind === "discount") {
    const percent = text("percent").replace(/%$/, "").trim();
    if (!/^\d{1,3}(\.\d{1,4})?$/.test(percent) || Number(percent) <= 0 || Number(percent) > 100) {
      wrong.percent = "More than 0 and at most 100, such as 15 or 12.5.";
    }
    body.percent = percent;
  } else {
    if (!text("model")) wrong.model = "Which model; * stands for anything.";
    for (const [name, label] of CLASSES) {
      const amount = text(name).replace(/^\$/, "").trim();
      if (!amount) {
        if (name === "input") wrong.input = "Input needs a price; 0 is one.";
        continue;
      }
      if (!AMOUNT.test(amount)) wrong[name] = `${label}: dollars a million tokens, such as 2.50.`;
      body[name] = amount;
    }
  }
  if (text("since") && text("until") && text("since") >= text("until"))
    wrong.until = "It has to be after since.";
  return Object.keys(wrong).length > 0 ? { body: null, wrong } : { body, wrong };
}
