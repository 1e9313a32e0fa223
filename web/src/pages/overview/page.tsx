import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/")({ component: OverviewPage });

function OverviewPage() {
  return <Page title="Overview" />;
}
