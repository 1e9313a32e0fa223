"""The reading API under `/api/v1/`: the same questions and answers as the command line's."""

from watchglass.surfaces.api.routes import routes

__all__ = ["routes"]
