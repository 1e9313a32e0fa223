/** From when to when: by name, or by two moments; and whether the page is asked again each minute. */

import { CalendarDays, ChevronDown, RefreshCw } from "lucide-react";
import { type FormEvent, useId, useRef, useState } from "react";
import { queries } from "@/api/queries";
import { fromInput, inputValue, moment, zoneName } from "@/format/times";
import { setPreferences, usePreferences } from "./preferences";
import { boundMs, lastLabel, lengthLabel, PRESETS } from "./ranges";
import { type Range, useRange, useSetSearch } from "./search";
import "./range.css";

export function RangePicker() {
  const range = useRange();
  const { zone, refresh } = usePreferences();
  const popover = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => popover.current?.hidePopover();
  const live = refresh === "on" && !range.until;
  return (
    <div className="range">
      <button type="button" className="range-button" popoverTarget={id}>
        <CalendarDays size={15} aria-hidden="true" /> {described(range, zone)}
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      <button
        type="button"
        className={`range-refresh ${live ? "range-live" : ""}`}
        aria-pressed={refresh === "on"}
        aria-label="Ask again each minute"
        title={live ? "Asked again each minute; click to stop" : "Ask now and again each minute"}
        onClick={() => {
          setPreferences({ refresh: refresh === "on" ? "off" : "on" });
          if (refresh === "off") void queries.invalidateQueries();
        }}
      >
        <RefreshCw size={14} aria-hidden="true" />
      </button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        className="range-popover"
        role="dialog"
        aria-label="Time range"
      >
        <Choices range={range} close={close} />
      </div>
    </div>
  );
}

function Choices({ range, close }: { range: Range; close: () => void }) {
  const setSearch = useSetSearch();
  const choose = (since: string) => {
    setSearch({ since, until: undefined });
    close();
  };
  return (
    <>
      <ul className="range-presets">
        {PRESETS.map(({ since, label }) => (
          <li key={since}>
            <button
              type="button"
              aria-pressed={!range.until && range.since === since}
              onClick={() => choose(since)}
            >
              {label}
            </button>
          </li>
        ))}
      </ul>
      <Moments range={range} close={close} />
    </>
  );
}

const WEEK_MS = 7 * 86_400_000;

function Moments({ range, close }: { range: Range; close: () => void }) {
  const setSearch = useSetSearch();
  const { zone } = usePreferences();
  const [fault, setFault] = useState<string | null>(null);
  const id = useId();
  const now = Date.now();
  const from = boundMs(range.since, now) ?? now - WEEK_MS;
  const to = boundMs(range.until ?? "now", now) ?? now;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const since = fromInput(String(form.get("since")), zone);
    const until = fromInput(String(form.get("until")), zone);
    if (!since || !until) return setFault("Both moments are needed.");
    if (since >= until) return setFault("The start is not before the end.");
    setFault(null);
    setSearch({ since, until });
    close();
  }

  return (
    <form key={`${range.since} ${range.until} ${zone}`} className="range-moments" onSubmit={submit}>
      <label htmlFor={`${id}-since`}>From</label>
      <input id={`${id}-since`} name="since" type="datetime-local" defaultValue={inputValue(from, zone)} />
      <label htmlFor={`${id}-until`}>To, not included</label>
      <input id={`${id}-until`} name="until" type="datetime-local" defaultValue={inputValue(to, zone)} />
      {fault && (
        <p role="alert" className="range-fault">
          {fault}
        </p>
      )}
      <div className="range-foot">
        <label>
          <input
            type="checkbox"
            checked={zone === "utc"}
            onChange={(event) => setPreferences({ zone: event.target.checked ? "utc" : "local" })}
          />{" "}
          UTC <span className="muted">(now {zoneName(zone, Date.now())})</span>
        </label>
        <button type="submit">Apply</button>
      </div>
    </form>
  );
}

function described(range: Range, zone: "local" | "utc"): string {
  if (!range.until) {
    const named = lastLabel(range.since);
    if (named) return named;
  }
  return `${bound(range.since, zone)} – ${bound(range.until ?? "now", zone)}`;
}

function bound(text: string, zone: "local" | "utc"): string {
  if (text === "now") return text;
  const length = lengthLabel(text);
  if (length) return `${length} ago`;
  const now = Date.now();
  const ms = boundMs(text, now);
  return ms === null ? "?" : moment(ms, zone, now).replace(/:\d\d$/, "");
}
