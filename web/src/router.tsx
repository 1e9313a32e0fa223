/** The addresses of the app. A page is loaded when it is first gone to; what its address may say is known before. */

import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { agentSearch } from "./pages/agent/search";
import { agentsSearch } from "./pages/agents/search";
import { budgetsSearch } from "./pages/budgets/search";
import { costsSearch } from "./pages/costs/search";
import { doctorSearch } from "./pages/doctor/search";
import { overviewSearch } from "./pages/overview/search";
import { pricesSearch } from "./pages/prices/search";
import { sessionSearch } from "./pages/session/search";
import { sessionsSearch } from "./pages/sessions/search";
import { traceSearch } from "./pages/trace/search";
import { tracesSearch } from "./pages/traces/search";
import { Lost } from "./shell/Lost";
import { Shell } from "./shell/Shell";
import { parseSearch, rootSearch, stringifySearch } from "./shell/search";

const root = createRootRoute({ component: Shell, validateSearch: rootSearch, notFoundComponent: Lost });
const getParentRoute = () => root;

const tree = root.addChildren([
  createRoute({ getParentRoute, path: "/", validateSearch: overviewSearch }).lazy(() =>
    import("./pages/overview/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/traces", validateSearch: tracesSearch }).lazy(() =>
    import("./pages/traces/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/traces/$traceId", validateSearch: traceSearch }).lazy(() =>
    import("./pages/trace/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/sessions", validateSearch: sessionsSearch }).lazy(() =>
    import("./pages/sessions/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/sessions/$session", validateSearch: sessionSearch }).lazy(() =>
    import("./pages/session/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/agents", validateSearch: agentsSearch }).lazy(() =>
    import("./pages/agents/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/agents/$agent", validateSearch: agentSearch }).lazy(() =>
    import("./pages/agent/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/costs", validateSearch: costsSearch }).lazy(() =>
    import("./pages/costs/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/budgets", validateSearch: budgetsSearch }).lazy(() =>
    import("./pages/budgets/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/prices", validateSearch: pricesSearch }).lazy(() =>
    import("./pages/prices/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/doctor", validateSearch: doctorSearch }).lazy(() =>
    import("./pages/doctor/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/keys" }).lazy(() =>
    import("./pages/keys/page").then((page) => page.Route),
  ),
  createRoute({ getParentRoute, path: "/settings" }).lazy(() =>
    import("./pages/settings/page").then((page) => page.Route),
  ),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
