"""Lines of the log say for whom they were."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Generator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from watchglass.capture import logs
from watchglass.capture.context import context

TRACER = TracerProvider().get_tracer("application")
FORMAT = "%(trace_id)s %(span_id)s %(tenant)s %(engagement)s %(feature)s %(flow)s %(session)s %(user)s"


@pytest.fixture
def log() -> Generator[tuple[logging.Logger, io.StringIO]]:
    """A logger whose lines are the fields alone."""
    out, logger = io.StringIO(), logging.getLogger("application.of.test_logs")
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, out
    logger.removeHandler(handler)


@pytest.fixture
def installed() -> Generator[None]:
    logs.install()
    yield
    logs.uninstall()


def test_every_record_says_for_whom(log: tuple[logging.Logger, io.StringIO], installed: None) -> None:
    """A line written in a context has trace, span and all fields, None where there is nothing to say."""
    logger, out = log
    with context(tenant="acme", feature="chat", user="ann"), TRACER.start_as_current_span("x") as span:
        logger.warning("hello")
        ids = span.get_span_context()
    logger.warning("hello")
    trace_id, span_id = trace.format_trace_id(ids.trace_id), trace.format_span_id(ids.span_id)
    assert out.getvalue().splitlines() == [
        f"{trace_id} {span_id} acme None chat None None ann",
        "None None None None None None None None",
    ]


def test_what_the_application_says_is_kept(log: tuple[logging.Logger, io.StringIO], installed: None) -> None:
    """`extra` with the same names is neither an error nor overwritten."""
    logger, out = log
    with context(tenant="acme", user="ann"):
        logger.warning("hello", extra={"tenant": "theirs", "trace_id": "t", "user": None})
        logging.LoggerAdapter(logger, {"flow": "f"}).warning("hello")
    assert out.getvalue().splitlines() == [
        "t None theirs None None None None None",
        "None None acme None None f None ann",
    ]


def test_a_record_that_is_passed_on_stays(log: tuple[logging.Logger, io.StringIO], installed: None) -> None:
    """A record made elsewhere and handled here, as by a queue's listener, keeps what it came with."""
    logger, out = log
    with context(tenant="a"):
        record = logger.makeRecord("x", logging.WARNING, "f", 1, "hello", (), None)
    with context(tenant="b"):
        logger.handle(record)
    assert " a " in out.getvalue()


def test_a_filter_does_it_for_one_handler(log: tuple[logging.Logger, io.StringIO]) -> None:
    """Without `install`, the filter completes what passes through its handler."""
    logger, out = log
    logger.handlers[0].addFilter(logs.ContextFilter())
    with context(tenant="acme"):
        logger.warning("hello", extra={"user": "theirs"})
    assert out.getvalue() == "None None acme None None None None theirs\n"


def test_installing_again_changes_nothing_and_it_can_be_undone() -> None:
    """`install` twice is one, and after `uninstall` logging is as it was."""
    plain = logging.Logger.makeRecord
    logs.install()
    ours = logging.Logger.makeRecord
    logs.install()
    assert logging.Logger.makeRecord is ours
    logs.uninstall()
    assert logging.Logger.makeRecord is plain
    logs.uninstall()
    assert logging.Logger.makeRecord is plain


def test_structlog() -> None:
    """The processor adds what is known, and never over what the event says."""
    out = io.StringIO()
    logger: Any = structlog.wrap_logger(
        structlog.PrintLogger(out), [logs.structlog_processor, structlog.processors.JSONRenderer()]
    )
    with context(tenant="acme", engagement="e", flow="f"), TRACER.start_as_current_span("x") as span:
        logger.info("hello", flow="theirs")
        ids = span.get_span_context()
    logger.info("hello")
    said, unknown = map(json.loads, out.getvalue().splitlines())
    assert said == {
        "event": "hello",
        "trace_id": trace.format_trace_id(ids.trace_id),
        "span_id": trace.format_span_id(ids.span_id),
        "tenant": "acme",
        "engagement": "e",
        "flow": "theirs",
    }
    assert unknown == {"event": "hello"}
