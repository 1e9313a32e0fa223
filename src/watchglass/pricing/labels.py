"""What libraries call the providers, read as our ids."""

from __future__ import annotations

from watchglass.pricing.providers import ALIASES, SILENT_LABELS, SILENT_PREFIXES

_CANONICAL: dict[str, str] = {
    name: canonical for canonical, names in ALIASES.items() for name in (canonical, *names)
}


def canonical(label: str | None) -> str | None:
    """Our id for a provider by any of its names; None for a framework's name or an unknown one.

    `openai.chat`, `Azure AI OpenAI` and `gcp.vertex_ai` are read with all separators alike, and
    by their first word where the whole says nothing.
    """
    if not label:
        return None
    plain = _separated(label)
    if not plain or plain in SILENT_LABELS:
        return None
    head = plain
    while head:
        if head in _CANONICAL:
            return _CANONICAL[head]
        head, _, _ = head.rpartition("_")
    return None


def aliases(provider: str) -> tuple[str, ...]:
    """Every name that means this provider, its own first."""
    named = canonical(provider)
    return (named, *ALIASES[named]) if named is not None else (provider,)


def exactly(name: str) -> str | None:
    """As `canonical`, for words that are often something else: only if the whole is a known name."""
    return _CANONICAL.get(_separated(name))


def _separated(label: str) -> str:
    spaced = "".join(char if char.isalnum() else " " for char in label.lower())
    return "_".join(spaced.split())


def is_silent(name: str) -> bool:
    """Whether this names a framework or a proxy, which says nothing about who is behind it."""
    return _separated(name) in SILENT_LABELS


def without_provider(provider: str, model: str) -> str:
    """The model's name without the prefixes before `/` that name this very provider, or nobody.

    >>> without_provider("google_ai_studio", "gemini/gemini-1.5-pro")
    'gemini-1.5-pro'
    >>> without_provider("openrouter", "openrouter/openai/gpt-4o")
    'openai/gpt-4o'
    """
    while True:
        head, slash, rest = model.partition("/")
        if not slash or not rest or (exactly(head) != provider and f"{head}/" not in SILENT_PREFIXES):
            return model
        model = rest
