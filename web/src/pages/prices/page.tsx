import { createLazyRoute } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { type Schemas, send } from "@/api/client";
import { queries, useApi } from "@/api/queries";
import { count } from "@/format/numbers";
import { Button } from "@/kit/Button";
import { Confirm } from "@/kit/Confirm";
import { DataTable } from "@/kit/DataTable";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Skeleton } from "@/kit/Skeleton";
import { Tabs } from "@/kit/Tabs";
import { useHref } from "@/shell/links";
import { useSetSearch } from "@/shell/search";
import { useMayChange } from "@/shell/session";
import { Book } from "./Book";
import { lacking, type SetPrice, setColumns, USED, type UsedModel } from "./columns";
import { Changes, OneModel } from "./OneModel";
import { PriceForm } from "./PriceForm";
import { Reprice } from "./Reprice";
import { pricesAsked } from "./search";
import { Unpriced } from "./Unpriced";
import "./prices.css";

export const Route = createLazyRoute("/prices")({ component: PricesPage });

type Answered = Schemas["PricePage"];
type Form = { begin: Partial<SetPrice>; replaces?: string };

function PricesPage() {
  const search = Route.useSearch();
  const { view = "used", find, provider, source, model, of, whatif } = search;
  const set = useSetSearch();
  const may = useMayChange();
  const [form, setForm] = useState<Form | null>(null);
  const [wasSet, setWasSet] = useState<{ from: string | undefined } | null>(null);
  const { data, error, refetch } = useApi("/api/v1/price-book", { query: pricesAsked(search) });
  const lack = data?.used.filter((row) => lacking(row)).length;
  const tabs = [
    { id: "used", label: "In use", ...(data ? { count: data.used.length } : {}) },
    { id: "book", label: "The book", ...(data ? { count: data.models } : {}) },
    { id: "set", label: "Set by you", ...(data ? { count: data.overrides.length } : {}) },
    { id: "changes", label: "Changes" },
  ];
  const setFor = (row: UsedModel) =>
    setForm({ begin: { provider: row.provider ?? "", model: row.model ?? "" } });
  return (
    <Page
      title="Prices"
      timed
      actions={
        may && (
          <Button icon={<Plus size={15} aria-hidden="true" />} onClick={() => setForm({ begin: {} })}>
            Set a price
          </Button>
        )
      }
    >
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {wasSet && data && (
        <Reprice from={wasSet.from ?? data.since} unpriced={data.unpriced} onClose={() => setWasSet(null)} />
      )}
      <Tabs
        label="Prices"
        tabs={tabs}
        active={view}
        onSelect={(id) =>
          set({ view: id === "used" ? undefined : id, model: undefined, of: undefined, whatif: undefined })
        }
      >
        <div className="prices-view">
          {model && <OneModel model={model} provider={of} whatif={whatif === "yes"} />}
          {view === "used" && !data && !error && <Skeleton height="1.6rem" lines={14} />}
          {view === "used" && data && (
            <>
              {!!lack && <Unpriced rows={data.used} {...(may ? { onSet: setFor } : {})} />}
              <Used data={data} selected={`${of} ${model}`} />
            </>
          )}
          {view === "book" && (
            <Book data={data} find={find} provider={provider} source={source} selected={`${of} ${model}`} />
          )}
          {view === "set" && <SetByYou data={data} may={may} onEdit={setForm} />}
          {view === "changes" && <AllChanges />}
        </div>
      </Tabs>
      {form && data && (
        <PriceForm
          begin={form.begin}
          replaces={form.replaces}
          providers={data.providers}
          onClose={() => setForm(null)}
          onSet={(from) => {
            setForm(null);
            setWasSet({ from });
          }}
        />
      )}
    </Page>
  );
}

function Used({ data, selected }: { data: Answered | undefined; selected: string }) {
  const href = useHref();
  return (
    <DataTable
      id="prices-used"
      label="Models in use"
      columns={USED}
      rows={data?.used}
      rowKey={(row) => `${row.provider} ${row.model}`}
      rowHref={(row) =>
        row.model === null ? undefined : href("/prices", { model: row.model, of: row.provider ?? undefined })
      }
      selected={selected}
      toolbar={
        data && <span>{`Dollars a million tokens, now. ${count(data.calls)} calls in this time.`}</span>
      }
      empty="No calls in this time."
    />
  );
}

function SetByYou({
  data,
  may,
  onEdit,
}: {
  data: Answered | undefined;
  may: boolean;
  onEdit: (form: Form) => void;
}) {
  const [removed, setRemoved] = useState<SetPrice | null>(null);
  const columns = useMemo(
    () => setColumns(may, (row) => onEdit({ begin: row, replaces: row.id }), setRemoved),
    [may, onEdit],
  );
  return (
    <>
      <DataTable
        id="prices-set"
        label="Prices that were set"
        columns={columns}
        rows={data?.overrides}
        rowKey={(row) => row.id}
        skeletonRows={3}
        empty="No price was set one by one: the lists’ prices hold. A price that you set wins over all of them."
      />
      {removed && (
        <Confirm
          title={`Remove the ${removed.kind} of ${removed.model}?`}
          verb="Remove"
          onConfirm={async () => {
            await send("DELETE", `/api/v1/prices/overrides/${removed.id}`);
            void queries.invalidateQueries();
          }}
          onClose={() => setRemoved(null)}
        >
          <p>
            Calls from now on cost what the lists say. Those that are there keep their cost until they are
            repriced, and the history goes on telling of it.
          </p>
        </Confirm>
      )}
    </>
  );
}

function AllChanges() {
  const { data, error } = useApi("/api/v1/prices/versions");
  if (error) return <Problem error={error} />;
  if (data?.changes.length === 0) return <p className="muted">Nobody has changed the book yet.</p>;
  return <Changes changes={data?.changes ?? []} />;
}
