"""What the caller attaches to one call: `metadata={"feature_context": …, "client_account_id": …, …}`.

The dictionary is only read: it may be shared by many calls, and LiteLLM's router writes into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from watchglass.capture import context
from watchglass.capture.context import ALIASES, Context
from watchglass.capture.credentials import names_a_credential, scrub_start
from watchglass.names import METADATA

if TYPE_CHECKING:
    from watchglass.capture.records import Attributes

_OURS = frozenset({*ALIASES, "tenant", "engagement", "feature", "flow", "flow_type", "phase", "session"})
"""Keys that say who and what for. `task`, `agent` and `user` do not: too many mean something else by them."""

_LITELLMS = frozenset(
    {
        *("model_group", "model_group_alias", "model_group_size", "deployment", "deployment_model_name"),
        *(
            "model_info",
            "api_base",
            "caching_groups",
            "hidden_params",
            "previous_models",
            "litellm_api_version",
        ),
        *("attempted_retries", "max_retries", "attempted_fallbacks", "global_max_parallel_requests"),
        *("headers", "endpoint", "litellm_parent_otel_span", "requester_metadata", "spend_logs_metadata"),
        *("used_cached_deployment_id", "usage_object", "mcp_tool_call_metadata"),
    }
)
"""What LiteLLM's router and proxy write into the same dictionary."""

_MOST = 64
_LONGEST = 1024


def context_of(metadata: Any, user: Any) -> Context | None:
    """The context of one call, where its metadata says more than the one in force; else None."""
    if not isinstance(metadata, dict):
        return _with_user(user) if isinstance(user, str) and user else None
    said = cast("dict[str, Any]", metadata)
    given = {key: said[key] for key in _OURS & said.keys() if said[key] is not None}
    if isinstance(user, str) and user and "user_id" not in given:
        given["user"] = user
    return context.current().with_fields(**given) if given else None


def _with_user(user: str) -> Context | None:
    now = context.current()
    return None if "user" in now.fields else now.with_fields(user=user)


def apply_metadata(metadata: Any, attributes: Attributes) -> None:
    """Note the rest of it: scalars only, no more than 64, nothing that is named like a credential."""
    if not isinstance(metadata, dict):
        return
    left = _MOST
    for key, value in list(cast("dict[Any, Any]", metadata).items()):
        if not isinstance(key, str) or key in _OURS or key in _LITELLMS or key.startswith("user_api_key"):
            continue
        if isinstance(value, str):
            value = scrub_start(value, _LONGEST)
        elif not isinstance(value, bool | int | float):
            continue
        if names_a_credential(key):
            continue
        attributes[METADATA + key] = value
        left -= 1
        if not left:
            return
