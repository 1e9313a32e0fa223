/**
 * The addresses of the app. A page is loaded, and its question asked, when it is gone to or its link is pointed at;
 * what its address may say is known before.
 */

import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { queries } from "./api/queries";
import { agentSearch } from "./pages/agent/search";
import { agentsSearch } from "./pages/agents/search";
import { budgetsSearch } from "./pages/budgets/search";
import { costsAsked, costsSearch } from "./pages/costs/search";
import { doctorSearch } from "./pages/doctor/search";
import { overviewAsked, overviewSearch } from "./pages/overview/search";
import { pricesAsked, pricesSearch } from "./pages/prices/search";
import { sessionSearch } from "./pages/session/search";
import { sessionsFound } from "./pages/sessions/found";
import { sessionsSearch } from "./pages/sessions/search";
import { traceSearch } from "./pages/trace/search";
import { tracesFound } from "./pages/traces/found";
import { tracesAsked, tracesSearch } from "./pages/traces/search";
import { ahead, askAhead } from "./shell/ahead";
import { Lost } from "./shell/Lost";
import { Shell } from "./shell/Shell";
import { askedOf, parseSearch, rootSearch, stringifySearch } from "./shell/search";

const root = createRootRoute({ component: Shell, validateSearch: rootSearch, notFoundComponent: Lost });
const getParentRoute = () => root;

const tree = root.addChildren([
  createRoute({
    getParentRoute,
    path: "/",
    validateSearch: overviewSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => askAhead("/api/v1/overview", overviewAsked(deps)),
  }).lazy(() => import("./pages/overview/page").then((page) => page.Route)),
  createRoute({
    getParentRoute,
    path: "/traces",
    validateSearch: tracesSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => ahead(() => queries.prefetchInfiniteQuery(tracesFound(tracesAsked(deps)))),
  }).lazy(() => import("./pages/traces/page").then((page) => page.Route)),
  createRoute({ getParentRoute, path: "/traces/$traceId", validateSearch: traceSearch }).lazy(() =>
    import("./pages/trace/page").then((page) => page.Route),
  ),
  createRoute({
    getParentRoute,
    path: "/sessions",
    validateSearch: sessionsSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => ahead(() => queries.prefetchInfiniteQuery(sessionsFound(askedOf(deps)))),
  }).lazy(() => import("./pages/sessions/page").then((page) => page.Route)),
  createRoute({ getParentRoute, path: "/sessions/$session", validateSearch: sessionSearch }).lazy(() =>
    import("./pages/session/page").then((page) => page.Route),
  ),
  createRoute({
    getParentRoute,
    path: "/agents",
    validateSearch: agentsSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) =>
      askAhead(deps.view === "flows" ? "/api/v1/flow-types" : "/api/v1/agents", askedOf(deps)),
  }).lazy(() => import("./pages/agents/page").then((page) => page.Route)),
  createRoute({ getParentRoute, path: "/agents/$agent", validateSearch: agentSearch }).lazy(() =>
    import("./pages/agent/page").then((page) => page.Route),
  ),
  createRoute({
    getParentRoute,
    path: "/costs",
    validateSearch: costsSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => askAhead("/api/v1/costs", costsAsked(deps)),
  }).lazy(() => import("./pages/costs/page").then((page) => page.Route)),
  createRoute({
    getParentRoute,
    path: "/budgets",
    validateSearch: budgetsSearch,
    loader: () => askAhead("/api/v1/budgets/status"),
  }).lazy(() => import("./pages/budgets/page").then((page) => page.Route)),
  createRoute({
    getParentRoute,
    path: "/prices",
    validateSearch: pricesSearch,
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => askAhead("/api/v1/price-book", pricesAsked(deps)),
  }).lazy(() => import("./pages/prices/page").then((page) => page.Route)),
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
  // A pointer that only passes over links is at each for less than that.
  defaultPreloadDelay: 20,
  scrollRestoration: true,
});

/** The pages that most is looked at from; the code of the others comes while their link is pointed at. */
const OFTEN = ["/traces", "/sessions", "/agents", "/costs"] as const;

/** Fetches the code of pages that are likely next, one after the other, whenever the browser has nothing to do. */
export function fetchWhenIdle(): void {
  const left = [...OFTEN];
  const next = () => {
    // What is looked at comes first.
    if (queries.isFetching()) return void setTimeout(soon, 100);
    const path = left.shift();
    if (!path) return;
    void Promise.resolve(router.loadRouteChunk(router.routesByPath[path])).then(soon, () => undefined);
  };
  // Safari has no idle callbacks.
  const soon = () => (window.requestIdleCallback ?? ((done: () => void) => setTimeout(done, 500)))(next);
  soon();
}

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
