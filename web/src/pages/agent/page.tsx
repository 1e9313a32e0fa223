import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/agents/$agent")({ component: AgentPage });

function AgentPage() {
  return <Page title="Agent" />;
}
