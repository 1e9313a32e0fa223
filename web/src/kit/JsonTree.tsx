import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Button } from "./Button";
import { Copy } from "./Copy";
import { type Json, WrittenNumber, writeJson } from "./jsonValue";
import { beginning, visible } from "./visibleText";
import "./json-tree.css";

const PAGE = 100;
const LONG = 500;

export interface JsonTreeProps {
  value: Json;
  /** How many levels are open to begin with. */
  open?: number;
  /** What it is, for its copy button: "arguments". */
  label?: string;
}

/** A JSON value that is opened level by level; only what is open is in the page, a hundred at a time. */
export function JsonTree({ value, open = 1, label = "JSON" }: JsonTreeProps) {
  return (
    <div className="json-tree">
      <Copy text={() => writeJson(value)} label={`Copy ${label}`} />
      <Node value={value} open={open} />
    </div>
  );
}

function Node({ name, value, open }: { name?: string; value: Json; open: number }) {
  const [opened, setOpened] = useState(open > 0);
  if (!isBranch(value)) {
    return (
      <div className="json-tree-leaf">
        <Key name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [first, last] = Array.isArray(value) ? "[]" : "{}";
  if (size === 0) {
    return (
      <div className="json-tree-leaf">
        <Key name={name} />
        <span className="json-tree-sign">
          {first}
          {last}
        </span>
      </div>
    );
  }
  return (
    <div className="json-tree-node">
      <button
        type="button"
        className="json-tree-toggle"
        aria-expanded={opened}
        onClick={() => setOpened(!opened)}
      >
        <ChevronRight size={12} aria-hidden="true" />
        <Key name={name} />
        <span className="json-tree-sign">
          {first} {size} {Array.isArray(value) ? "item" : "field"}
          {size === 1 ? "" : "s"} {last}
        </span>
      </button>
      {opened && <Children value={value} open={open - 1} />}
    </div>
  );
}

function Children({ value, open }: { value: Json[] | { [key: string]: Json }; open: number }) {
  const [shown, setShown] = useState(PAGE);
  const keys = Object.keys(value);
  return (
    <div className="json-tree-children">
      {keys.slice(0, shown).map((key) => (
        <Node key={key} name={key} value={(value as Record<string, Json>)[key] ?? null} open={open} />
      ))}
      {keys.length > shown && (
        <Button small onClick={() => setShown(shown + PAGE * 5)}>
          Show {Math.min(PAGE * 5, keys.length - shown)} more of {keys.length - shown}
        </Button>
      )}
    </div>
  );
}

function Key({ name }: { name: string | undefined }) {
  return name === undefined ? null : <span className="json-tree-key">{visible(beginning(name, 200))}:</span>;
}

function Leaf({ value }: { value: null | boolean | number | string | WrittenNumber }) {
  const [whole, setWhole] = useState(false);
  if (value instanceof WrittenNumber) return <span className="json-tree-number">{value.text}</span>;
  if (typeof value !== "string") {
    return <span className={`json-tree-${typeof value}`}>{String(value)}</span>;
  }
  const shown = whole ? beginning(value, 100_000) : beginning(value, LONG);
  return (
    <>
      <span className="json-tree-string">“{visible(shown)}”</span>
      {!whole && shown.length < value.length && (
        <Button small onClick={() => setWhole(true)}>
          Show {(value.length - shown.length).toLocaleString("en-US")} more characters
        </Button>
      )}
    </>
  );
}

function isBranch(value: Json): value is Json[] | { [key: string]: Json } {
  return typeof value === "object" && value !== null && !(value instanceof WrittenNumber);
}
