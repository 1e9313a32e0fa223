"""The program `watchglass` in an application's environment, which has the SDK alone."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = "import sys; sys.modules['typer'] = None; from watchglass.__main__ import main; main()"
"""As it is where the server's dependencies are not installed."""


def test_the_program_says_what_to_install() -> None:
    """Without the command line's dependencies one line says which extra brings them; exit code 1."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert done.stderr == (
        "watchglass: typer is not installed; the command line comes with the server: "
        "pip install 'watchglass[server]'\n"
    )


def test_the_package_runs_as_the_program() -> None:
    """`python -m watchglass` is the program."""
    command = [sys.executable, "-m", "watchglass", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0 and done.stdout.split()[-1][0].isdigit(), done.stdout + done.stderr
