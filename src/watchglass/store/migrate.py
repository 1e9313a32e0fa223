"""Schema changes as numbered SQL files, each applied once and recorded.

A file is a list of statements that can each be run again (`IF NOT EXISTS`, `CREATE OR REPLACE`),
so a kill half-way is mended by running the whole file at the next start.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from watchglass.errors import WrongSchema

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Says whether the file is still what was applied."""
        return checksum(self.sql)


def checksum(sql: str) -> str:
    """A digest of the statements; comments and layout do not count."""
    text = "\n".join(" ".join(statement.split()) for statement in statements(sql))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def migrations(target: str) -> list[Migration]:
    """All that this program knows for `target` ('engine' or 'control'), in order."""
    found = [
        Migration(int(match[1]), match[2], entry.read_text("utf-8"))
        for entry in files("watchglass.store").joinpath("migrations", target).iterdir()
        if (match := _NAME.fullmatch(entry.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def views() -> str:
    """The statements that define what readers see."""
    return files("watchglass.store").joinpath("views.sql").read_text("utf-8")


def statements(sql: str) -> list[str]:
    """The statements of a file of ours: ended by `;` at a line's end, without comments (`--`).

    >>> statements("-- why\\nCREATE x; -- so\\nDROP y;")
    ['CREATE x', 'DROP y']
    """
    bare = "\n".join(line.split("--")[0].rstrip() for line in sql.splitlines())
    return [text.strip() for text in re.split(r";\s*(?:\n|$)", bare) if text.strip()]


def pending(known: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Those still to apply, given the checksums of those applied by number.

    Raises `WrongSchema` when the store is newer than the program, or has another history.
    """
    newest = max((migration.number for migration in known), default=0)
    if applied and max(applied) > newest:
        raise WrongSchema(
            f"this store was written by a newer watchglass (schema {max(applied)}; "
            f"this program knows up to {newest}); upgrade watchglass, or choose another directory with "
            f"--data",
            directory=max(applied),
            program=newest,
        )
    for migration in known:
        before = applied.get(migration.number)
        if before is not None and before != migration.checksum:
            raise WrongSchema(
                f"this store was made with another version of schema step {migration.number:04} "
                f"({migration.name}); use the watchglass that made it, or another directory with --data",
                directory=max(applied),
                program=newest,
            )
    return [migration for migration in known if migration.number not in applied]


def apply(
    todo: Sequence[Migration],
    run: Callable[[str], object],
    record: Callable[[Migration], None],
) -> None:
    """Run each migration's statements, and record it once all of them have gone through."""
    for migration in todo:
        for statement in statements(migration.sql):
            run(statement)
        record(migration)
