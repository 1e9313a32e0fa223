"""The hand-set labels that the static checker is measured against, and the arithmetic of the measure."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

BENCH = Path(__file__).parent.parent / "bench"
LABELS = BENCH / "check" / "labels.tsv"
REPOSITORIES = BENCH / "check" / "repositories.tsv"


def rows(path: Path) -> list[dict[str, str]]:
    """A table of tab-separated values."""
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def score() -> ModuleType:
    """bench/check_precision.py as a module."""
    spec = importlib.util.spec_from_file_location("check_precision", BENCH / "check_precision.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_label_names_a_site_of_a_known_repository_once() -> None:
    """Rule, repository, path, cell and line name a site once, and its label is one of three words."""
    known = {row["repository"] for row in rows(REPOSITORIES)}
    sites = Counter(
        tuple(row[key] for key in ("rule", "repository", "path", "cell", "line")) for row in rows(LABELS)
    )
    assert sites.most_common(1)[0][1] == 1
    for row in rows(LABELS):
        assert row["repository"] in known
        assert row["label"] in {"yes", "no", "beyond"} and row["from"] in {"search", "finding"}
        assert int(row["line"]) > 0 and not (row["cell"] and row["path"].endswith(".py"))


def test_more_than_three_hundred_sites_were_drawn_by_text_and_each_common_rule_has_forty() -> None:
    """At least 300 labels are from the text search; of the rules WG001 alone has fewer than 40."""
    drawn = Counter(row["rule"] for row in rows(LABELS) if row["from"] == "search")
    assert sum(drawn.values()) >= 300
    assert all(drawn[rule] >= 40 for rule in ("WG002", "WG003", "WG005", "WG008", "WG010"))


def test_the_interval_is_wilsons() -> None:
    """For 8 of 10 the score interval is 49.0 to 94.3 %, as in the textbooks; of nothing there is none."""
    assert score().interval(8, 10) == "80.0 % (49.0–94.3)"
    assert score().interval(0, 0) == "–"


def test_a_label_met_is_found_and_right_and_a_finding_at_a_no_is_wrong(tmp_path: Path) -> None:
    """A finding within the call that a label names counts for it, one elsewhere as read by nobody."""
    bench = score()
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").write_text(
        "x = (\n    client\n    .create(\n        1,\n    )\n)\ny = run()\n"
    )
    labels = [
        bench.Label("WG002", "shop", "a.py", None, 3, "yes", True, ""),
        bench.Label("WG002", "shop", "a.py", None, 7, "no", True, ""),
    ]
    findings = [bench.Finding("WG002", "shop", "a.py", None, line, "") for line in (2, 7, 1)]
    reading = bench.Reading(labels, findings, bench.Extents(tmp_path))
    got = reading.scores["WG002"]
    assert (got.found, got.missed, got.right, got.wrong, got.unlabelled) == (1, 0, 1, 1, 1)
