"""The contract every dialect keeps.

A dialect is one instrumentation's way of describing LLM work in span attributes. One file each.
"""

from __future__ import annotations

from typing import Protocol

from watchglass.model import Context, Described, Span, Step


class Dialect(Protocol):
    """Reads one instrumentation's spans.

    - MUST be pure: same span, same answer; no clock, no state, no I/O.
    - MUST return `None` from `describe` for a span that is neither a request, nor a repetition of
      usage, nor a supplement to one.
    - MUST give totals in watchglass's counting rule (`Usage`): input includes cached reads and
      writes, output includes reasoning, whatever the dialect's own rule is.
    - MUST return a `Step` for a span that its library calls a run of a workflow, task, agent or tool, and
      `None` for plumbing: turns of an agent's loop, prompts, parsers, the links of a chain, hand-overs,
      the making of an agent. Each execution MUST be one step only, however many of the library's own layers
      report it, as far as a single span can tell.
    - MUST leave `None` what the span does not say. Zero is only ever a zero that somebody said,
      and not even then where the library is known to write 0 for "unknown".
    - MUST NOT raise, whatever the attributes hold: a value of the wrong type is an absent value.
      (`watchglass.wire.values` has the readers that make this easy.)
    - MUST NOT judge the provider; it hands on the label, the host and the model as they stand.
    - MUST name in `content_keys` exactly those attributes whose text is in the messages, or is the step's
      input or output.
    """

    name: str

    def matches(self, span: Span) -> bool:
        """Whether this dialect is the one to read the span: scope first, attributes second."""
        ...

    def describe(self, span: Span) -> Described | None:
        """What the span says of an LLM request."""
        ...

    def step(self, span: Span) -> Step | None:
        """The execution that the span is; asked of spans that are no request only."""
        ...

    def context(self, span: Span) -> Context:
        """Agent, session and so on, from the dialect's *own* names (the common names are read elsewhere)."""
        ...
