import { FlaskConical, X } from "lucide-react";
import { setPreferences, usePreferences } from "./preferences";
import { useSession } from "./session";

/** Says that what is shown is the demo's, until it is closed or the demo is removed: beside the page, which
 * therefore stays where it is when the server's word comes. */
export function DemoNote() {
  const { demoNoted } = usePreferences();
  const { data } = useSession();
  if (!data?.demo || demoNoted) return null;
  return (
    <aside className="shell-note" aria-label="Demo data">
      <div className="shell-note-title">
        <strong>Demo data</strong>
        <button
          type="button"
          className="shell-icon"
          aria-label="Close this note"
          onClick={() => setPreferences({ demoNoted: true })}
        >
          <X size={14} />
        </button>
      </div>
      <p>Agents, clients and bills are invented, sent by the demo at start.</p>
      <p>
        Send your own to <code>{location.origin}</code>. <code>watchglass demo --remove</code> takes the demo
        away.
      </p>
    </aside>
  );
}

/** The same in a word, where there is no room for the note. */
export function DemoBadge() {
  const { data } = useSession();
  return (
    <span className="shell-demo">
      {data?.demo && (
        <>
          <FlaskConical size={14} aria-hidden="true" /> Demo
        </>
      )}
    </span>
  );
}
