import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/prices")({ component: PricesPage });

function PricesPage() {
  return <Page title="Prices" />;
}
