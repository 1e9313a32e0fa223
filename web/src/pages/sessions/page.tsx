import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/sessions")({ component: SessionsPage });

function SessionsPage() {
  return <Page title="Sessions" />;
}
