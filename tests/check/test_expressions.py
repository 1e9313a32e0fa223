"""Regular expressions that are compiled when they are first used."""

from __future__ import annotations

import pickle
import re

import pytest

from watchglass.check.expressions import late


def test_a_late_expression_does_what_one_does() -> None:
    """Asked for the first time, and again, it finds what the compiled one finds; a copy does, too."""
    expression = late(r"W(\d+)", re.I)
    for each in (expression, expression, pickle.loads(pickle.dumps(expression))):
        found = each.search("a w12")
        assert found and found[1] == "12"
    assert expression.sub("x", "W1 w2") == "x x"
    assert expression.pattern == r"W(\d+)"


def test_a_wrong_expression_is_told_when_it_is_asked() -> None:
    """It costs nothing until then, and its error is the usual one."""
    expression = late("(")
    with pytest.raises(re.error):
        expression.search("a")
