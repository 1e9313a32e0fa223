"""Makes docs/screenshots: every page in both themes, some on a phone, of a new server with the demo.

Needs a Chromium of this machine and an app that is built: `make screenshots`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.web.browser import PHONE, WIDE, Watched, chromium, launched, settled  # noqa: E402  # the root is on the path since the line above
from tests.web.site import Site  # noqa: E402  # the same

PLACE = Path(__file__).parent / "screenshots"
DAYS, RATE = 30, 0.25
ON_A_PHONE = ("overview", "trace", "costs")

PAGES = {
    "overview": "/",
    "traces": "/traces",
    "trace": "/traces/{trace}",
    "sessions": "/sessions",
    "session": "/sessions/{session}",
    "costs": "/costs",
    "agents": "/agents",
    "agent": "/agents/{agent}",
    "budgets": "/budgets",
    "prices": "/prices",
    "doctor": "/doctor",
    "keys": "/keys",
    "settings": "/settings",
}

BUSIEST = {
    name: f"SELECT {column} AS it FROM calls WHERE agent IS NOT NULL AND session IS NOT NULL "
    f"GROUP BY it ORDER BY {order} DESC, it LIMIT 1"
    for name, column, order in (
        ("trace", "trace_id", "count()"),
        ("session", "session", "count()"),
        ("agent", "agent", "sum(cost_usd)"),
    )
}


def main() -> int:
    """Make them all, or those that are named."""
    executable = chromium()
    if executable is None:
        print("There is no Chromium on this machine (Debian: apt install chromium).", file=sys.stderr)
        return 1
    wanted = sys.argv[1:] or list(PAGES)
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        try:
            site.send_demo(days=DAYS, rate=RATE)
            _take(site, executable, wanted)
        finally:
            site.stop()
    return 0


def _take(site: Site, executable: str, wanted: list[str]) -> None:
    ids = {name: quote(_one(site, sql), safe="") for name, sql in BUSIEST.items()}
    with launched(executable) as browser:
        for theme in ("light", "dark"):
            for name in wanted:
                sizes = {"": WIDE} | ({"-phone": PHONE} if name in ON_A_PHONE and theme == "light" else {})
                for suffix, viewport in sizes.items():
                    page = browser.new_page(
                        base_url=site.url,
                        viewport=viewport,
                        color_scheme=theme,
                        reduced_motion="reduce",
                        locale="en-GB",
                        timezone_id="UTC",
                    )
                    Watched(page, site.url)  # it counts the questions whose answers are waited for
                    page.goto(PAGES[name].format(**ids))
                    settled(page)
                    page.screenshot(path=PLACE / f"{name}-{theme}{suffix}.png")
                    page.close()
                    print(f"docs/screenshots/{name}-{theme}{suffix}.png", flush=True)


def _one(site: Site, sql: str) -> str:
    [row] = site.http.get("/api/v1/query", params={"sql": sql}).json()
    return str(row["it"])


if __name__ == "__main__":
    sys.exit(main())
