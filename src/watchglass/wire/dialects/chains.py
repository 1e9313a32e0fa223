"""Which of LangChain's chains are work that somebody named, and which are plumbing.

LangChain makes a run of everything: prompts, parsers, sequences, the nodes of its own agent's loop. What
counts here is the words of the application's author: the graph and its nodes, the agent, and a chain that
was given a name. (LangChain 1.x, LangGraph 1.x: run metadata `ls_integration`, `langgraph_node`,
`lc_agent_name`.)
"""

from __future__ import annotations

import re

from watchglass.model import StepKind

_PLUMBING = re.compile(
    r"Runnable|Channel(Read|Write)|Branch<|_write$|__|\w*PromptTemplate$|\w*OutputParser$|Chat(OpenAI|Anthropic)"
)
"""Beginnings of the names that LangChain itself gives its links (`Runnable.get_name`)."""

_AGENT_LOOP = "langchain_create_agent"


def plumbing(name: str) -> bool:
    """Whether a chain's name is of LangChain's making."""
    return _PLUMBING.match(name) is not None


def chain_kind(
    name: str, *, integration: str | None, node: str | None, agent: str | None, root: bool
) -> StepKind | None:
    """What a run of type chain is, by its name, its metadata and whether nothing is around it."""
    if integration == _AGENT_LOOP:
        # The nodes of create_agent's graph (model, tools) are turns of its loop.
        return "agent" if node is None or name == agent else None
    if node is not None:
        return "task" if name == node else None
    if plumbing(name):
        return None
    return "flow" if root or integration == "langgraph" else None
