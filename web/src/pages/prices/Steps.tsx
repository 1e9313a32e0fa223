import { epochMs } from "@/format/times";

interface Dated {
  since?: string | null;
  input: string | null;
  output: string | null;
  daily?: string | null;
}

const WIDTH = 640;
const HEIGHT = 96;
const LEFT = 2;

/** Prices of input and output over time, as steps. A drawing beside the table that says the same exactly. */
export function Steps({ prices }: { prices: readonly Dated[] }) {
  const shown = prices.filter((each) => !each.daily);
  const dated = shown.map((each) => (each.since ? epochMs(each.since) : null));
  const known = dated.filter((each) => each !== null);
  const first = known[0];
  if (first === undefined) return null;
  const now = Date.now();
  const start = first - Math.max(now - first, 1) * 0.15;
  const top = Math.max(
    ...shown.map((each) => Math.max(Number(each.input ?? 0), Number(each.output ?? 0))),
    1e-9,
  );
  const x = (ms: number | null) =>
    LEFT + ((Math.max(ms ?? start, start) - start) / (now - start)) * (WIDTH - LEFT);
  const y = (usd: string | null) => HEIGHT - 4 - (Number(usd ?? 0) / top) * (HEIGHT - 10);
  const path = (name: "input" | "output") =>
    shown
      .map((each, place) => {
        const begin = Math.min(x(dated[place] ?? null), WIDTH);
        const end = Math.min(x(dated[place + 1] ?? now), WIDTH);
        return `${place ? "L" : "M"}${begin} ${y(each[name])} L${end} ${y(each[name])}`;
      })
      .join(" ");
  return (
    <figure className="prices-steps">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="prices-step-output" d={path("output")} />
        <path className="prices-step-input" d={path("input")} />
      </svg>
      <figcaption>
        <span className="prices-key prices-key-output" /> output{" "}
        <span className="prices-key prices-key-input" /> input, dollars a million tokens,{" "}
        {new Date(first).getUTCFullYear()} to now
      </figcaption>
    </figure>
  );
}
