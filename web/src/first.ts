/**
 * Runs first, alone and small: asks what the page will ask, and fetches its code, while the rest of the app is still on
 * the way. A page that is not named here is only slower.
 */

import { address } from "./api/client";
import { askEarly, forgetEarly } from "./api/early";
import { agentsSearch } from "./pages/agents/search";
import { costsAsked, costsSearch } from "./pages/costs/search";
import { overviewAsked, overviewSearch } from "./pages/overview/search";
import { tracesAsked, tracesSearch } from "./pages/traces/search";
import { askedOf, parseSearch, type Raw, rootSearch } from "./shell/asked";

const SESSION = "/api/v1/session";

/** So long after the app is there an answer that nobody has taken is worth as much as a new one. Not counted from the
 * answer: on a slow line the app's code comes later still, and to ask twice would make the wait longer. */
const WORTH_MS = 10_000;

/** What each page asks with this search, and its code. */
const PAGES: Record<string, { asks: (search: Raw) => string; code: () => Promise<unknown> }> = {
  "/": {
    asks: (search) =>
      address("/api/v1/overview", {}, overviewAsked({ ...overviewSearch(search), ...rootSearch(search) })),
    code: () => import("./pages/overview/page"),
  },
  "/traces": {
    asks: (search) =>
      address(
        "/api/v1/explore",
        {},
        {
          ...tracesAsked({ ...tracesSearch(search), ...rootSearch(search) }),
          limit: 100,
        },
      ),
    code: () => import("./pages/traces/page"),
  },
  "/agents": {
    asks: (search) =>
      address(
        agentsSearch(search).view === "flows" ? "/api/v1/flow-types" : "/api/v1/agents",
        {},
        askedOf(rootSearch(search)),
      ),
    code: () => import("./pages/agents/page"),
  },
  "/costs": {
    asks: (search) =>
      address("/api/v1/costs", {}, costsAsked({ ...costsSearch(search), ...rootSearch(search) })),
    code: () => import("./pages/costs/page"),
  },
};

/** Whether this browser may ask: without a key where one is wanted, it would be refused. Where none is, the page itself
 * says so (`data-open`), and nothing waits for this. */
async function mayAsk(session: Promise<Response | undefined>): Promise<boolean> {
  const answer = await session;
  if (!answer?.ok) return false;
  const { keyed, role } = (await answer.clone().json()) as { keyed: boolean; role: string | null };
  return !keyed || role !== null;
}

const session = askEarly(SESSION, Promise.resolve(true));
const may = document.documentElement.dataset.open === undefined ? mayAsk(session) : Promise.resolve(true);
const page = PAGES[location.pathname];
if (page) {
  askEarly(page.asks(parseSearch(location.search)), may);
  void page.code();
}
window.addEventListener("load", () => setTimeout(forgetEarly, WORTH_MS), { once: true });
