import { createLazyRoute } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useApi } from "@/api/queries";
import { bytes } from "@/format/bytes";
import { Badge } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import { Copy } from "@/kit/Copy";
import { DataTable } from "@/kit/DataTable";
import { Stat, Stats, When } from "@/kit/Figure";
import { Page, Section } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Select } from "@/kit/Select";
import { Skeleton } from "@/kit/Skeleton";
import { type Preferences, setPreferences, usePreferences } from "@/shell/preferences";
import { signOut, useMayChange, useSession } from "@/shell/session";
import { SETTINGS, TABLES } from "./columns";
import { Targets } from "./Targets";
import "./settings.css";

export const Route = createLazyRoute("/settings")({ component: SettingsPage });

function SettingsPage() {
  const may = useMayChange();
  const { data, error, refetch } = useApi("/api/v1/settings", {}, { enabled: may });
  return (
    <Page title="Settings">
      <Appearance />
      <WhoAmI />
      <Targets />
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {may && !error && <Server state={data} />}
    </Page>
  );
}

const CHOICES: readonly {
  name: keyof Preferences;
  label: string;
  choices: readonly { value: string; label: string }[];
}[] = [
  {
    name: "theme",
    label: "Theme",
    choices: [
      { value: "system", label: "As the system" },
      { value: "light", label: "Light" },
      { value: "dark", label: "Dark" },
    ],
  },
  {
    name: "zone",
    label: "Times",
    choices: [
      { value: "local", label: "In this browser’s zone" },
      { value: "utc", label: "In UTC" },
    ],
  },
  {
    name: "density",
    label: "Rows of tables",
    choices: [
      { value: "dense", label: "Dense" },
      { value: "roomy", label: "Roomy" },
    ],
  },
  {
    name: "refresh",
    label: "Live pages",
    choices: [
      { value: "on", label: "Ask again each minute" },
      { value: "off", label: "Stand still" },
    ],
  },
];

function Appearance() {
  const preferences = usePreferences();
  return (
    <Section title="Appearance" note="Kept in this browser, for this browser.">
      <div className="settings-choices">
        {CHOICES.map(({ name, label, choices }) => (
          <Select
            key={name}
            label={label}
            value={String(preferences[name])}
            choices={choices}
            onChange={(value) => setPreferences({ [name]: value } as Partial<Preferences>)}
          />
        ))}
      </div>
    </Section>
  );
}

function WhoAmI() {
  const session = useSession().data;
  if (!session) return <Skeleton height="3rem" />;
  if (!session.keyed) {
    return (
      <Section title="Access">
        <p className="muted">The server has no keys: whoever is on its machine may do everything.</p>
      </Section>
    );
  }
  return (
    <Section title="Access">
      <div className="settings-who">
        <span>
          Signed in with the key <code>{session.key_id}</code>, role <Badge>{session.role}</Badge>
          {session.tenant !== null && (
            <>
              {" "}
              for the tenant <b>{session.tenant}</b>
            </>
          )}
        </span>
        <Button small onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
    </Section>
  );
}

type State = Schemas["ServerState"];

function Server({ state }: { state: State | undefined }) {
  const [all, setAll] = useState(false);
  const rows = state?.settings.filter((each) => all || each.source !== "default");
  return (
    <>
      <Section title="Server">{state ? <Facts state={state} /> : <Skeleton height="9rem" />}</Section>
      <Section
        title="What it runs with"
        note={
          <>
            Settings are read when the server starts. Change one where it comes from, as a flag of{" "}
            <code>watchglass serve</code>, a variable or a line of{" "}
            <code>{state?.file ?? "watchglass.toml"}</code>, and start it again. A flag wins over a variable,
            that over the file.
          </>
        }
        aside={
          <Button small aria-pressed={all} onClick={() => setAll(!all)}>
            {all ? "Only what was set" : "Show defaults too"}
          </Button>
        }
      >
        <DataTable
          id="settings"
          label="Settings of the server"
          columns={SETTINGS}
          rows={rows}
          rowKey={(row) => row.name}
          empty="Everything is as it comes. Defaults are shown on demand."
        />
      </Section>
      <Section
        title="Room"
        note="Rows as they were written: older versions of a row go when the engine merges."
      >
        <DataTable
          id="tables"
          label="Tables of the store"
          columns={TABLES}
          rows={state?.tables}
          rowKey={(row) => row.table}
        />
      </Section>
    </>
  );
}

function Facts({ state }: { state: State }) {
  return (
    <>
      <Stats>
        <Stat label="watchglass" value={state.version} note={`Python ${state.python}`} />
        <Stat label="Started" value={<When at={state.started} />} note={`process ${state.pid}`} />
        <Stat label="The store takes" value={bytes(state.room_bytes)} note={`engine ${state.engine}`} />
        <Stat label="Free on its disk" value={bytes(state.disk_free_bytes)} />
      </Stats>
      <dl className="settings-facts">
        <dt>Data</dt>
        <dd>
          <code>{state.data}</code> <Copy text={state.data} label="Copy the data directory" />
        </dd>
        <dt>Address</dt>
        <dd>
          <code>{state.address}</code> <Copy text={state.address} label="Copy the address" />
        </dd>
        <dt>Price list</dt>
        <dd>{state.price_list}</dd>
      </dl>
    </>
  );
}
