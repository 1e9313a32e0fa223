/** ⌘K: go anywhere, by a few letters. An id of a trace goes to it; any other words search the traces. */

import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useState } from "react";
import { carried } from "./links";
import { Overlay } from "./Overlay";
import { PLACES } from "./places";
import { setPreferences } from "./preferences";
import { PRESETS } from "./ranges";
import type { Raw } from "./search";
import { signOut, useSession } from "./session";

interface Choice {
  label: string;
  hint: string;
  words: string;
  run: () => void;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const choices = useChoices(text.trim());
  const chosen = Math.min(at, choices.length - 1);

  function run(choice: Choice | undefined) {
    if (!choice) return;
    onClose();
    choice.run();
  }

  function press(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((chosen + step + choices.length) % choices.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(choices[chosen]);
    }
  }

  return (
    <Overlay label="Go to" onClose={onClose} className="palette">
      <input
        // biome-ignore lint/a11y/noAutofocus: the dialog was opened to type into this
        autoFocus
        type="text"
        role="combobox"
        aria-label="Go to a page, a trace, a setting"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={choices.length ? `${list}-${chosen}` : undefined}
        placeholder="Go to a page, paste a trace id, search…"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <div role="listbox" id={list} aria-label="Choices" className="palette-list">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are pressed in the field above, as comboboxes have it
          <div
            key={choice.label}
            id={`${list}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => run(choice)}
            onMouseMove={() => setAt(index)}
          >
            <span>{choice.label}</span>
            <span className="muted">{choice.hint}</span>
          </div>
        ))}
      </div>
    </Overlay>
  );
}

const MOST = 12;
const TRACE_ID = /^[0-9a-f]{16,32}$/i;

function useChoices(text: string): Choice[] {
  const navigate = useNavigate();
  const { data: session } = useSession();
  const go = (to: string, search: unknown = carried) => void navigate({ to, search } as never);
  const known: Choice[] = [
    ...PLACES.map(({ to, label, words, key }) => ({ label, hint: `g ${key}`, words, run: () => go(to) })),
    ...PRESETS.map(({ since, label }) => ({
      label,
      hint: "time",
      words: `time range ${since}`,
      run: () => go(".", (before: Raw) => ({ ...before, since, until: undefined })),
    })),
    ...(["light", "dark", "system"] as const).map((theme) => ({
      label: `Theme: ${theme}`,
      hint: "setting",
      words: "appearance colours night",
      run: () => setPreferences({ theme }),
    })),
    ...(["local", "utc"] as const).map((zone) => ({
      label: `Times: ${zone === "utc" ? "UTC" : "local zone"}`,
      hint: "setting",
      words: "zone clock",
      run: () => setPreferences({ zone }),
    })),
    {
      label: "API reference",
      hint: "server",
      words: "openapi docs",
      run: () => location.assign("/api/docs"),
    },
    ...(session?.keyed
      ? [{ label: "Sign out", hint: "key", words: "leave", run: () => void signOut() }]
      : []),
  ];
  const found = known.filter((each) => matches(each, text.toLowerCase())).slice(0, MOST);
  if (text === "") return found;
  const asked: Choice = TRACE_ID.test(text)
    ? { label: `Trace ${text}`, hint: "open", words: "", run: () => go(`/traces/${text.toLowerCase()}`) }
    : {
        label: `Search traces for “${text}”`,
        hint: "search",
        words: "",
        run: () => go("/traces", (before: Raw) => ({ ...carried(before), text })),
      };
  return TRACE_ID.test(text) ? [asked, ...found] : [...found, asked];
}

function matches({ label, words }: Choice, text: string): boolean {
  const all = `${label} ${words}`.toLowerCase();
  return text.split(/\s+/).every((word) => all.includes(word));
}
