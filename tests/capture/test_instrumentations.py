"""Other libraries are recorded when the application imports them, and only then."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from watchglass.capture.instrumentations import chosen
from watchglass.errors import ConfigError

APPLICATION = """
import json, sys
from opentelemetry.sdk.trace import TracerProvider
from watchglass.capture import recorder
from watchglass.capture.instrumentations import Instrumented, chosen
from watchglass.capture.records import decode
from watchglass.capture.spans import RecordSpans

payloads = []
class Sink:
    def append(self, payload):
        payloads.append(payload)
        return True

recorder.install(Sink())
provider = TracerProvider()
provider.add_span_processor(RecordSpans())
instrumented = Instrumented(lambda makes_calls: provider)
instrumented.start(chosen(["sqlalchemy", "requests"]), explicit=True)
loaded = [name for name in ("sqlalchemy", "requests", "litellm", "fastapi") if name in sys.modules]
before = dict(instrumented.state)
import sqlalchemy
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    connection.execute(sqlalchemy.text("select 1"))
instrumented.start(chosen(["sqlalchemy", "requests"]), explicit=True)
spans = [decode(each).name for each in payloads]
instrumented.stop()
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    connection.execute(sqlalchemy.text("select 2"))
print(json.dumps({"loaded": loaded, "before": before, "after": instrumented.state, "spans": spans,
                  "later": len(payloads) - len(spans)}))
"""


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", APPLICATION], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_is_imported_for_it(seen: dict[str, Any]) -> None:
    """Starting loads none of the libraries; each waits for its import."""
    assert seen["loaded"] == []
    assert seen["before"] == {"sqlalchemy": "waiting for its import", "requests": "waiting for its import"}


def test_a_library_is_recorded_once_it_is_imported(seen: dict[str, Any]) -> None:
    """A query through SQLAlchemy is a span, also after a second start; one not imported still waits."""
    assert seen["after"] == {"sqlalchemy": "on", "requests": "waiting for its import"}
    assert [name for name in seen["spans"] if name.startswith("select")] == ["select"]


def test_stopping_undoes_it(seen: dict[str, Any]) -> None:
    """After stop nothing more is recorded."""
    assert seen["later"] == 0


def test_an_unknown_library_is_named() -> None:
    """A name that is no library is refused with those that are."""
    with pytest.raises(ConfigError, match=r"'djanog'.*litellm.*or auto"):
        chosen(["auto", "djanog"])
    assert chosen(["none"]) == []
