/** Programs to paste: the shortest that send a call to a server at this address. */

export type SnippetLanguage = "python" | "node" | "go" | "litellm" | "crewai";

export interface Program {
  label: string;
  /** What to install first. */
  install: string;
  language: string;
  text: (address: string, tenant: string) => string;
}

export const SNIPPETS: Record<SnippetLanguage, Program> = {
  python: {
    label: "Python",
    install: "pip install ~/watchglass litellm",
    language: "python",
    text: (address, tenant) => `import watchglass

watchglass.init(service_name="my-app", endpoint="${address}")

import litellm  # and all the rest, after init

with watchglass.context(tenant="${tenant}", feature="greeting"):
    litellm.completion(
        model="openai/gpt-4o-mini",
        messages=[{"role": "user", "content": "Hello!"}],
    )
`,
  },
  node: {
    label: "Node",
    install:
      "npm install @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto @opentelemetry/api",
    language: "javascript",
    text: (address, tenant) => `const { NodeSDK } = require("@opentelemetry/sdk-node");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const { SpanKind, trace } = require("@opentelemetry/api");

const sdk = new NodeSDK({
  serviceName: "my-app",
  traceExporter: new OTLPTraceExporter({ url: "${address}/v1/traces" }),
});
sdk.start();

// An instrumentation of your client makes such spans by itself; this one is by hand.
const span = trace.getTracer("my-app").startSpan("chat gpt-4o-mini", {
  kind: SpanKind.CLIENT,
  attributes: {
    "watchglass.tenant": "${tenant}",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 80,
  },
});
span.end();

sdk.shutdown();
`,
  },
  go: {
    label: "Go",
    install:
      "go get go.opentelemetry.io/otel/sdk go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp",
    language: "go",
    text: (address, tenant) => `package main

import (
	"context"
	"log"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL("${address}/v1/traces"))
	if err != nil {
		log.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	defer provider.Shutdown(ctx)

	_, span := provider.Tracer("my-app").Start(ctx, "chat gpt-4o-mini",
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("watchglass.tenant", "${tenant}"),
			attribute.String("gen_ai.operation.name", "chat"),
			attribute.String("gen_ai.provider.name", "openai"),
			attribute.String("gen_ai.request.model", "gpt-4o-mini"),
			attribute.Int("gen_ai.usage.input_tokens", 1200),
			attribute.Int("gen_ai.usage.output_tokens", 80),
		))
	span.End()
}
`,
  },
  litellm: {
    label: "LiteLLM",
    install: "pip install ~/watchglass litellm",
    language: "python",
    text: (address, tenant) => `import watchglass

watchglass.init(service_name="my-app", endpoint="${address}")

import litellm

litellm.completion(
    model="openai/gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello!"}],
    metadata={"client_account_id": "${tenant}", "feature_context": "greeting"},
)
`,
  },
  crewai: {
    label: "CrewAI",
    install: "pip install ~/watchglass crewai",
    language: "python",
    text: (address, tenant) => `import watchglass

watchglass.init(service_name="my-crew", endpoint="${address}")

from crewai import Agent, Crew, Task

greeter = Agent(role="Greeter", goal="Greet people", backstory="You are kind.", llm="openai/gpt-4o-mini")
greet = Task(description="Greet Ann.", expected_output="A greeting.", agent=greeter)

with watchglass.context(tenant="${tenant}"):
    Crew(agents=[greeter], tasks=[greet]).kickoff()
`,
  },
};

export const SNIPPET_LANGUAGES = Object.keys(SNIPPETS) as SnippetLanguage[];
