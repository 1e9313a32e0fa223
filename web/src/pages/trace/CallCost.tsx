import type { Schemas } from "@/api/client";
import { useApi } from "@/api/queries";
import { Badge } from "@/kit/Badge";
import { Count, Duration, Money, Unknown } from "@/kit/Figure";
import { RouteLink } from "@/kit/RouteLink";
import { NOT_COUNTED, PRICE_SOURCE, UNPRICED } from "./reasons";
import type { Tree } from "./tree";

type Call = Schemas["SpanCall"];

const CLASSES = [
  ["Input", "input_tokens", "input"],
  ["of it read from cache", "cache_read_tokens", "cache_read"],
  ["of it written to cache", "cache_write_tokens", "cache_write"],
  ["of it written for an hour", "cache_write_1h_tokens", "cache_write_1h"],
  ["of it audio", "input_audio_tokens", "input_audio"],
  ["Output", "output_tokens", "output"],
  ["of it reasoning", "reasoning_tokens", "reasoning"],
  ["of it audio", "output_audio_tokens", "output_audio"],
] as const;

/** What a call cost and why: whether it counts, its tokens by class, at which price. */
export function CallCost({ call, tree, onSpan }: { call: Call; tree: Tree; onSpan: (at: number) => void }) {
  const model = call.response_model ?? call.request_model;
  const other = call.duplicate_of ? tree.places.get(call.duplicate_of.split(":")[1] ?? "") : undefined;
  return (
    <div className="call-cost">
      <dl className="call-figures">
        <div>
          <dt>Cost</dt>
          <dd className="call-amount">
            <Money usd={call.cost_usd} why={call.unpriced_reason} />
          </dd>
        </div>
        <div>
          <dt>In the sums</dt>
          <dd>
            {call.counted ? (
              <Badge tone="ok">counted</Badge>
            ) : (
              <Badge tone="warn">not counted: {call.not_counted_reason ?? "unknown"}</Badge>
            )}
          </dd>
        </div>
        <div>
          <dt>Duration</dt>
          <dd>
            <Duration ns={call.duration_ns} />
          </dd>
        </div>
        <div>
          <dt>First token</dt>
          <dd>
            <Duration
              ns={call.ttft_ns}
              why={call.streaming ? "nobody said" : "the answer was not streamed"}
            />
          </dd>
        </div>
      </dl>
      {!call.counted && (
        <p className="call-why">
          {NOT_COUNTED[call.not_counted_reason ?? ""] ?? "Why is not known."}{" "}
          {other !== undefined && (
            <button type="button" className="span-link" onClick={() => onSpan(other)}>
              Show that one
            </button>
          )}
        </p>
      )}
      {call.cost_usd === null && (
        <p className="call-why">
          Unpriced: {call.unpriced_reason ?? "unknown"}. {UNPRICED[call.unpriced_reason ?? ""] ?? ""}
        </p>
      )}
      <Tokens call={call} model={model} />
      <dl className="span-values">
        <Fact name="Provider" value={call.provider} />
        <Fact name="Model asked for" value={call.request_model} />
        <Fact name="Model that answered" value={call.response_model} />
        <Fact name="Service tier" value={call.service_tier} />
        <Fact
          name="Price from"
          value={call.price_source && (PRICE_SOURCE[call.price_source] ?? call.price_source)}
        />
        <Fact name="Price id" value={call.price_id} />
        <Fact name="Finish reasons" value={call.finish_reasons.join(", ")} />
        <Fact name="Response id" value={call.response_id} />
        <Fact name="Server" value={call.server_address} />
        <Fact
          name="Code"
          value={
            call.code_file &&
            `${call.code_file}${call.code_line ? `:${call.code_line}` : ""}${call.code_function ? ` ${call.code_function}` : ""}`
          }
        />
        <div>
          <dt>Reported cost</dt>
          <dd>
            <Money usd={call.reported_cost_usd} why="the library reported none" />
          </dd>
        </div>
      </dl>
      {model && (
        <RouteLink href={`/prices?model=${encodeURIComponent(model)}`}>All prices of {model}</RouteLink>
      )}
    </div>
  );
}

function Tokens({ call, model }: { call: Call; model: string | null }) {
  const { data } = useApi(
    "/api/v1/prices/{model}",
    {
      params: { model: model ?? "" },
      query: { provider: call.provider ?? undefined, at: call.time, tier: call.service_tier ?? undefined },
    },
    { enabled: model !== null, keep: false },
  );
  const price = data?.prices.find((each) => each.price_id === call.price_id) as
    | Record<string, unknown>
    | undefined;
  const rows = CLASSES.filter(
    ([, name]) => call[name] !== null || name === "input_tokens" || name === "output_tokens",
  );
  return (
    <table className="call-tokens">
      <caption>Tokens, and the price of the book as it is now</caption>
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col">Tokens</th>
          <th scope="col">$ a million</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([label, name, kind]) => (
          <tr key={name}>
            <th scope="row">{label}</th>
            <td>
              <Count n={call[name]} why="nobody said" />
            </td>
            <td>{typeof price?.[kind] === "string" ? <Money usd={price[kind]} /> : <Unknown />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Fact({ name, value }: { name: string; value: string | null | undefined }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
