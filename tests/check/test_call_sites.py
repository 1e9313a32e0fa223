"""Call sites, as coverage asks for them."""

from __future__ import annotations

from pathlib import Path

from watchglass.check import sites

CODE = """import litellm
import watchglass


class Shop:
    def ask(self):
        def inner():
            return litellm.completion(
                model="m",
            )  # noqa

        return inner


with watchglass.context(tenant="acme"):
    answer = litellm.embedding(model="m", input=[])
"""


def test_every_request_is_a_site(tmp_path: Path) -> None:
    """Sites have lines of call and statement, the function as Python names it, and if they are recorded."""
    place = tmp_path / "project"
    place.mkdir()
    (place / "a.py").write_text(CODE, "utf-8")
    (place / "b.py").write_text("import litellm\nlitellm.completion(\n", "utf-8")
    (place / "c.py").write_text("x = 1\n", "utf-8")
    found = sites.find([str(place)])
    one, two = found.sites
    assert (one.line, one.end_line, one.statement_line, one.statement_end) == (8, 10, 8, 10)
    assert (one.function, one.recorded, one.context) == ("Shop.ask.<locals>.inner", False, None)
    assert (two.function, two.callee, two.recorded, two.context) == (
        "<module>",
        "litellm.embedding",
        True,
        True,
    )
    assert len(found.files) == 3 and len(found.unreadable) == 1 and "b.py" in found.unreadable[0]
