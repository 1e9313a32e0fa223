"""Where records wait and where they go: the spool, the server, and what failed on the way."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import msgspec

from watchglass.capture import boundary
from watchglass.capture.checks.finding import Finding
from watchglass.capture.spool import owner, place, tally

TIMEOUT_S = 2.0


class Spools(msgspec.Struct, frozen=True):
    """One spool: for which server, of how many processes, how much is on disk, what was ever dropped."""

    directory: str
    endpoint: str | None
    processes: int
    living: int
    bytes: int
    dropped: dict[str, int]


def spools(root: Path) -> list[Spools]:
    """All spools under `root`; none if there is no such directory."""
    found: list[Spools] = []
    for directory in sorted(each for each in root.glob("*") if each.is_dir()):
        folders = owner.folders(directory)
        found.append(
            Spools(
                str(directory),
                place.endpoint_of(directory),
                len(folders),
                sum(owner.alive(folder) for folder in folders),
                owner.taken(directory),
                tally.saved(directory),
            )
        )
    return found


def dropped(found: list[Spools]) -> list[Finding]:
    """Records that were lost."""
    lost = [f"{each.directory}: {count} × {why}" for each in found for why, count in each.dropped.items()]
    if not lost:
        return []
    return [
        Finding(
            "records_dropped",
            "Records were dropped and will never be delivered.",
            lost,
            "Give the spool more room (spool_bytes), and see that the server can be reached.",
        )
    ]


def unusable(root: Path) -> list[Finding]:
    """A directory for spools that cannot be written: records are then only in memory."""
    there = root
    while not there.exists() and there != there.parent:
        there = there.parent
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return []
    return [
        Finding(
            "spool_unwritable",
            "The spool cannot be written: records are kept in memory alone, and die with the process.",
            [f"{root} (no permission to write in {there})"],
            f"Set spool_dir, or {place.VARIABLE}, to a directory that this user can write.",
        )
    ]


def unreachable(endpoint: str) -> list[Finding]:
    """A server that does not say it is ready: one request, two seconds."""
    url = f"{endpoint.rstrip('/')}/ready"
    try:
        with urlopen(Request(url), timeout=TIMEOUT_S) as answer:
            answer.read(1)
            return []
    except HTTPError as refusal:
        said = f"HTTP {refusal.code}"
        refusal.close()
    except (URLError, OSError, ValueError) as fault:
        said = str(getattr(fault, "reason", fault))
    host = urlsplit(endpoint)
    return [
        Finding(
            "server_unreachable",
            "The server does not answer that it is ready; records wait in the spool until it does.",
            [f"GET {host.scheme}://{host.netloc.rpartition('@')[2]}/ready: {said}"],
            "Start it (watchglass serve), or set endpoint to where it is.",
        )
    ]


def failures() -> list[Finding]:
    """Faults of ours that were kept from the application in this process."""
    if not boundary.failures:
        return []
    return [
        Finding(
            "sdk_failures",
            "Parts of watchglass failed in this process; what they would have recorded is missing.",
            [f"{name}: {count}" for name, count in boundary.failures.most_common(20)],
            "The log of `watchglass` names the first error of each; please report it with versions as above.",
        )
    ]
