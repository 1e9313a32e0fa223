"""Each finding on a real store: silent on a healthy one, and with its evidence on a sick one."""

from __future__ import annotations

import shlex
from decimal import Decimal
from typing import Any

import pytest

from tests.doctor.conftest import HEALTHY, WINDOW, Look, is_known
from tests.stored_rows import NOON_NS, SECOND_NS, call, span
from watchglass.doctor.contract import Finding
from watchglass.doctor.examination import Examination, examine
from watchglass.doctor.findings import FINDINGS
from watchglass.doctor.findings.unpriced import CURES
from watchglass.doctor.screening import Screened, ruled_out
from watchglass.errors import QueryLimit
from watchglass.pricing.book import PriceBook
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.listing import timelines
from watchglass.queries.answers import Answer
from watchglass.queries.reader import StoreReader
from watchglass.store import Engine, Limits
from watchglass.store.price_table import replace_prices

OF_SENDERS = (
    *("billed_unrecorded", "clock_skew", "content_cut", "gone_silent", "handler_missing", "newer_sdk"),
    *("lost_by_sender", "no_context", "refused_keys", "stuck_tasks", "tracking_off", "unrecorded_requests"),
)
"""Those of the file beside this one."""


@pytest.fixture(scope="module")
def asked() -> list[Finding]:
    return [each for each in FINDINGS if each.name not in OF_SENDERS]


def test_silence_is_health(look: Look) -> None:
    """Priced calls of known providers with sums that agree are nothing to speak of, to any finding."""
    assert look(findings=FINDINGS, calls=[call(1, **HEALTHY), call(2, **HEALTHY)]) == []


def test_what_is_ruled_out_is_not_asked(engine: Engine, look: Look) -> None:
    """On a healthy store the stored rows rule out whatever looks at them; an examination is the same."""
    look(findings=(), calls=[call(1, **HEALTHY), call(2, **HEALTHY)])
    reader = StoreReader(engine)
    empty = ruled_out(reader, WINDOW, FINDINGS)
    assert empty == {each.name for each in FINDINGS if isinstance(each, Screened)}
    assert examine(reader.query, WINDOW, FINDINGS, ruled_out=empty) == examine(reader.query, WINDOW, FINDINGS)


def test_nothing_has_arrived(look: Look) -> None:
    """An empty store says how to send to it."""
    (found,) = look()
    assert (found.finding, found.severity, found.symptom) == ("no_data", "error", "Nothing has arrived yet.")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in found.command


def test_data_stopped(look: Look) -> None:
    """Calls before the window and none within it: the last one's time is the evidence."""
    (found,) = look(calls=[call(-7200, **HEALTHY)])
    assert (
        found.symptom == "No calls in this time; the last of 1 call began at 2026-01-01T10:00:00.000000000Z."
    )


def test_spans_without_calls(look: Look) -> None:
    """Spans that tell of no call are shown by the library that made them."""
    (found,) = look(spans=[span(1, scope="http", service="web"), span(2, scope="http", service="web")])
    assert found.evidence.columns == ("scope", "service", "spans")
    assert list(found.evidence.rows) == [["http", "web", 2]]


def test_unpriced_by_reason(look: Look) -> None:
    """One diagnosis a reason, with the calls it is about; failures that used nothing are only told."""
    sick = {**HEALTHY, "cost_usd": None}
    found = look(
        calls=[
            *(call(n, **sick | {"unpriced_reason": "unknown_model", "request_model": "m"}) for n in range(3)),
            call(4, **sick, unpriced_reason="tokens_missing"),
            call(5, **sick, unpriced_reason="failed_without_usage"),
        ]
    )
    assert [(each.severity, each.symptom) for each in found] == [
        ("error", "3 calls without a price: unknown_model."),
        ("warning", "1 call without a price: tokens_missing."),
        ("info", "1 call without a price: failed_without_usage."),
    ]
    assert list(found[0].evidence.rows) == [["openai", "m", None, 3]]
    assert found[0].command == (
        "watchglass prices set openai m --since=2026-01-01 --input USD --output USD"
        " && watchglass reprice --unpriced --since 2026-01-01"
    )


def test_a_hostile_model_name_is_quoted(look: Look) -> None:
    """What a sender called a model cannot run in the shell of who copies the command."""
    sick = {**HEALTHY, "cost_usd": None, "unpriced_reason": "unknown_model", "request_model": "m; rm -rf ~ #"}
    (found,) = look(calls=[call(1, **sick)])
    assert shlex.split(found.command)[:5] == ["watchglass", "prices", "set", "openai", "m; rm -rf ~ #"]


def test_priced_since(engine: Engine, look: Look) -> None:
    """Unpriced calls whose price the book has by now are told, also by a pattern; others are not."""
    stated = ListedPrice(provider="openai", model="my_m*", input=Decimal(1), output=Decimal(2))
    replace_prices(engine, list(timelines(PriceBook([stated]))), NOON_NS)
    sick = {**HEALTHY, "cost_usd": None, "unpriced_reason": "unknown_model"}
    names = ("my_model", "MY_MODEL", "myxmodel")
    found = look(calls=[call(n, **sick | {"request_model": name}) for n, name in enumerate(names)])
    told = {each.finding: each for each in found}
    assert told["priced_since"].symptom.startswith("2 calls")
    assert told["priced_since"].command == "watchglass reprice --unpriced --since 2026-01-01"
    assert told["unpriced"].symptom.startswith("3 calls")


def test_unpriced_counts_all_of_a_reason(look: Look) -> None:
    """The symptom is of all calls, also of those beyond the rows that are shown."""
    sick = {**HEALTHY, "cost_usd": None, "unpriced_reason": "unknown_model"}
    (found,) = look(calls=[call(n, **sick | {"request_model": f"m{n}"}) for n in range(25)])
    assert found.symptom.startswith("25 calls")
    assert len(found.evidence.rows) == 10


def test_unknown_provider(look: Look) -> None:
    """What the spans did say of the provider is the evidence."""
    sick = HEALTHY | {"provider": None, "cost_usd": None, "unpriced_reason": "unknown_provider"}
    (found,) = look(calls=[call(1, **sick, server_address="llm.acme.example", scope="lib")])
    assert list(found.evidence.rows) == [[None, "llm.acme.example", "gpt-4o", "lib", 1]]


def test_token_sums(look: Look) -> None:
    """A total that contradicts its parts is shown with an example; one that nobody reported is not."""
    found = look(
        calls=[
            call(1, **HEALTHY | {"total_tokens_reported": 99}, dialect="d", scope="lib"),
            call(2, **HEALTHY | {"total_tokens_reported": None}),
        ]
    )
    assert [each.finding for each in found] == ["token_sums"]
    assert list(found[0].evidence.rows) == [["d", "lib", "openai", "gpt-4o", 1, 99, 15, f"{1:032x}", 1]]
    assert found[0].command == f"watchglass trace {1:032x}"


def test_absurd_reported_costs(look: Look) -> None:
    """A thousand times the cost, beyond any price or below nothing is shown; a dearer list is not."""
    unpriced = HEALTHY | {"cost_usd": None, "unpriced_reason": "failed_without_usage"}
    diagnoses = look(
        calls=[
            call(1, **HEALTHY, reported_cost_usd=Decimal(4000), dialect="d", scope="lib"),
            call(2, **HEALTHY, reported_cost_usd=Decimal("-0.1"), dialect="d", scope="lib"),
            call(3, **unpriced, reported_cost_usd=Decimal("1.5"), dialect="d", scope="lib"),
            call(4, **HEALTHY, reported_cost_usd=Decimal("0.99")),
            call(5, **unpriced, reported_cost_usd=Decimal("0.9")),
            call(
                6,
                **HEALTHY | {"input_tokens": 900, "total_tokens_reported": 905},
                reported_cost_usd=Decimal(9),
            ),
            call(
                7,
                **unpriced | dict.fromkeys(("input_tokens", "output_tokens", "total_tokens_reported")),
                reported_cost_usd=Decimal(7),
            ),
        ]
    )
    (found,) = (each for each in diagnoses if each.finding != "unpriced")
    assert (found.finding, found.severity) == ("absurd_reported_cost", "warning")
    assert found.symptom.startswith("3 calls with a reported cost that no call can have had")
    assert found.evidence.rows[0][:7] == [*("d", "lib", "openai", "gpt-4o", 3, "4001.4", "0.2")]


def test_unattributed(look: Look) -> None:
    """Sums without calls under them are an error: money was spent that is in no total."""
    bare = {"kind": "aggregate", "counted": False, "not_counted_reason": "unattributed"}
    found = look(calls=[call(1, **HEALTHY), call(2, **HEALTHY | bare, agent="crew")])
    assert [(each.finding, each.severity) for each in found] == [("unattributed", "error")]


def test_duplicates(look: Look) -> None:
    """Which library told again of what another one is counted from."""
    twice = {"counted": False, "not_counted_reason": "duplicate"}
    found = look(
        calls=[
            call(1, **HEALTHY, scope="openai"),
            call(2, **HEALTHY | twice, scope="litellm", duplicate_of=f"{1:032x}:{1:016x}"),
        ]
    )
    assert [(each.finding, each.severity) for each in found] == [("duplicates", "info")]
    assert next(iter(found[0].evidence.rows))[:4] == ["duplicate", "litellm", "openai", 1]


def test_rejected(look: Look) -> None:
    """What could not be kept is told with its reason."""
    reject = {"time": NOON_NS, "signal": "traces", "where": "resourceSpans[0]", "reason": "no trace id"}
    found = look(calls=[call(1, **HEALTHY)], rejects=[reject])
    assert found[0].symptom == "1 item rejected: sent, and not on record."


def test_refused_prices(look: Look) -> None:
    """An edit of the price file that could not be used is told until one is taken."""
    bad = {"time": NOON_NS, "event": "price_file_refused", "reason": "prices.toml, price 2: ...", "count": 1}
    found = look(calls=[call(1, **HEALTHY)], audit=[bad])
    assert [(each.finding, each.command) for each in found] == [("refused_prices", "watchglass prices check")]
    assert "1 edit of the price file refused, none taken" in found[0].symptom
    mended = {**bad, "time": NOON_NS + 1, "event": "price_file"}
    assert look(calls=[call(1, **HEALTHY)], audit=[bad, mended]) == []


def test_budgets(look: Look) -> None:
    """A budget that is spent is named once, one that is half spent not at all, and a tenant sees its own."""

    def told(event: str, name: str, said: str, tenant: str) -> dict[str, Any]:
        return {
            "time": NOON_NS + SECOND_NS,
            "event": event,
            "route": f"/api/v1/budgets/{name}",
            "reason": f"{name}: {said}",
            "tenant": tenant,
            "count": 1,
        }

    rows = [
        told("budget_threshold", "low", "$5 of $10 spent, 50% reached", "acme"),
        told("budget_threshold", "high", "$8 of $10 spent, 80% reached", "acme"),
        told("budget_threshold", "gone", "$8 of $10 spent, 80% reached", "umbrella"),
        told("budget_spent", "gone", "$11 of $10 spent, 100% reached", "umbrella"),
        told("budget_forecast", "soon", "$6 of $10 spent; at this pace all of it by …", "umbrella"),
    ]
    found = look(calls=[call(1, **HEALTHY)], audit=rows)
    assert [(each.severity, each.evidence.rows[0][0], each.command) for each in found] == [
        ("warning", "gone", "watchglass budgets show gone"),
        ("warning", "soon", "watchglass budgets show soon"),
        ("info", "high", "watchglass budgets show high"),
    ]
    mine = look("acme", calls=[call(1, **HEALTHY)], audit=rows)
    assert [each.evidence.rows[0][0] for each in mine] == ["high"]


def test_a_tenant_sees_its_own(look: Look) -> None:
    """The scope of the reader holds here too: another tenant's trouble is none of its."""
    sick = {**HEALTHY, "cost_usd": None, "unpriced_reason": "unknown_model"}
    rows = [call(1, **sick | {"tenant": "umbrella"}), call(2, **HEALTHY)]
    assert look("acme", calls=rows) == []
    assert len(look("umbrella", calls=rows)) == 1


def test_one_finding_that_fails_spoils_no_other(engine: Engine, asked: list[Finding]) -> None:
    """Over a limit, a finding is named as not asked; the others answer."""

    def ask(sql: str) -> Answer:
        if "rejects" in sql:
            raise QueryLimit("too dear")
        return StoreReader(engine, limits=Limits()).query(sql)

    found: Examination = examine(ask, WINDOW, asked)
    assert found.failed == {"rejected": "too dear"}
    assert found.at_least("error")


def test_every_reason_has_a_cure() -> None:
    """The reasons of the price book are those that have a cure, and the one that is a finding of its own."""
    from watchglass.pricing import book

    reasons = {value.unpriced_reason for value in vars(book).values() if isinstance(value, book.Priced)}
    assert reasons == {*CURES, "unknown_provider"}
    row = ["openai", "m", "batch", 1]
    assert all(is_known(cure.command(row, "2026-01-01")) for cure in CURES.values())


def test_names_are_different() -> None:
    """A finding is known by its name."""
    assert len({each.name for each in FINDINGS}) == len(FINDINGS)
