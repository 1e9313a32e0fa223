/** What stands around every page: the navigation, the notes above, the palette and the help. */

import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { Menu, PanelLeftClose, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { useAway } from "@/api/queries";
import { DemoBadge, DemoNote } from "./DemoNote";
import { Help } from "./Help";
import { carried } from "./links";
import { Palette } from "./Palette";
import { GROUPS } from "./places";
import { SignIn } from "./SignIn";
import { useSession } from "./session";
import { useGlobalShortcuts } from "./shortcuts";
import "./shell.css";

export function Shell() {
  const [open, setOpen] = useState<"palette" | "help" | "nav" | null>(null);
  const { pathname } = useLocation();
  const session = useSession();
  const away = useAway();
  useGlobalShortcuts({ palette: () => setOpen("palette"), help: () => setOpen("help") });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the drawer closes whenever another page is gone to
  useEffect(() => setOpen(null), [pathname]);

  if (session.signedOut) return <SignIn />;
  return (
    <div className="shell">
      <a className="shell-skip" href="#content">
        Skip to the page
      </a>
      <header className={`shell-side ${open === "nav" ? "shell-side-open" : ""}`}>
        <div className="shell-brand">
          <Brand />
          <button
            type="button"
            className="shell-only-narrow shell-icon"
            aria-label="Close navigation"
            onClick={() => setOpen(null)}
          >
            <PanelLeftClose size={18} />
          </button>
        </div>
        <button type="button" className="shell-find" onClick={() => setOpen("palette")}>
          <Search size={14} aria-hidden="true" /> Go to… <kbd>{COMMAND}K</kbd>
        </button>
        <nav aria-label="Pages" className="shell-nav">
          {GROUPS.map((group) => (
            <div key={group.label} className="shell-group">
              <div className="shell-group-label" id={`nav-${group.label}`}>
                {group.label}
              </div>
              <ul aria-labelledby={`nav-${group.label}`}>
                {group.places.map(({ to, label, icon: Icon }) => (
                  <li key={to}>
                    <Link
                      to={to}
                      search={carried}
                      activeOptions={{ exact: to === "/", includeSearch: false }}
                      activeProps={{ "aria-current": "page" }}
                    >
                      <Icon size={16} aria-hidden="true" /> {label}
                    </Link>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        <DemoNote />
        <div className="shell-foot">
          <button type="button" onClick={() => setOpen("help")}>
            Keyboard <kbd>?</kbd>
          </button>
          <span className="muted">{session.data ? `v${session.data.version}` : ""}</span>
        </div>
      </header>
      {open === "nav" && (
        <button
          type="button"
          className="shell-veil"
          aria-label="Close navigation"
          onClick={() => setOpen(null)}
        />
      )}
      <div className="shell-main">
        <section className="shell-bar shell-only-narrow" aria-label="Top bar">
          <button
            type="button"
            className="shell-icon"
            aria-label="Open navigation"
            onClick={() => setOpen("nav")}
          >
            <Menu size={20} />
          </button>
          <Brand />
          <DemoBadge />
          <button type="button" className="shell-icon" aria-label="Go to" onClick={() => setOpen("palette")}>
            <Search size={18} />
          </button>
        </section>
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
        <div role="status">
          {away && (
            <p className="shell-away">
              {location.host} does not answer. It is asked again every few seconds; what you see is from
              before.
            </p>
          )}
        </div>
      </div>
      {open === "palette" && <Palette onClose={() => setOpen(null)} />}
      {open === "help" && <Help onClose={() => setOpen(null)} />}
    </div>
  );
}

export const COMMAND = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl ";

function Brand() {
  return (
    <span className="shell-name">
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <circle cx="12" cy="12" r="9" />
        <path d="M12 7v5l3.2 2.4" />
      </svg>
      watchglass
    </span>
  );
}
