"""For whom and what for: tenant, engagement, feature, flow, agent … from the names that everybody uses.

The names stand in order of trust (`NAMES`): a span's own attribute of the convention, then plain names,
then the same names inside the bags in which libraries carry what their caller told them (`BAGS`).
Only what the span or resource itself says is read here; inheritance from ancestors is settled later.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from watchglass.model import CONTEXT_FIELDS, Attributes, Context, Resource, Span, Value
from watchglass.wire import dialects
from watchglass.wire.values import count, mapping, text, to_json

NAMES: dict[str, tuple[str, ...]] = {
    "tenant": (
        *("watchglass.tenant", "watchglass.tenant.id", "client_account_id", "client_account.id"),
        *("tenant.id", "tenant_id", "tenant"),
    ),
    "engagement": ("watchglass.engagement", "watchglass.engagement.id", "engagement_id", "engagement.id"),
    "feature": ("watchglass.feature", "feature_context"),
    "flow": ("watchglass.flow.id", "watchglass.flow", "flow_id", "flow.id"),
    "flow_type": ("watchglass.flow.type", "watchglass.flow_type", "flow_type", "flow.type"),
    "phase": ("watchglass.flow.phase", "watchglass.phase", "flow_phase", "flow.phase", "phase"),
    "task": ("watchglass.task", "watchglass.task.name", "task_name", "task.name"),
    "task_id": ("watchglass.task.id", "task_id", "task.id"),
    "agent": ("watchglass.agent", "gen_ai.agent.name", "agent_name"),
    "session": ("watchglass.session", "gen_ai.conversation.id", "session.id", "session_id"),
    "user": ("watchglass.user", "user.id", "enduser.id", "user_id"),
    "environment": (
        *("watchglass.environment", "deployment.environment.name", "deployment.environment"),
        *("langfuse.environment", "environment"),
    ),
}
"""Attribute names of each field, the most telling first (OpenTelemetry general and GenAI conventions)."""

BAG_ONLY_NAMES: dict[str, tuple[str, ...]] = {
    "engagement": ("engagement",),
    "feature": ("feature",),
    "flow": ("flow",),
    "agent": ("agent", "lc_agent_name"),
    "session": ("thread_id", "conversation_id", "session", "chat_id"),
    "user": ("end_user_id", "user"),
}
"""Names that mean something inside a bag and are too common to be trusted outside one."""

BAGS: tuple[str, ...] = (
    "langfuse.trace.metadata",
    "langfuse.observation.metadata",
    "metadata",
    "metadata.requester_metadata",
    "traceloop.association.properties",
    "ai.telemetry.metadata",
    "langsmith.metadata",
    "litellm.metadata",
    "litellm.metadata.requester_metadata",
    "gen_ai.metadata",
)
"""Attributes under which libraries pass on their caller's own keys: as `bag.key`, or as one map or text."""

PLACEHOLDERS: frozenset[str] = frozenset({"OpenAI Agent"})
"""What a library writes where nobody named an agent (opentelemetry-instrumentation-openai-agents-v2):
taken for nothing, so that the name of the agent above holds."""

_LONGEST_VALUE = 1_024
_MEMO_LIMIT = 20_000
_EMPTY = Context()
_BAG_RANK = 100

_Slot = tuple[int, int]
"""Index of the field in `CONTEXT_FIELDS`, and rank: the lower the more telling."""

_BAG = -1


def own_context(span: Span) -> Context:
    """What the span itself says: common names, then bags, then the names that only its dialect uses."""
    common = own_context_of(span.attributes)
    special = dialects.context(span)
    if special is _EMPTY or special == _EMPTY:
        return common
    return special if common is _EMPTY else _merge(common, special)


def own_context_of(attributes: Attributes) -> Context:
    """What attributes say by the common names and in the bags, whatever they are attributes of."""
    memo = _slots
    found: dict[int, tuple[int, str]] | None = None
    for key, value in attributes.items():
        try:
            slot = memo[key]
        except KeyError:
            slot = _remember(key)
        if slot is not None:
            found = {} if found is None else found
            if slot[0] == _BAG:
                _read_bag(value, slot[1], found)
            else:
                _keep(found, slot, value)
    if not found:
        return _EMPTY
    return Context(**{CONTEXT_FIELDS[index]: value for index, (_, value) in found.items()})


def matters(key: str) -> bool:
    """Whether an attribute of this name can say anything about an LLM request or its context."""
    slot = _slots[key] if key in _slots else _remember(key)
    return slot is not None or key in dialects.MARKERS


def resource_context(resource: Resource) -> Context:
    """What the sender's resource says for all its spans."""
    return own_context_of(resource.attributes)


def service(resource: Resource) -> str | None:
    """`service.name`, unless it is the placeholder that SDKs write where nobody named the service."""
    name = text(resource.attributes.get("service.name"))
    return None if name is None or name.startswith("unknown_service") else name


def process_identity(resource: Resource) -> str:
    """Which process sent it: the same for every tracer in it, another for every other process.

    `service.instance.id` (OpenTelemetry service conventions: unique per instance of a service); else
    host or container with process id and service; else a hash of the whole resource.
    """
    attributes = resource.attributes
    instance = text(attributes.get("service.instance.id"))
    if instance is not None:
        return instance
    place = next((found for key in _PLACES if (found := text(attributes.get(key))) is not None), None)
    pid = text(attributes.get("process.pid"))
    if place is not None and pid is not None:
        return f"{place}:{pid}:{text(attributes.get('service.name')) or ''}"
    return blake2b(to_json(_plain(attributes)).encode("utf-8", "replace"), digest_size=16).hexdigest()


_PLACES = ("container.id", "k8s.pod.uid", "host.id", "host.name", "k8s.pod.name")


def code_location(span: Span) -> tuple[str | None, int | None, str | None]:
    """File, line and function that made the span (OpenTelemetry `code.*`, stable and older names)."""
    attributes = span.attributes
    if _CODE_KEYS.isdisjoint(attributes):
        return None, None, None
    file = text(attributes.get("code.file.path")) or text(attributes.get("code.filepath"))
    line = count(attributes.get("code.line.number"))
    if line is None:
        line = count(attributes.get("code.lineno"))
    function = text(attributes.get("code.function.name")) or text(attributes.get("code.function"))
    return file, line if line is None or line < 2**32 else None, function


_CODE_KEYS = frozenset(
    {
        *("code.file.path", "code.filepath", "code.line.number", "code.lineno"),
        *("code.function.name", "code.function"),
    }
)


def _merge(first: Context, second: Context) -> Context:
    values = zip(msgspec.structs.astuple(first), msgspec.structs.astuple(second), strict=True)
    return Context(*(one if one is not None else other for one, other in values))


def _keep(found: dict[int, tuple[int, str]], slot: _Slot, value: Value) -> None:
    index, rank = slot
    held = found.get(index)
    if held is not None and held[0] <= rank:
        return
    said = text(value)
    if said is not None and len(said) <= _LONGEST_VALUE and said not in PLACEHOLDERS:
        found[index] = (rank, said)


def _read_bag(value: Value, rank: int, found: dict[int, tuple[int, str]]) -> None:
    for key, inner in mapping(value).items():
        if key == "requester_metadata":
            _read_bag(inner, rank + _BAG_RANK // 2, found)
        elif (name := _bag_names.get(_snake(key))) is not None:
            _keep(found, (name[0], rank + name[1]), inner)


def _remember(key: str) -> _Slot | None:
    slot = _resolve(key)
    if len(_slots) < _MEMO_LIMIT:
        _slots[key] = slot
    return slot


def _resolve(key: str) -> _Slot | None:
    """What an attribute key means here: a field by its name, a bag, a field in a bag, or nothing."""
    for number, bag in enumerate(BAGS, start=1):
        rank = number * _BAG_RANK
        if key == bag:
            return _BAG, rank
        if key.startswith(bag) and key[len(bag)] == ".":
            name = _bag_names.get(_snake(key[len(bag) + 1 :]))
            if name is not None:
                return name[0], rank + name[1]
    return None


def _snake(key: str) -> str:
    """`clientAccountId` as `client_account_id`: JavaScript callers write their keys so."""
    if key.islower() or not key.isascii() or len(key) > 64:
        return key
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key).lstrip("_")


def _field_names(*tables: Mapping[str, tuple[str, ...]]) -> dict[str, _Slot]:
    names: dict[str, _Slot] = {}
    for table in tables:
        for field, keys in table.items():
            for key in keys:
                names[key] = (CONTEXT_FIELDS.index(field), len(names))
    return names


def _plain(attributes: Attributes) -> Attributes:
    return {key: value.hex() if isinstance(value, bytes) else value for key, value in attributes.items()}


_bag_names: dict[str, _Slot] = _field_names(NAMES, BAG_ONLY_NAMES)

# Grows with the keys that come in, up to `_MEMO_LIMIT`: a memo of a pure function, not state.
_slots: dict[str, _Slot | None] = {**_field_names(NAMES)}
