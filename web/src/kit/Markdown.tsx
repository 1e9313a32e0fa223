import { lazy, Suspense } from "react";
import { Fallback } from "./Fallback";
import { isTooDeep } from "./nesting";
import { PlainText } from "./PlainText";
import { visible } from "./visibleText";
import "./markdown.css";

const Rendered = lazy(() => import("./MarkdownRendered"));

/** Beyond this parsing takes longer than a blink, and nobody reads it for its headings. */
const MOST = 100_000;

/** Markdown of a trace, sanitised: no HTML, no images, links to http(s) and mailto alone. Long or deep: as text. */
export function Markdown({ text }: { text: string }) {
  if (text.length > MOST || isTooDeep(text)) return <PlainText text={text} />;
  return (
    <Fallback instead={<PlainText text={text} />}>
      <Suspense fallback={<PlainText text={text} />}>
        <Rendered text={visible(text)} />
      </Suspense>
    </Fallback>
  );
}
