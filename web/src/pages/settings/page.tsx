import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/settings")({ component: SettingsPage });

function SettingsPage() {
  return <Page title="Settings" />;
}
