import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/traces")({ component: TracesPage });

function TracesPage() {
  return <Page title="Traces" />;
}
