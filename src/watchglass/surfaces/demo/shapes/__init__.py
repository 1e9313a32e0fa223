"""How each instrumentation writes a run: a function each, from the run to its spans and log records."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchglass.surfaces.demo.records import Library, Run
from watchglass.surfaces.demo.shapes import litellm, openinference, openllmetry, otel, pydantic_ai, vercel
from watchglass.surfaces.demo.shapes.drawing import Drawing

_SHAPES: Mapping[Library, Callable[[Run, Drawing], None]] = {
    "otel_genai": otel.draw_genai,
    "otel_openai_v2": otel.draw_openai_v2,
    "otel_anthropic": otel.draw_anthropic,
    "vercel": vercel.draw,
    "openinference": openinference.draw,
    "litellm": litellm.draw,
    "pydantic_ai": pydantic_ai.draw,
    "openllmetry": openllmetry.draw,
}


def draw(run: Run) -> Drawing:
    """What the run's process would send of it."""
    drawing = Drawing(run.id)
    _SHAPES[run.workload.library](run, drawing)
    return drawing
