import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/budgets")({ component: BudgetsPage });

function BudgetsPage() {
  return <Page title="Budgets" />;
}
