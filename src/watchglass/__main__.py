"""The program `watchglass`, also as `python -m watchglass`: the command line, or what to install for it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command. An application has the SDK alone, which brings no command line."""
    if sys.argv[1:2] == ["check"]:
        # The checker needs none of what the other commands do: a commit does not wait for their imports.
        from watchglass.check.command import program

        program(sys.argv[2:])
    try:
        from watchglass.surfaces.cli import main as run

        run()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "watchglass":
            raise
        sys.exit(
            f"watchglass: {missing.name} is not installed; the command line comes with the server: "
            "pip install 'watchglass[server]'"
        )


if __name__ == "__main__":
    main()
