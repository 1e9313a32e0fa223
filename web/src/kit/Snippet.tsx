import { useState } from "react";
import { Code } from "./Code";
import { SNIPPET_LANGUAGES, SNIPPETS, type SnippetLanguage } from "./snippets";
import { Tabs } from "./Tabs";
import "./snippet.css";

export interface SnippetProps {
  languages?: readonly SnippetLanguage[];
  tenant?: string;
  /** By default where this page came from. */
  address?: string;
}

/** A program to paste that sends a first call here, in the reader's language. */
export function Snippet({ languages = SNIPPET_LANGUAGES, tenant = "my-tenant", address }: SnippetProps) {
  const [active, setActive] = useState<string>(languages[0] ?? "python");
  const program = SNIPPETS[active as SnippetLanguage];
  return (
    <div className="snippet">
      <Tabs
        label="Language"
        tabs={languages.map((id) => ({ id, label: SNIPPETS[id].label }))}
        active={active}
        onSelect={setActive}
      >
        <Code text={program.install} language="shell" />
        {program.install.includes("~/watchglass") && (
          <p className="snippet-note">
            <code>~/watchglass</code> is where its repository is: it is in no package index yet.
          </p>
        )}
        <Code
          text={program.text(address ?? location.origin, tenant)}
          language={program.language}
          height={320}
        />
        <p className="snippet-note">
          Where the server has keys: <code>WATCHGLASS_KEY</code> for the SDK, and for OpenTelemetry’s
          exporters <code>OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer wg_…"</code>.
        </p>
      </Tabs>
    </div>
  );
}
