import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/agents")({ component: AgentsPage });

function AgentsPage() {
  return <Page title="Agents and flows" />;
}
