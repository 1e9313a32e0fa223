import { createLazyRoute } from "@tanstack/react-router";
import { useApi } from "@/api/queries";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { Tabs } from "@/kit/Tabs";
import { useAsked, useSetSearch } from "@/shell/search";
import { AgentsView } from "./AgentsView";
import { FlowsView } from "./FlowsView";
import { TroubleView } from "./TroubleView";
import "./agents.css";

export const Route = createLazyRoute("/agents")({ component: AgentsPage });

function AgentsPage() {
  const { view = "agents" } = Route.useSearch();
  const set = useSetSearch();
  const asked = useAsked();
  // One question a view: agents and what hangs in them come together, flows by themselves. The tabs say how many
  // agents there are, and what is in trouble, beside flows too: asked once those are there.
  const onFlows = view === "flows";
  const flows = useApi("/api/v1/flow-types", { query: asked }, { live: true, enabled: onFlows });
  const enabled = !onFlows || flows.isSuccess;
  const agents = useApi("/api/v1/agents", { query: asked }, { live: !onFlows, enabled });
  const shown = onFlows ? flows : agents;
  const trouble = agents.data && agents.data.stuck.length + agents.data.totals.work.failed;
  const tabs = [
    { id: "agents", label: "Agents", ...(agents.data ? { count: agents.data.active } : {}) },
    { id: "flows", label: "Flows" },
    { id: "trouble", label: "Stuck and failed", ...(trouble ? { count: trouble } : {}) },
  ];
  return (
    <Page title="Agents and flows" timed>
      <Tabs
        label="Agents and flows"
        tabs={tabs}
        active={view}
        onSelect={(id) => set({ view: id === "agents" ? undefined : id, sort: undefined, flow: undefined })}
      >
        {shown.error && !shown.data ? (
          <Problem error={shown.error} onRetry={() => void shown.refetch()} />
        ) : (
          <div className="agents-view" aria-busy={shown.isPending}>
            {view === "agents" && <AgentsView report={agents.data} />}
            {view === "flows" && <FlowsView report={flows.data} />}
            {view === "trouble" && <TroubleView report={agents.data} />}
          </div>
        )}
      </Tabs>
    </Page>
  );
}
