import { createLazyRoute } from "@tanstack/react-router";
import { Page } from "@/kit/Page";

export const Route = createLazyRoute("/doctor")({ component: DoctorPage });

function DoctorPage() {
  return <Page title="Doctor" />;
}
