"""The search for traces: one question, answered with rows, facets and a histogram in bounded time."""
