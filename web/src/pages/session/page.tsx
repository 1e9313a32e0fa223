import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/sessions/$session")({ component: SessionPage });

function SessionPage() {
  return <Page title="Session" />;
}
