import { useState } from "react";
import { send } from "@/api/client";
import { queries } from "@/api/queries";
import { Button } from "@/kit/Button";
import { Command } from "@/kit/Command";
import { Problem } from "@/kit/Problem";

interface Props {
  /** From when on calls are priced anew. */
  from: string;
  unpriced: Readonly<Record<string, number>>;
  onClose: () => void;
}

/** After a price was set: it holds for calls to come; those that are there are priced on demand. */
export function Reprice({ from, unpriced, onClose }: Props) {
  const [state, setState] = useState<"idle" | "busy" | "begun">("idle");
  const [error, setError] = useState<unknown>(null);
  const calls = Object.values(unpriced).reduce((sum, each) => sum + each, 0);
  const since = from.slice(0, 10);
  const begin = async () => {
    setState("busy");
    setError(null);
    try {
      await send("POST", "/api/v1/reprices", { since, unpriced: true, why: "a price was set in the app" });
      setState("begun");
      void queries.invalidateQueries();
    } catch (fault) {
      setError(fault);
      setState("idle");
    }
  };
  return (
    <div className="prices-note" role="status">
      <p>
        {state === "begun"
          ? "Calls without a price are being priced anew; totals change as it goes on."
          : `The price is set, for calls from now on. Those that are there keep what they have${calls ? ", or lack" : ""}.`}
      </p>
      {state !== "begun" && <Command command={`watchglass reprice --unpriced --since ${since}`} />}
      {error !== null && <Problem error={error} />}
      <div className="prices-actions">
        {state !== "begun" && (
          <Button small disabled={state === "busy"} onClick={begin}>
            Price calls without one now
          </Button>
        )}
        <Button small tone="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
    </div>
  );
}
