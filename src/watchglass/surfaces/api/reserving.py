"""Reserving and settling over HTTP: ahead of a call that may cost money, so with nothing in the way.

A refusal is an answer, and so HTTP 200 with `admitted: false`: clients repeat what fails with 429 or
503, and take 402 or 409 for a fault. Any other status is no decision, and so no admission.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

import anyio.to_thread
import msgspec

from watchglass.clock import Clock
from watchglass.errors import BadRequest, Refused, TooLarge, WatchglassError
from watchglass.ledger.budgets.amounts import units
from watchglass.ledger.budgets.decisions import Asked, Decision
from watchglass.ledger.budgets.estimate import estimate
from watchglass.ledger.budgets.teller import Teller
from watchglass.pricing.book import PriceBook
from watchglass.queries.reader import Reader
from watchglass.store.budgets import checked_scope, checked_usd
from watchglass.surfaces.access import Access, Grant, current
from watchglass.surfaces.api.budgets import PATH
from watchglass.surfaces.api.endpoint import Endpoint
from watchglass.surfaces.budget_document import decision_document, settled_document
from watchglass.surfaces.http.asgi import Receive, Response, Scope, Send, header, respond
from watchglass.surfaces.http.body import Body, ClientGone, Intake, SenderStalled
from watchglass.surfaces.http.media import Promise, coding_of
from watchglass.surfaces.http.otlp import unread
from watchglass.surfaces.http.problems import problem, problem_for

MOST_BYTES = 16 << 10
LONGEST_TTL_S = 24 * 3600
_LONGEST_KEY = 200

T = TypeVar("T")


class Reserve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be spent: `amount_usd`, or a `model` with the tokens that go in and may come out at most.

    `ttl_s` is how long the call may take; what is not settled by then stays charged or is released, as
    each budget says. The same `idempotency_key` is the same reservation.
    """

    amount_usd: Decimal | None = None
    model: str | None = None
    provider: str | None = None
    service_tier: str | None = None
    input_tokens: int | None = None
    max_output_tokens: int | None = None
    tenant: str | None = None
    engagement: str | None = None
    feature: str | None = None
    agent: str | None = None
    key: str | None = None
    ttl_s: int = 600
    idempotency_key: str | None = None


class Settle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it cost: `actual_usd` (0 where nothing was sent), or the id of the recorded call."""

    reservation: str
    actual_usd: Decimal | None = None
    call_id: str | None = None


_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_BUDGETS: dict[str, Any] = {
    "type": "array",
    "description": "What it is charged to; a tenant's key is shown budgets of this tenant alone.",
    "items": {
        "type": "object",
        "properties": {
            name: _TEXT
            for name in (
                *("name", "id", "period_since", "period_until"),
                *("limit_usd", "spent_usd", "reserved_usd", "left_usd"),
            )
        },
    },
}
_DECISION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "admitted": {"type": "boolean"},
        "amount_usd": _TEXT,
        **{name: _MAYBE for name in ("reservation", "state", "expires", "reason")},
        "refused_by": {"type": "array", "items": _TEXT},
        "budgets": _BUDGETS,
    },
    "required": ["admitted", "reservation", "amount_usd", "reason", "refused_by", "budgets"],
}
_SETTLED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reservation": _TEXT,
        "state": _TEXT,
        "amount_usd": _TEXT,
        "actual_usd": _MAYBE,
        "settled_now": {"type": "boolean"},
        "budgets": _BUDGETS,
    },
    "required": ["reservation", "state", "amount_usd", "actual_usd", "settled_now", "budgets"],
}


def reserving_endpoints(teller: Teller, book: PriceBook, reader: Reader, *, clock: Clock) -> list[Endpoint]:
    """The two."""
    api = _Api(teller, book, reader, clock)
    return [
        Endpoint(
            method="POST",
            path=f"{PATH}/reserve",
            summary="May this be spent?",
            details="Sets the amount aside in every hard budget that it is for, or in none: `admitted` says. "
            "What is admitted is on disk. A refusal is HTTP 200 too; any other status is no decision.",
            needs="ingest",
            app=_Door(Reserve, api.reserve),
            body=Reserve,
            answer=_DECISION,
        ),
        Endpoint(
            method="POST",
            path=f"{PATH}/settle",
            summary="This is what it cost",
            details="Gives back what was not spent. Again changes nothing.",
            needs="ingest",
            app=_Door(Settle, api.settle),
            body=Settle,
            answer=_SETTLED,
        ),
    ]


class _Api:
    def __init__(self, teller: Teller, book: PriceBook, reader: Reader, clock: Clock) -> None:
        self._teller = teller
        self._book = book
        self._reader = reader
        self._clock = clock

    async def reserve(self, wanted: Reserve, grant: Grant, scope: Scope) -> dict[str, Any]:
        named = _scope(wanted, grant)
        if not 1 <= wanted.ttl_s <= LONGEST_TTL_S:
            raise BadRequest(f"ttl_s must be from 1 to {LONGEST_TTL_S}, not {wanted.ttl_s}", where="ttl_s")
        asked = Asked(
            amount=await self._amount(wanted, named.get("tenant")),
            scope=named,
            owner=grant.tenant or "",
            idempotency=_bounded(wanted.idempotency_key or "", "idempotency_key"),
            ttl_ns=wanted.ttl_s * 10**9,
            wish=_wish(wanted),
        )
        decision = await self._teller.reserve(asked)
        if not decision.admitted:
            _note(scope["watchglass.access"], grant, decision, scope["watchglass.where"])
        return decision_document(decision, asked.amount, grant.tenant)

    async def settle(self, said: Settle, grant: Grant, _: Scope) -> dict[str, Any]:
        owner = grant.tenant
        self._teller.find(said.reservation, owner)  # before a call is looked for
        if (said.actual_usd is None) == (said.call_id is None):
            raise BadRequest("say actual_usd or call_id, one of them", where="actual_usd")
        if said.actual_usd is not None:
            actual = units(checked_usd(said.actual_usd, "actual_usd"))
        else:
            actual = await anyio.to_thread.run_sync(self._cost, said.call_id or "")
        return settled_document(await self._teller.settle(said.reservation, actual, owner=owner), owner)

    async def _amount(self, wanted: Reserve, tenant: str | None) -> int:
        if (wanted.amount_usd is None) == (wanted.model is None):
            raise BadRequest("say amount_usd, or model with its tokens, one of them", where="amount_usd")
        if wanted.amount_usd is not None:
            return units(checked_usd(wanted.amount_usd, "amount_usd"))
        if wanted.input_tokens is None or wanted.max_output_tokens is None:
            raise BadRequest(
                "a model needs input_tokens and max_output_tokens beside it, to know what it may cost",
                where="input_tokens" if wanted.input_tokens is None else "max_output_tokens",
            )
        model, spent, made = wanted.model or "", wanted.input_tokens, wanted.max_output_tokens
        # In a thread: the first time, it reads the price lists.
        return await anyio.to_thread.run_sync(
            lambda: estimate(
                self._book,
                model=model,
                provider=wanted.provider,
                tier=wanted.service_tier,
                input_tokens=spent,
                output_tokens=made,
                tenant=tenant,
                at_ns=self._clock.now_ns(),
            )
        )

    def _cost(self, call_id: str) -> int:
        found = self._reader.call(call_id).call
        if not found["counted"]:
            raise BadRequest(
                f"the call {call_id[:100]!r} does not count ({found['not_counted_reason']}); "
                "settle with the one that does, or with actual_usd",
                where="call_id",
            )
        if found["cost_usd"] is None:
            raise BadRequest(
                f"the call {call_id[:100]!r} has no cost ({found['unpriced_reason']}); "
                "settle with actual_usd",
                where="call_id",
            )
        return units(Decimal(str(found["cost_usd"])))


def _scope(wanted: Reserve, grant: Grant) -> dict[str, str]:
    """What it is for. Raises `Refused` where a tenant's key names another tenant."""
    tenant = wanted.tenant
    if grant.tenant is not None:
        if tenant is not None and tenant != grant.tenant:
            raise Refused(
                f"the key {grant.key_id} is for the tenant {grant.tenant!r} and reserves for it alone; "
                "leave the tenant out"
            )
        tenant = grant.tenant
    said = {
        "tenant": tenant,
        "engagement": wanted.engagement,
        "feature": wanted.feature,
        "agent": wanted.agent,
        "key": wanted.key,
    }
    named = {name: value for name, value in said.items() if value is not None}
    checked_scope(named)
    return named


def _wish(wanted: Reserve) -> str:
    if wanted.model is None:
        return ""
    of_model = (wanted.model, wanted.provider, wanted.service_tier)
    return msgspec.json.encode((*of_model, wanted.input_tokens, wanted.max_output_tokens)).decode()


def _bounded(text: str, where: str) -> str:
    if len(text) > _LONGEST_KEY or not text.isprintable():
        raise BadRequest(f"{where} must be printable and at most {_LONGEST_KEY} long", where=where)
    return text


def _note(access: Access, grant: Grant, decision: Decision, where: tuple[str, str]) -> None:
    for budget in decision.refused_by:
        access.watch.note(
            "budget_refused", key=grant.key_id, tenant=budget.tenant, where=where, reason=budget.name
        )


class _Door:
    """Reads one small body and answers it, as an ASGI application: a framework's request costs as much again
    as the decision does."""

    def __init__(self, kind: type[T], answer: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._answer = answer
        self._intake: tuple[Intake, Intake] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            known = unread(scope)
            coding = coding_of(header(scope, b"content-encoding").decode("latin-1"))
            body = Body(receive, Promise("json", coding, known.length, known.asks), self._small(scope))
        except WatchglassError as error:
            await Body(receive, unread(scope), scope["watchglass.intake"]).refuse(send, problem_for(error))
            return
        try:
            response = await self._respond(body, scope)
        except ClientGone:
            return
        finally:
            body.release()
        await body.refuse(send, response) if not body.whole else await respond(send, response)

    async def _respond(self, body: Body, scope: Scope) -> Response:
        try:
            data, grant = await body.read(), current()
            scope["watchglass.access"].charge(grant, len(data))
            document = await self._answer(self._decoded(data), grant, scope)
        except TooLarge:
            return problem_for(TooLarge(f"this takes no more than {MOST_BYTES} bytes; /api/docs says what"))
        except WatchglassError as error:
            return problem_for(error)
        except SenderStalled as error:
            return problem(408, str(error))
        return Response(200, b"application/json", msgspec.json.encode(document))

    def _decoded(self, data: bytes) -> Any:
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise BadRequest(f"{fault}; /api/docs has what is taken here") from None

    def _small(self, scope: Scope) -> Intake:
        """The intake of all requests, for bodies of a few kilobytes."""
        whole: Intake = scope["watchglass.intake"]
        if self._intake is None or self._intake[0] is not whole:
            small = Intake(
                whole.budget,
                limit=MOST_BYTES,
                patience=whole.patience,
                threads=whole.threads,
                room_s=whole.room_s,
            )
            self._intake = whole, small
        return self._intake[1]
