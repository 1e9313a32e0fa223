"""Which column of a foreign record means which of ours: names, aliases, units, and what is left over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from watchglass.errors import ConfigError
from watchglass.model import CONTEXT_FIELDS

Kind: TypeAlias = Literal[
    "moment", "text", "hex32", "hex16", "count", "money", "nanoseconds", "flag", "texts"
]

KINDS: dict[str, Kind] = {
    "time": "moment",
    "call_id": "text",
    "trace_id": "hex32",
    "span_id": "hex16",
    "parent_span_id": "hex16",
    **dict.fromkeys(CONTEXT_FIELDS, "text"),
    **dict.fromkeys(
        (
            *("service", "scope", "provider", "server_address", "request_model", "response_model"),
            *("operation", "response_id", "service_tier"),
        ),
        "text",
    ),
    **dict.fromkeys(
        (
            *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
            *("cache_write_1h_tokens", "reasoning_tokens", "input_audio_tokens", "output_audio_tokens"),
            "total_tokens_reported",
        ),
        "count",
    ),
    "reported_cost_usd": "money",
    "duration_ns": "nanoseconds",
    "ttft_ns": "nanoseconds",
    "streaming": "flag",
    "success": "flag",
    "finish_reasons": "texts",
    "error_type": "text",
    "error_message": "text",
    "code_file": "text",
    "code_line": "count",
    "code_function": "text",
}
"""What a row can say of a call, and how it is read."""

UNITS: dict[str, int] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "seconds": 1_000_000_000}

EXACT_TIME = "time_ns"
"""The time as `calls` has it beside `time`: an epoch that is nanoseconds whatever its size."""

ALIASES: dict[str, tuple[str, ...]] = {
    "time": (EXACT_TIME, "created_at", "timestamp", "start_time", "started_at"),
    "tenant": ("client_account_id", "tenant_id"),
    "engagement": ("engagement_id",),
    "feature": ("feature_context",),
    "flow": ("flow_id",),
    "task": ("task_name",),
    "agent": ("agent_name",),
    "session": ("session_id",),
    "user": ("user_id",),
    "provider": ("llm_provider", "provider_label"),
    "request_model": ("llm_model", "model"),
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "total_tokens_reported": ("total_tokens",),
    "reported_cost_usd": ("total_cost",),
    "duration_ns": (
        *(f"duration_{unit}" for unit in UNITS if unit != "ns"),
        *(f"{name}_{unit}" for name in ("response_time", "latency") for unit in UNITS),
    ),
    "ttft_ns": tuple(f"ttft_{unit}" for unit in UNITS if unit != "ns"),
}
"""Other names under which a column is read, the most telling first; each of the five teams' is among them."""

BAGS = ("metadata", "additional_metadata")
"""JSON objects (or their text) whose members are metadata like any further column."""

COMPUTED = frozenset(
    {
        *("cost_usd", "price_source", "price_id", "unpriced_reason", "provider_source"),
        *("not_counted_reason", "duplicate_of", "dialect", "input_messages", "output_messages"),
    }
)
"""Columns of `calls` that are worked out anew, or mean nothing outside the store they come from."""

CHECKED = frozenset({"kind", "counted"})
"""Columns of `calls` that say whether a row is a call that counts."""

SPECIAL = frozenset({"@line", "@reject"})
"""What the command tells a server beside the row: its line in the file, and why it was rejected there."""

LEFT_OUT_COST = (
    "the column cost_usd was left out, since costs are computed anew; if it says what the client or provider "
    "reported, add --map reported_cost_usd=cost_usd"
)


class Source(msgspec.Struct, frozen=True):
    """A foreign column that is read as one of ours; `unit` is in nanoseconds, 0 where the value must tell."""

    column: str
    unit: int = 0


class Layout(msgspec.Struct, frozen=True):
    """How the columns of one file are read."""

    fields: dict[str, tuple[Source, ...]]
    """Of ours: the columns that may say it, the first that does wins."""
    bags: tuple[str, ...]
    extras: tuple[str, ...]
    """All others, in order of their names: metadata."""


def parse_maps(maps: Iterable[str]) -> dict[str, str]:
    """`ours=theirs` texts as a mapping. Raises `ConfigError` naming what is wrong with one."""
    found: dict[str, str] = {}
    for text in maps:
        ours, equals, theirs = text.partition("=")
        if not equals or not ours or not theirs:
            raise ConfigError(
                f"--map {text!r} is not understood; write ours=theirs, as in request_model=model"
            )
        if ours in found:
            raise ConfigError(f"--map names {ours!r} twice ({found[ours]!r} and {theirs!r}); choose one")
        if ours not in BAGS and ours not in _OURS:
            raise ConfigError(f"--map {text!r}: there is no column {ours!r}; there are {', '.join(KINDS)}")
        found[ours] = theirs
    taken = {_OURS[ours].column for ours in found if ours in _OURS}
    if len(taken) < sum(ours in _OURS for ours in found):
        raise ConfigError("--map names one of our columns twice, in different units; choose one")
    return found


def layout(names: Collection[str], maps: Mapping[str, str]) -> Layout:
    """How columns of these names are read; those that are mapped are read as nothing else."""
    mapped = {
        _OURS[ours].column: Source(theirs, _OURS[ours].unit) for ours, theirs in maps.items() if ours in _OURS
    }
    bags = [theirs for ours, theirs in maps.items() if ours in BAGS]
    used = {*maps.values()}
    fields: dict[str, tuple[Source, ...]] = {}
    for ours in KINDS:
        if ours in mapped:
            fields[ours] = (mapped[ours],) if mapped[ours].column in names else ()
            continue
        fields[ours] = tuple(
            Source(name, _OURS[name].unit)
            for name in (ours, *ALIASES.get(ours, ()))
            if name in names and name not in used
        )
    bags += [name for name in BAGS if name in names and name not in used]
    known = {source.column for sources in fields.values() for source in sources}
    known |= {*bags, *COMPUTED, *CHECKED, *SPECIAL}
    return Layout(
        {ours: sources for ours, sources in fields.items() if sources},
        tuple(bag for bag in bags if bag in names),
        tuple(sorted(name for name in names if name not in known)),
    )


def notices(names: Collection[str], maps: Mapping[str, str]) -> list[str]:
    """What a person should know of how these columns are read."""
    found: list[str] = []
    if "cost_usd" in names and "cost_usd" not in maps.values():
        found.append(LEFT_OUT_COST)
    for ours, theirs in maps.items():
        if theirs not in names:
            found.append(f"--map {ours}={theirs}: no row has a column {theirs!r}")
    return found


def check_header(names: Sequence[str], maps: Mapping[str, str]) -> None:
    """Raises `ConfigError` where no row below such a header could be read."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f"the header has the column {repeated[0]!r} more than once; rename all but one")
    for ours, theirs in maps.items():
        if theirs not in names:
            raise ConfigError(
                f"--map {ours}={theirs}: there is no column {theirs!r}; there are {_listed(names)}"
            )
    if not layout(names, maps).fields.get("time"):
        raise ConfigError(
            f"no column says when a call started; name it with --map time=…; the columns are {_listed(names)}"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:30])
    return shown + (f" and {len(names) - 30} more" if len(names) > 30 else "")


def _by_name() -> dict[str, Source]:
    found = {ours: Source(ours) for ours in KINDS}
    for ours, aliases in ALIASES.items():
        for name in aliases:
            found[name] = Source(ours, UNITS[name.rpartition("_")[2]] if KINDS[ours] == "nanoseconds" else 0)
    found |= {name: Source(name, 1) for name in ("duration_ns", "ttft_ns")}
    found[EXACT_TIME] = Source("time", 1)
    return found


_OURS = _by_name()
"""Of every name that is understood: which of our columns it is (as `column`), and its unit."""
