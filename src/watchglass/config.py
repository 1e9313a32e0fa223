"""Every setting, once: its name, type, default and meaning, and where its value comes from.

The server's and the command line's are here; the SDK's are in `capture/settings.py`, read by the same rules.
A flag wins over `WATCHGLASS_<NAME>`, that over `watchglass.toml`, that over the default. The file is the
nearest one from the working directory upward, else the one in the user's configuration directory. The tables
of settings in the docs are generated from `table()`.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
import platformdirs

from watchglass.errors import ConfigError

FILE_NAME = "watchglass.toml"
PREFIX = "WATCHGLASS_"
TABLES = ("capture", "models")
"""Tables of the file that others read: the SDK's settings, and which model its service takes."""

S = TypeVar("S", bound=msgspec.Struct)

Source: TypeAlias = Literal["flag", "environment", "file", "default"]


@dataclass(frozen=True, slots=True)
class About:
    """What a setting means; `shown` is how docs write a default that differs between machines."""

    meaning: str
    shown: str | None = None


def _data_dir() -> str:
    return platformdirs.user_data_dir("watchglass", appauthor=False)


_Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
_Size: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


_Kept: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(never|[1-9][0-9]{0,4}[hdwy])$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can set. Times are in seconds, sizes in bytes, as the names say."""

    data: Annotated[str, About("directory of the store", "the user data directory")] = msgspec.field(
        default_factory=_data_dir
    )
    host: Annotated[str, About("address to listen on")] = "127.0.0.1"
    port: Annotated[_Port, About("port for OTLP over HTTP, the API and health; 0 takes a free one")] = 4318
    grpc_port: Annotated[_Port, About("port for OTLP over gRPC; 0 takes a free one")] = 4317
    url: Annotated[str, About("server that readers ask")] = "http://127.0.0.1:4318"
    key: Annotated[str | None, About("key to show to the server, if it asks for one")] = None
    allowed_hosts: Annotated[
        tuple[str, ...],
        About("further names under which the server may be called, beside localhost and its address"),
    ] = ()
    max_body_bytes: Annotated[_Size, About("largest request body, measured after decompression")] = 64 << 20
    inflight_bytes: Annotated[
        _Size, About("bodies held in memory at once before senders are told to wait")
    ] = 64 << 20
    free_bytes: Annotated[
        Annotated[int, msgspec.Meta(ge=0)],
        About("room to keep free on the disk of the data directory; with less, senders are told to wait"),
    ] = 512 << 20
    retention_content: Annotated[
        _Kept,
        About("how long texts (messages, long values) are kept since they last came: 30d, 12h, 1y, never"),
    ] = "30d"
    retention_calls: Annotated[_Kept, About("how long calls are kept; their sums by the hour stay")] = "never"
    retention_tasks: Annotated[
        _Kept, About("how long executions of flows, tasks, agents and tools are kept")
    ] = "never"
    retention_spans: Annotated[_Kept, About("how long spans are kept")] = "never"
    retention_logs: Annotated[_Kept, About("how long log records are kept")] = "never"
    retention_metrics: Annotated[_Kept, About("how long data points are kept")] = "never"
    retention_rejects: Annotated[_Kept, About("how long it is kept what was rejected, and why")] = "30d"
    retention_audit: Annotated[_Kept, About("how long it is kept who was refused, and who changed keys")] = (
        "1y"
    )
    query_time_s: Annotated[float, msgspec.Meta(gt=0), About("longest time one question may take")] = 30.0
    query_rows: Annotated[_Size, About("most rows one answer may have")] = 1_000_000
    query_memory_bytes: Annotated[_Size, About("most memory one question may use")] = 1 << 30
    prices: Annotated[str | None, About("file of your own prices, which win over all others")] = None
    litellm_prices: Annotated[
        str | None,
        About("LiteLLM's price map, for models that nothing else knows; else that of an installed litellm"),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], About("how much the server says on stderr")
    ] = "info"
    by: Annotated[tuple[str, ...], About("what `usage` groups by, in this order")] = ("tenant", "model")
    since: Annotated[
        str | None, About("start of the time asked about: an ISO time, a date, or 7d, 12h, 30m ago")
    ] = None
    until: Annotated[str | None, About("end of the time asked about, not included; written like `since`")] = (
        None
    )
    filter: Annotated[
        tuple[str, ...], About("keep only what matches, as name=value; one name twice means either")
    ] = ()
    project_by: Annotated[
        str | None,
        About("what a project on a bill is here: tenant, engagement, feature, service … or metadata.KEY"),
    ] = None
    project_map: Annotated[
        tuple[str, ...], About("a project on a bill and what it is called here, as theirs=ours")
    ] = ()
    json: Annotated[bool, About("print JSON for programs instead of tables for people")] = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings; `type` and `default` are as a person writes them."""

    name: str
    type: str
    default: str
    meaning: str
    env: str


@dataclass(frozen=True, slots=True)
class LoadedAs(Generic[S]):
    """The settings in force, where each came from, and the file that was read, if there was one."""

    settings: S
    sources: Mapping[str, Source]
    file: Path | None


Loaded: TypeAlias = LoadedAs[Settings]
"""The settings of the server and the command line."""


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user_dir: Path | None = None,
) -> Loaded:
    """Settings from flags (`None` is a flag not given), environment, file and defaults.

    Raises `ConfigError` naming the setting, the value and where it stands.
    """
    given = {f"--{name.replace('_', '-')}": (name, value) for name, value in (flags or {}).items()}
    return load_as(Settings, given, environ=environ, cwd=cwd, user_dir=user_dir)


def load_as(
    kind: type[S],
    given: Mapping[str, tuple[str, object]],
    *,
    table: str | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user_dir: Path | None = None,
) -> LoadedAs[S]:
    """Settings of any kind: `given` are the values from the caller by how an error names them
    (`--port`, `endpoint=`), `table` is where in the file they stand (None is the top).

    Raises `ConfigError` naming the setting, the value and where it stands.
    """
    environ = os.environ if environ is None else environ
    file = find_file(cwd or Path.cwd(), user_dir)
    in_file = _read(file, kind, table) if file else {}
    known = _known(kind)
    called = {name: (where, value) for where, (name, value) in given.items() if value is not None}
    for name, (where, value) in called.items():
        if name not in known:
            raise ConfigError(f"{where} is {value!r}: there is no such setting; {_nearest(name, known)}")
    values: dict[str, object] = {}
    sources: dict[str, Source] = {}
    for name, known_as in known.items():
        from_env = environ.get(env_name(name))
        if name in called:
            where, value = called[name]
            values[name], sources[name] = _convert(known_as, value, where), "flag"
        elif from_env is not None:
            values[name], sources[name] = _convert(known_as, from_env, env_name(name)), "environment"
        elif name in in_file:
            where = f"{name} in {f'[{table}] of ' if table else ''}{file}"
            values[name], sources[name] = _convert(known_as, in_file[name], where), "file"
        else:
            sources[name] = "default"
    return LoadedAs(msgspec.convert(values, kind), sources, file)


def env_name(name: str) -> str:
    """The environment variable of a setting.

    >>> env_name("grpc_port")
    'WATCHGLASS_GRPC_PORT'
    """
    return PREFIX + name.upper()


def find_file(cwd: Path, user_dir: Path | None = None) -> Path | None:
    """The nearest `watchglass.toml` from `cwd` upward, else the user's own, else None."""
    user_dir = user_dir or Path(platformdirs.user_config_dir("watchglass", appauthor=False))
    places = [directory / FILE_NAME for directory in (cwd, *cwd.parents, user_dir)]
    return next((place for place in places if place.is_file()), None)


_KEPT_NS = {"h": 3_600 * 10**9, "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9, "y": 365 * 86_400 * 10**9}


def kept_ns(value: str) -> int | None:
    """Nanoseconds of a retention; None for ever.

    >>> kept_ns("2h"), kept_ns("never")
    (7200000000000, None)
    """
    return None if value == "never" else int(value[:-1]) * _KEPT_NS[value[-1]]


@functools.cache  # the command line asks for it once for each option of each command
def table(kind: type[msgspec.Struct] = Settings) -> tuple[Setting, ...]:
    """Every setting of a kind, in the order of its fields, for docs and help."""
    defaults = {f.name: f for f in msgspec.structs.fields(kind)}
    return tuple(
        Setting(
            name=name,
            type=_type_name(known.hint),
            default=known.about.shown or written(defaults[name].default),
            meaning=known.about.meaning,
            env=env_name(name),
        )
        for name, known in _known(kind).items()
    )


def meaning(name: str) -> str:
    """What one setting of the server or the command line means."""
    return _known(Settings)[name].about.meaning


@dataclass(frozen=True, slots=True)
class _Known:
    hint: object
    about: About


@functools.cache
def _known(kind: type[msgspec.Struct]) -> dict[str, _Known]:
    hints: dict[str, object] = get_type_hints(kind, include_extras=True)
    return {
        name: _Known(hint, next(part for part in get_args(hint) if isinstance(part, About)))
        for name, hint in hints.items()
    }


def _read(file: Path, kind: type[msgspec.Struct], table: str | None) -> dict[str, object]:
    try:
        text = file.read_text(encoding="utf-8")
        found = cast("dict[str, object]", tomllib.loads(text))
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file} cannot be read ({fault}); mend it or move it away") from fault
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{file} is not valid TOML: {fault}") from fault
    if table is not None:
        inner = found.get(table, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{file}{_line_of(table, text)}: {table!r} must be a table, [{table}]")
        found = cast("dict[str, object]", inner)
    for key in found:
        if key not in _known(kind) and (table is not None or key not in TABLES):
            where = f"{file}{_line_of(key, text)}{f' [{table}]' if table else ''}"
            raise ConfigError(f"{where}: there is no setting {key!r}; {_nearest(key, _known(kind))}")
    return found


def _line_of(key: str, text: str) -> str:
    """Where a top-level key or table stands, as ':<line>'; TOML parsers do not keep it."""
    pattern = re.compile(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    lines = (number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line))
    return next((f":{number}" for number in lines), "")


def _nearest(key: str, known: Mapping[str, _Known]) -> str:
    close = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the settings are {', '.join(known)}"


def _convert(known: _Known, value: object, where: str) -> object:
    hint = known.hint
    if isinstance(value, str) and _is_list(hint):
        value = [part.strip() for part in value.split(",") if part.strip()]
    elif isinstance(value, Path):
        value = str(value)
    try:
        # Text from the environment is converted; a TOML value of the wrong type is mended likewise.
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as fault:
        reason = str(fault)[0].lower() + str(fault)[1:]
        raise ConfigError(
            f"{where} is {value!r}: {reason}; {known.about.meaning} ({_type_name(hint)})"
        ) from fault


def _is_list(hint: object) -> bool:
    return get_origin(get_args(hint)[0]) is tuple


def _type_name(hint: object) -> str:
    kind = get_args(hint)[0]
    if get_origin(kind) is Literal:
        return " | ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return "list of text, or text with commas"
    if get_origin(kind) is dict:
        return "table"
    names = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    return next((name for known, name in names.items() if kind is known), "text, or nothing")


def written(value: object) -> str:
    """A value as a person writes it; what is not set is `nothing`."""
    if value is None or value == ():
        return "nothing"
    if isinstance(value, tuple):
        return ",".join(str(part) for part in cast("tuple[object, ...]", value))
    return str(value).lower() if isinstance(value, bool) else str(value)
