/** The server has keys, and this browser shows none. */

import { type FormEvent, useEffect, useState } from "react";
import { ApiProblem } from "@/api/client";
import { signIn } from "./session";
import "./signin.css";

export function SignIn() {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Sign in · watchglass";
  }, []);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const key = new FormData(event.currentTarget).get("key");
    setBusy(true);
    setFault(null);
    try {
      await signIn(String(key ?? "").trim());
    } catch (error) {
      setFault(error instanceof ApiProblem ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main className="signin">
      <form onSubmit={submit}>
        <h1>Sign in to watchglass</h1>
        <p>This server answers to keys. Paste one with the role read or admin.</p>
        <label htmlFor="key">Key</label>
        <input
          // biome-ignore lint/a11y/noAutofocus: the page is this one field
          autoFocus
          id="key"
          name="key"
          type="password"
          autoComplete="current-password"
          placeholder="wg_…"
          required
          aria-invalid={fault !== null}
          aria-describedby={fault ? "key-fault" : undefined}
        />
        {fault && (
          <p id="key-fault" role="alert" className="signin-fault">
            {fault}
          </p>
        )}
        <button type="submit" disabled={busy}>
          {busy ? "Looking…" : "Sign in"}
        </button>
        <p className="muted">
          Make one on the server: <code>watchglass keys create --role read</code>
        </p>
      </form>
    </main>
  );
}
