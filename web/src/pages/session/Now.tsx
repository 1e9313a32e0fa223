import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Badge } from "@/kit/Badge";
import { Code } from "@/kit/Code";
import { Count, Duration, Money, Unknown } from "@/kit/Figure";
import { JsonTree } from "@/kit/JsonTree";
import { parseJson } from "@/kit/jsonValue";
import { PlainText } from "@/kit/PlainText";
import { beginning, visible } from "@/kit/visibleText";
import { clockText } from "./clock";
import { runningAt, type Story, spentAt, toolsAt } from "./moment";
import { KIND_NAMES } from "./StepList";
import type { Step } from "./timeline";

interface Props {
  told: Story;
  step: number;
  ns: number;
}

/** The moment in figures: what it had cost, what was under way, what the step is, which tools were used. */
export function Now({ told, step, ns }: Props) {
  const { steps } = told.replay;
  const running = runningAt(steps, ns).filter((each) => each.kind !== "message");
  const tools = toolsAt(steps, ns);
  const current = steps[step];
  return (
    <>
      <SpentSoFar told={told} ns={ns} />
      {running.length > 0 && (
        <Part title="Under way">
          <ul className="session-running">
            {running.slice(0, 8).map((each) => (
              <li key={each.id}>
                <span className="muted">{KIND_NAMES[each.kind]}</span> {visible(each.name)}
              </li>
            ))}
          </ul>
        </Part>
      )}
      {current && <StepDetail step={current} told={told} />}
      {tools.length > 0 && (
        <Part title="Tools so far">
          <ul className="session-tools">
            {tools.map((tool) => (
              <li key={tool.name} className="session-tool-use">
                <span className="session-tool-name">{visible(tool.name)}</span>
                {tool.failed > 0 && <Badge tone="bad">{tool.failed} failed</Badge>}
                <span className="number">{tool.uses}×</span>
              </li>
            ))}
          </ul>
        </Part>
      )}
    </>
  );
}

/** What it had cost by then. */
export function SpentSoFar({ told, ns }: { told: Story; ns: number }) {
  const spent = spentAt(told, ns);
  const none = spent.calls === 0 ? "no call has ended yet" : "no call has a price";
  return (
    <dl className="session-spent">
      <div>
        <dt>Spent so far</dt>
        <dd className="session-cost">
          <Money usd={spent.cost ?? (spent.calls === 0 ? "0" : null)} why={none} />
          {spent.unpriced > 0 && <Badge tone="warn">{spent.unpriced} unpriced</Badge>}
        </dd>
      </div>
      <div>
        <dt>Calls</dt>
        <dd>
          <Count n={spent.calls} />
          {spent.failed > 0 && <Badge tone="bad">{spent.failed} failed</Badge>}
        </dd>
      </div>
      <div>
        <dt>Tokens in</dt>
        <dd>
          <Count n={spent.input ?? (spent.calls === 0 ? 0 : null)} why="nobody said how many" />
        </dd>
      </div>
      <div>
        <dt>Tokens out</dt>
        <dd>
          <Count n={spent.output ?? (spent.calls === 0 ? 0 : null)} why="nobody said how many" />
        </dd>
      </div>
    </dl>
  );
}

function StepDetail({ step, told }: { step: Step; told: Story }) {
  return (
    <Part title={`Step: ${KIND_NAMES[step.kind]}`}>
      <dl className="session-facts">
        <Fact name="Name">{visible(step.name)}</Fact>
        {step.status !== "ok" && (
          <Fact name="Status">
            <Badge tone={step.status === "failed" ? "bad" : "warn"}>{step.status}</Badge>
          </Fact>
        )}
        <Fact name="Began">{clockText(step.at_ns / 1e6)}</Fact>
        {step.kind !== "message" && (
          <Fact name="Took">
            <Duration ns={step.duration_ns} why="it has not ended, or nobody said" />
          </Fact>
        )}
        {step.agent && <Fact name="Agent">{visible(step.agent)}</Fact>}
        {step.task && <Fact name="Task">{visible(step.task)}</Fact>}
        {step.kind === "call" && (
          <>
            <Fact name="Tokens">
              {step.input_tokens === null ? <Unknown why="nobody said" /> : <Count n={step.input_tokens} />}{" "}
              in,{" "}
              {step.output_tokens === null ? <Unknown why="nobody said" /> : <Count n={step.output_tokens} />}{" "}
              out
            </Fact>
            <Fact name="Cost">
              <Money usd={step.cost_usd} why={step.unpriced_reason} />
              {step.cost_usd === null && <span className="muted"> unpriced: {step.unpriced_reason}</span>}
            </Fact>
            {step.repeated > 0 && <Fact name="Sent again">{step.repeated} messages</Fact>}
          </>
        )}
        {step.trace_id && (
          <Fact name="Trace">
            <Link
              to={"/traces/$traceId" as never}
              params={{ traceId: step.trace_id } as never}
              search={{ span: step.span_id || undefined } as never}
            >
              {step.trace_id.slice(0, 8)}…
            </Link>
          </Fact>
        )}
      </dl>
      {step.error_type && (
        <div className="session-error">
          <strong>{visible(beginning(step.error_type, 200))}</strong>
          {step.error_message && <PlainText text={step.error_message} first={600} />}
        </div>
      )}
      <Value title="Given" place={step.input} told={told} />
      <Value title="Gave" place={step.output} told={told} />
    </Part>
  );
}

/** What an execution was given or gave; JSON as a tree. */
function Value({ title, place, told }: { title: string; place: number | null; told: Story }) {
  const said = place === null ? undefined : told.replay.messages[place];
  if (!said) return null;
  const value = said.content === null ? undefined : parseJson(said.content);
  return (
    <div>
      <h3>{title}</h3>
      {said.content === null ? (
        <p className="muted">The text is no longer kept, or was left out.</p>
      ) : typeof value === "object" && value !== null ? (
        <JsonTree value={value} open={2} label={title} />
      ) : (
        <Code text={said.content} wrap height={200} />
      )}
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="session-part" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
