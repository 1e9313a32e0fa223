import { Brain, FileText, Wrench } from "lucide-react";
import { memo, type ReactNode, useMemo, useState } from "react";
import { Badge } from "./Badge";
import { Button } from "./Button";
import { Code } from "./Code";
import { Copy } from "./Copy";
import { textSize } from "./growing";
import { JsonTree } from "./JsonTree";
import type { Json } from "./jsonValue";
import { Markdown } from "./Markdown";
import { messageParts, type Part, valueText } from "./messageParts";
import { PlainText } from "./PlainText";
import { beginning } from "./visibleText";
import "./conversation.css";

export interface Said {
  /** Unique in the conversation: a message's hash may be there twice, so hash and place. */
  key: string;
  role: string | null;
  /** JSON text as the API gives it; null once the text is no longer kept. */
  content: string | null;
  /** This step added it; marked, and never folded. */
  isNew?: boolean;
  /** Beside the role: when, by which agent, what it cost. */
  aside?: ReactNode;
}

export interface ConversationProps {
  messages: readonly Said[];
  /** What to say where there are none. */
  empty?: ReactNode;
  /** Messages that are not new are one line each until they are opened. */
  foldOld?: boolean;
}

type As = "markdown" | "text";

/** Messages by role, with calls of tools, their answers and reasoning; text as Markdown or as it is. */
export function Conversation({ messages, empty, foldOld = false }: ConversationProps) {
  const [as, setAs] = useState<As>("markdown");
  if (messages.length === 0) return <p className="muted">{empty ?? "No messages were recorded."}</p>;
  return (
    <div className="conversation">
      <div className="conversation-bar">
        <Button
          tone="quiet"
          small
          aria-pressed={as === "text"}
          onClick={() => setAs(as === "text" ? "markdown" : "text")}
        >
          Plain text
        </Button>
      </div>
      <ol className="conversation-messages">
        {messages.map((message) => (
          <Message key={message.key} message={message} as={as} fold={foldOld && !message.isNew} />
        ))}
      </ol>
    </div>
  );
}

const ROLES: Record<string, string> = {
  system: "System",
  developer: "Developer",
  user: "User",
  assistant: "Assistant",
  tool: "Tool",
  function: "Tool",
};

const FOLDED = 600;

const Message = memo(function Message({ message, as, fold }: { message: Said; as: As; fold: boolean }) {
  const { role, content, isNew, aside } = message;
  const parts = useMemo(() => (content === null ? [] : messageParts(content)), [content]);
  const isLong = (content?.length ?? 0) > FOLDED && (fold || role === "system");
  const [opened, setOpened] = useState(!isLong);
  return (
    <li
      className={`conversation-message conversation-${role ?? "unknown"}${isNew ? " conversation-new" : ""}`}
    >
      <div className="conversation-head">
        <span className="conversation-role">{ROLES[role ?? ""] ?? role ?? "Unknown role"}</span>
        {isNew && (
          <Badge tone="accent" title="This step added it; what stands before it was sent again">
            new
          </Badge>
        )}
        {aside && <span className="conversation-aside">{aside}</span>}
        {content !== null && <Copy text={content} label="Copy message" />}
      </div>
      {content === null ? (
        <p className="muted">The text is no longer kept, or was not recorded.</p>
      ) : parts.length === 0 ? (
        <p className="muted">Empty message</p>
      ) : opened ? (
        parts.map((part, place) => {
          const key = `${place} ${part.kind}`; // a message's parts never move
          return <PartView key={key} part={part} as={as} />;
        })
      ) : (
        <Folded parts={parts} onOpen={() => setOpened(true)} />
      )}
    </li>
  );
});

function Folded({ parts, onOpen }: { parts: readonly Part[]; onOpen: () => void }) {
  const said = parts.map((part) => ("text" in part ? part.text : part.kind)).join("\n");
  return (
    <>
      <PlainText text={`${beginning(said, 240)}…`} />
      <Button small onClick={onOpen}>
        Show all of it
      </Button>
    </>
  );
}

function PartView({ part, as }: { part: Part; as: As }) {
  switch (part.kind) {
    case "text":
      return as === "markdown" ? <Markdown text={part.text} /> : <PlainText text={part.text} />;
    case "reasoning":
      return (
        <Boxed icon={<Brain size={13} aria-hidden="true" />} title="Reasoning" open={false}>
          {as === "markdown" ? <Markdown text={part.text} /> : <PlainText text={part.text} />}
        </Boxed>
      );
    case "tool_call":
      return (
        <Boxed icon={<Wrench size={13} aria-hidden="true" />} title={part.name} kind="tool call" open>
          <ValueView value={part.value} label="arguments" />
        </Boxed>
      );
    case "tool_result":
      return (
        <Boxed
          icon={<Wrench size={13} aria-hidden="true" />}
          title="Answer"
          kind={part.id ? `to ${beginning(part.id, 24)}` : undefined}
          open={valueText(part.value).length < 4000}
        >
          <ValueView value={part.value} label="answer" />
        </Boxed>
      );
    case "reference":
      return (
        <p className="conversation-reference">
          <FileText size={13} aria-hidden="true" />
          {part.media}
          {part.size !== null && `, ${textSize(part.size)}`}
          {part.name && <code>{beginning(part.name, 200)}</code>}
        </p>
      );
    case "other":
      return <ValueView value={part.value} label="part" />;
  }
}

function ValueView({ value, label }: { value: Json; label: string }) {
  if (value === null || value === "") return <p className="muted">None</p>;
  if (typeof value === "object") return <JsonTree value={value} open={2} label={label} />;
  const text = String(value);
  return text.includes("\n") || text.length > 200 ? (
    <Code text={text} wrap height={320} />
  ) : (
    <PlainText text={text} />
  );
}

function Boxed(props: { icon: ReactNode; title: string; kind?: string; open: boolean; children: ReactNode }) {
  const [opened, setOpened] = useState(props.open);
  return (
    <details
      className="conversation-part"
      open={opened}
      onToggle={(event) => setOpened(event.currentTarget.open)}
    >
      <summary>
        {props.icon}
        <span className="conversation-part-title">{props.title}</span>
        {props.kind && <span className="muted">{props.kind}</span>}
      </summary>
      {opened && <div className="conversation-part-body">{props.children}</div>}
    </details>
  );
}
