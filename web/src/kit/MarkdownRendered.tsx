import ReactMarkdown, { type Components } from "react-markdown";
import { safeLink } from "./safeLink";

// HTML in the text is shown as text: react-markdown parses none unless it is taught to.
const COMPONENTS: Components = {
  a: ({ href, children }) => {
    const safe = safeLink(href);
    if (safe === null) return <span className="markdown-refused">{children}</span>;
    return (
      <a href={safe} target="_blank" rel="noreferrer noopener" title={safe}>
        {children}
      </a>
    );
  },
  // An image would be a request to a stranger, made by whoever wrote the prompt.
  img: ({ alt, src }) => (
    <span className="markdown-image">
      [image{alt ? `: ${alt}` : ""}
      {typeof src === "string" ? ` ${src.slice(0, 200)}` : ""}]
    </span>
  ),
  // Headings of a text are not headings of the page.
  h1: ({ children }) => <p className="markdown-heading">{children}</p>,
  h2: ({ children }) => <p className="markdown-heading">{children}</p>,
  h3: ({ children }) => <p className="markdown-heading">{children}</p>,
  h4: ({ children }) => <p className="markdown-heading">{children}</p>,
  h5: ({ children }) => <p className="markdown-heading">{children}</p>,
  h6: ({ children }) => <p className="markdown-heading">{children}</p>,
};

/** The lazy part of `<Markdown>`. */
export default function MarkdownRendered({ text }: { text: string }) {
  return (
    <div className="markdown" dir="auto">
      {/* Links are judged above, so that the text of a refused one still stands there. */}
      <ReactMarkdown components={COMPONENTS} urlTransform={(address) => address}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
