/** What a form says of a budget, as the API takes it; or what is wrong with it, by field. */

export const SCOPES = [
  "tenant",
  "feature",
  "engagement",
  "agent",
  "model",
  "provider",
  "service",
  "environment",
] as const;

export type Said = Partial<Record<string, string>>;

/** Of a budget that is there: what does not change is sent again as it is. */
export interface Unchanged {
  name: string;
  kind: string;
  period: string;
  zone: string;
  scope: Record<string, string>;
  unsettled: string;
  since: string | null;
  until: string | null;
}

export function readBudget(
  said: Said,
  before: Unchanged | null,
): { body: Record<string, unknown> | null; wrong: Record<string, string> } {
  const wrong: Record<string, string> = {};
  const text = (name: string) => (said[name] ?? "").trim();
  const limit = text("limit_usd").replace(/^\$/, "").replaceAll(",", "");
  if (!/^\d+(\.\d{1,18})?$/.test(limit) || /^0+(\.0+)?$/.test(limit)) {
    wrong.limit_usd = "An amount above 0, such as 500 or 0.25.";
  }
  const warn = text("warn")
    ? text("warn")
        .split(/[\s,;%]+/)
        .filter(Boolean)
    : [];
  if (warn.some((each) => !/^[1-9]\d{0,3}$/.test(each)))
    wrong.warn = "Whole numbers of percent: 50, 80, 100.";
  if (!before && !/^[\p{L}\p{N}._-]+$/u.test(text("name"))) {
    wrong.name = "A name of letters, digits, dots, dashes and underscores.";
  }
  const dimension = text("dimension");
  if (!before && dimension && !text("value")) wrong.value = `Which ${dimension.replaceAll("_", " ")}?`;
  if (!before && !dimension && text("value")) wrong.value = "Of everything there is no name; choose of what.";
  if (Object.keys(wrong).length > 0) return { body: null, wrong };
  const changing = { limit_usd: limit, warn: warn.map(Number) };
  if (before) {
    const { name, kind, period, zone, scope, unsettled, since, until } = before;
    const times = { ...(since ? { since } : {}), ...(until ? { until } : {}) };
    return { body: { name, kind, period, zone, scope, unsettled, ...times, ...changing }, wrong };
  }
  const scope = dimension ? { [dimension]: text("value") } : {};
  return {
    body: {
      name: text("name"),
      kind: text("kind"),
      period: text("period"),
      zone: text("zone") || "UTC",
      scope,
      ...changing,
    },
    wrong,
  };
}
