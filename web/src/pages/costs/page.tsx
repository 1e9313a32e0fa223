import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/costs")({ component: CostsPage });

function CostsPage() {
  return <Page title="Costs" />;
}
