import { Fragment } from "react";
import { Overlay } from "./Overlay";
import { useRegistered } from "./shortcuts";

/** All keys that work on this page. */
export function Help({ onClose }: { onClose: () => void }) {
  const shortcuts = useRegistered();
  const groups: [string, typeof shortcuts][] = [
    ["On this page", shortcuts.filter((each) => !each.keys.startsWith("g ") && each.keys !== "?")],
    ["Everywhere", shortcuts.filter((each) => each.keys === "?")],
    ["Go to", shortcuts.filter((each) => each.keys.startsWith("g "))],
  ];
  return (
    <Overlay label="Keyboard" onClose={onClose}>
      <div className="help">
        <h2>Keyboard</h2>
        {groups.map(([title, some]) =>
          some.length === 0 ? null : (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {title === "Everywhere" && (
                  <Row keys="⌘ K or Ctrl K" meaning="Go to a page, a trace, a setting" />
                )}
                {some.map(({ keys, meaning }) => (
                  <Row key={keys} keys={keys} meaning={meaning} />
                ))}
              </dl>
            </section>
          ),
        )}
      </div>
    </Overlay>
  );
}

const NAMES: Record<string, string> = {
  " ": "space",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

function Row({ keys, meaning }: { keys: string; meaning: string }) {
  const parts = keys === " " ? [" "] : keys.split(" ");
  return (
    <>
      <dt>
        {parts.map((key, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same key may be pressed twice
          <Fragment key={index}>{key === "or" ? ` ${key} ` : <kbd>{NAMES[key] ?? key}</kbd>} </Fragment>
        ))}
      </dt>
      <dd>{meaning}</dd>
    </>
  );
}
