import { X } from "lucide-react";
import { setPreferences, usePreferences } from "./preferences";
import { useSession } from "./session";

/** Says that what is shown is the demo's, until it is closed or the demo is removed. */
export function DemoNote() {
  const { demoNoted } = usePreferences();
  const { data } = useSession();
  if (!data?.demo || demoNoted) return null;
  return (
    <aside className="shell-note" aria-label="Demo data">
      <span>
        <strong>Demo data.</strong> These agents, clients and bills are invented, sent by the demo at start.
        Send your own to <code>{location.origin}</code>; <code>watchglass demo --remove</code> takes the demo
        away.
      </span>
      <button
        type="button"
        className="shell-icon"
        aria-label="Close this note"
        onClick={() => setPreferences({ demoNoted: true })}
      >
        <X size={16} />
      </button>
    </aside>
  );
}
