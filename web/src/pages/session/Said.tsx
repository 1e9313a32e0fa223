import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "@/kit/Button";
import { Conversation, type Said as Message } from "@/kit/Conversation";
import { textSize } from "@/kit/growing";
import { beginning, visible } from "@/kit/visibleText";
import { clockText } from "./clock";
import type { Story } from "./moment";

const SHOWN = 30;

interface Props {
  told: Story;
  /** How many messages had been said, and the step that is shown. */
  count: number;
  step: number;
  label: string;
}

/** The conversation as it stood, its latest messages in view; those of the current step are marked. */
export function Said({ told, count, step, label }: Props) {
  const [more, setMore] = useState(0);
  const scroller = useRef<HTMLElement>(null);
  const all = useMemo(() => told.said.map((_, place) => message(told, place)), [told]);
  const fresh = useMemo(() => all.map((each) => ({ ...each, isNew: true })), [all]);
  const from = Math.max(0, count - SHOWN - more);
  const shown = useMemo(
    () =>
      all
        .slice(from, count)
        .map((each, at) => (told.said[from + at]?.step === step ? (fresh[from + at] ?? each) : each)),
    [all, fresh, told, from, count, step],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is one more, or one fewer
  useEffect(() => {
    const element = scroller.current;
    if (element) element.scrollTop = 0; // its end: see page.css
  }, [count]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be by keyboard, too
    <section ref={scroller} className="session-said" aria-label={label} tabIndex={0}>
      <div>
        {from > 0 && (
          <Button small onClick={() => setMore(more + SHOWN)}>
            {from} earlier
          </Button>
        )}
        <Conversation messages={shown} foldOld empty="Nothing was said yet, or no texts were recorded." />
      </div>
    </section>
  );
}

function message(told: Story, place: number): Message {
  const line = told.said[place];
  const said = line && told.replay.messages[line.message];
  const step = line && told.replay.steps[line.step];
  if (!line || !said) return { key: String(place), role: null, content: null };
  const cut = said.cut
    ? ` · ${said.content === null ? "left out, it is" : "the beginning of"} ${textSize(said.size ?? 0)}`
    : "";
  const who = step?.agent ? `${visible(beginning(step.agent, 60))} · ` : "";
  return {
    key: `${said.hash} ${place}`,
    role: said.role,
    content: said.content,
    aside: `${who}${clockText(line.atNs / 1e6)}${cut}`,
  };
}
