import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/traces/$traceId")({ component: TracePage });

function TracePage() {
  return <Page title="Trace" />;
}
