import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/keys")({ component: KeysPage });

function KeysPage() {
  return <Page title="Keys" />;
}
