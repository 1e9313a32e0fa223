import { createLazyRoute } from "@tanstack/react-router";
import { KeyRound, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { type Schemas, send } from "@/api/client";
import { queries, useApi } from "@/api/queries";
import { count } from "@/format/numbers";
import { Badge, type Tone } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import { Command } from "@/kit/Command";
import { Confirm } from "@/kit/Confirm";
import { type Column, DataTable } from "@/kit/DataTable";
import { Empty } from "@/kit/Empty";
import { When } from "@/kit/Figure";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { useMayChange, useSession } from "@/shell/session";
import { MakeKey } from "./MakeKey";
import "./keys.css";

export const Route = createLazyRoute("/keys")({ component: KeysPage });

export type Key = Schemas["KeyShown"];

const TONES: Readonly<Record<Key["role"], Tone>> = { admin: "accent", read: "neutral", ingest: "neutral" };

function KeysPage() {
  const may = useMayChange();
  const session = useSession().data;
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const { data, error, refetch } = useApi("/api/v1/keys", {}, { enabled: may });
  const columns = useMemo(() => columnsOf(session?.key_id ?? null, setRevoking), [session?.key_id]);
  const none = data?.keys.length === 0;
  const make = (
    <Button tone="primary" icon={<Plus size={15} aria-hidden="true" />} onClick={() => setMaking(true)}>
      Make a key
    </Button>
  );
  return (
    <Page title="Keys" actions={may && !none ? make : undefined}>
      {session && !may && (
        <Empty title="Keys are for who has an admin key">
          <p>
            Yours has the role {session.role ?? "none"}. Ask whoever runs this server, or list them on its
            machine:
          </p>
          <Command command="watchglass keys list" />
        </Empty>
      )}
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {none && (
        <Empty title="There are no keys" icon={<KeyRound size={22} aria-hidden="true" />}>
          <p>
            So nobody needs one: whoever is on this machine may send and read everything, and the server
            cannot be reached from elsewhere (it listens on the loopback address only). Make keys before
            others are to send or to look. From the first key on, nobody gets in without one.
          </p>
          {make}
        </Empty>
      )}
      {(may || !session) && !error && !none && (
        <DataTable
          id="keys"
          label="Keys"
          columns={columns}
          rows={data?.keys}
          rowKey={(key) => key.id}
          rowClass={(key) => (key.revoked ? "keys-revoked" : undefined)}
          skeletonRows={4}
        />
      )}
      {making && <MakeKey first={none ?? false} onClose={() => setMaking(false)} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name || revoking.id}?`}
          verb="Revoke"
          onConfirm={async () => {
            await send("DELETE", `/api/v1/keys/${revoking.id}`);
            void queries.invalidateQueries();
          }}
          onClose={() => setRevoking(null)}
        >
          <p>
            It ceases to work within a second, for good: whoever uses it gets 401 from then on.
            {revoking.id === session?.key_id &&
              " This browser uses it, so you will have to sign in with another."}
          </p>
        </Confirm>
      )}
    </Page>
  );
}

function columnsOf(own: string | null, revoke: (key: Key) => void): readonly Column<Key>[] {
  return [
    {
      id: "name",
      header: "Key",
      cell: (key) => (
        <span className="keys-name">
          {key.name || <span className="muted">unnamed</span>} <code className="muted">{key.id}</code>
          {key.id === own && <Badge>this browser</Badge>}
        </span>
      ),
    },
    {
      id: "role",
      header: "Role",
      width: 90,
      sortable: true,
      sortBy: (key) => key.role,
      cell: (key) => <Badge tone={TONES[key.role]}>{key.role}</Badge>,
    },
    {
      id: "tenant",
      header: "Tenant",
      width: 150,
      sortable: true,
      sortBy: (key) => key.tenant,
      cell: (key) => key.tenant ?? <span className="muted">everybody’s</span>,
    },
    { id: "limits", header: "At most", width: 190, cell: (key) => limits(key) },
    {
      id: "created",
      header: "Made",
      width: 110,
      sortable: true,
      sortBy: (key) => key.created,
      cell: (key) => <When at={key.created} />,
    },
    {
      id: "by",
      header: "Made by",
      width: 130,
      cell: (key) => <span className="muted">{key.created_by}</span>,
    },
    {
      id: "state",
      header: "State",
      width: 130,
      hideable: false,
      cell: (key) =>
        key.revoked ? (
          <span className="muted">
            revoked <When at={key.revoked} />
          </span>
        ) : (
          <Button small tone="quiet" aria-label={`Revoke ${key.name || key.id}`} onClick={() => revoke(key)}>
            Revoke
          </Button>
        ),
    },
  ];
}

function limits(key: Key) {
  const parts = [
    key.requests_per_s === null ? null : `${key.requests_per_s} requests/s`,
    key.bytes_per_s === null ? null : `${count(key.bytes_per_s)} bytes/s`,
  ].filter((each) => each !== null);
  return parts.length ? parts.join(", ") : <span className="muted">no limit</span>;
}
