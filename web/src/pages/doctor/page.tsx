import { createLazyRoute } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { Schemas } from "@/api/client";
import { useApi } from "@/api/queries";
import { Badge, type Tone } from "@/kit/Badge";
import { Command } from "@/kit/Command";
import { Empty } from "@/kit/Empty";
import { When } from "@/kit/Figure";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { visible } from "@/kit/visibleText";
import { WithCode } from "@/kit/WithCode";
import { useHref } from "@/shell/links";
import { useAsked } from "@/shell/search";
import "./doctor.css";

export const Route = createLazyRoute("/doctor")({ component: DoctorPage });

type Diagnosis = Schemas["Diagnosis"];
type Severity = Diagnosis["severity"];

const TONES: Readonly<Record<Severity, Tone>> = { error: "bad", warning: "warn", info: "neutral" };
const ICONS = { error: CircleAlert, warning: TriangleAlert, info: Info } as const;
const MEANINGS: readonly [Severity, string, string][] = [
  ["error", "error", "figures are missing or wrong"],
  ["warning", "warning", "figures may be wrong"],
  ["info", "note", "worth knowing, nothing is wrong"],
];

/** Looking at all of it takes a large store seconds: what somebody saw half a minute ago is shown at once. */
const OLD_ENOUGH_S = 30;

function DoctorPage() {
  const { since, until } = useAsked();
  const { data, error, refetch } = useApi(
    "/api/v1/doctor",
    { query: { since, until, age: OLD_ENOUGH_S } },
    { live: true },
  );
  return (
    <Page title="Doctor" timed>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {!error && !data && <Skeleton height="9rem" lines={3} />}
      {data && <Examined data={data} />}
    </Page>
  );
}

function Examined({ data }: { data: Schemas["Examination"] }) {
  const bad = data.diagnoses.some((each) => each.severity !== "info");
  const failed = Object.entries(data.failed);
  return (
    <>
      <p className="doctor-summary" role="status">
        {!bad && failed.length === 0 && <CircleCheck className="doctor-well" size={18} aria-hidden="true" />}
        <span>
          {summary(data)} <span className="muted">Looked at</span> <When at={data.until} />
        </span>
      </p>
      {data.diagnoses.length === 0 && failed.length === 0 && (
        <Empty title="All is well">
          <p>Calls come in, they have prices, and nothing was refused in this time.</p>
        </Empty>
      )}
      <ol className="doctor-list">
        {data.diagnoses.map((each) => (
          <Finding key={`${each.finding} ${each.symptom}`} diagnosis={each} />
        ))}
      </ol>
      {failed.map(([finding, why]) => (
        <Problem key={finding} error={{ title: `“${finding}” could not be looked for`, detail: why }} />
      ))}
    </>
  );
}

function summary(data: Schemas["Examination"]): string {
  const counts = MEANINGS.map(([severity, word, meaning]) => {
    const found = data.diagnoses.filter((each) => each.severity === severity).length;
    return found ? `${found} ${word}${found === 1 ? "" : "s"} (${meaning})` : null;
  }).filter((each) => each !== null);
  return counts.length ? `${counts.join(", ")}.` : "Nothing found.";
}

function Finding({ diagnosis }: { diagnosis: Diagnosis }) {
  const { severity, symptom, remedy, command, evidence, finding } = diagnosis;
  const Icon = ICONS[severity];
  return (
    <li className={`doctor-finding doctor-${severity}`}>
      <div className="doctor-head">
        <Icon className="doctor-icon" size={18} aria-hidden="true" />
        <h2>{symptom}</h2>
        <Badge tone={TONES[severity]}>{severity === "info" ? "note" : severity}</Badge>
      </div>
      <div className="doctor-body">
        <p>
          <WithCode text={remedy} />
        </p>
        <div className="doctor-command">
          <Command command={command} />
          <NextPage finding={finding} command={command} />
        </div>
        {(evidence?.rows?.length ?? 0) > 0 && <EvidenceTable name={symptom} evidence={evidence} />}
      </div>
    </li>
  );
}

/** Where in the app the same can be looked at or mended. */
const SET_PRICE = ["/prices", "Set a price here"] as const;
const PAGES: Readonly<Record<string, readonly [path: string, label: string, more?: Record<string, string>]>> =
  {
    absurd_reported_cost: ["/prices", "See the price book"],
    refused_prices: ["/prices", "See the price book"],
    priced_since: ["/prices", "See the price book"],
    budget: ["/budgets", "See the budgets"],
    stuck_tasks: ["/agents", "See what is stuck", { view: "trouble" }],
    refused_keys: ["/keys", "See the keys"],
    disk_low: ["/settings", "See what takes room"],
  };

function NextPage({ finding, command }: { finding: string; command: string }) {
  const href = useHref();
  const page = command.startsWith("watchglass prices set") ? SET_PRICE : PAGES[finding];
  return page ? <RouteLink href={href(page[0], page[2])}>{page[1]}</RouteLink> : null;
}

function EvidenceTable({ name, evidence }: { name: string; evidence: Diagnosis["evidence"] }) {
  const columns = evidence?.columns ?? [];
  const rows = (evidence?.rows ?? []) as readonly (readonly unknown[])[];
  const shown = columns.map((_, place) => place).filter((place) => columns[place] !== "in_all");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be scrollable by keyboard
    <section className="doctor-evidence" tabIndex={0} aria-label={`Evidence: ${name}`}>
      <table>
        <thead>
          <tr>
            {shown.map((place) => (
              <th key={place} scope="col" className={isNumber(rows, place) ? "doctor-number" : undefined}>
                {(columns[place] ?? "").replaceAll("_", " ")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={JSON.stringify(row)}>
              {shown.map((place) => (
                <td key={place} className={isNumber(rows, place) ? "doctor-number" : undefined}>
                  <Cell name={columns[place] ?? ""} value={row[place]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function isNumber(rows: readonly (readonly unknown[])[], place: number): boolean {
  return rows.some((row) => typeof row[place] === "number");
}

const TRACE = /^[0-9a-f]{32}$/;

function Cell({ name, value }: { name: string; value: unknown }) {
  const href = useHref();
  if (value === null || value === undefined) return <span className="muted">–</span>;
  if (typeof value === "number") return <span className="number">{value.toLocaleString("en-US")}</span>;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (name.includes("trace") && TRACE.test(text)) {
    return <RouteLink href={href(`/traces/${text}`)}>{text.slice(0, 8)}…</RouteLink>;
  }
  return <span title={text}>{visible(text.slice(0, 300))}</span>;
}
