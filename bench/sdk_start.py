"""How long `import watchglass` and `init()` take in a new interpreter, and how large the SDK is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

PROBE = """
import json, sys, time
begun = time.perf_counter(), time.process_time()
import watchglass
imported = time.perf_counter(), time.process_time()
watchglass.init(spool_dir=sys.argv[1], endpoint="http://127.0.0.1:9", exit_s=0)
started = time.perf_counter(), time.process_time()
between = lambda a, b: [(y - x) * 1000 for x, y in zip(a, b)]
print(json.dumps({"import": between(begun, imported), "init": between(imported, started)}))
"""
_APART = ("pip", "setuptools", "wheel", "_distutils_hack", "pkg_resources", "distutils-precedence.pth")
ROOT = Path(__file__).parent.parent


def starts(python: Path, times: int, source: Path | None = None) -> dict[str, list[list[float]]]:
    """Milliseconds, wall and processor, of each start; the first one, which compiles, is left out."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    }
    if source is not None:
        environment["PYTHONPATH"] = str(source)
    found: dict[str, list[list[float]]] = {"import": [], "init": []}
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        for number in range(times + 1):
            done = subprocess.run(
                [python, "-c", PROBE, folder],
                capture_output=True,
                text=True,
                check=True,
                env=environment,
                cwd=folder,
            )
            if number:
                for name, taken in json.loads(done.stdout.splitlines()[-1]).items():
                    found[name].append(taken)
    return found


def install(folder: Path) -> Path:
    """A virtual environment with the SDK and what it needs, and nothing else; its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the SDK could not be installed:\n{done.stderr}")
    return python


def size_mb(folder: Path) -> tuple[float, float]:
    """MB on the disk of what was installed: as it comes, and with the bytecode of all of it."""
    packages = next(folder.glob("lib/python*/site-packages"))
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "compileall", "-qq", packages], check=False)
    plain = compiled = 0
    for path in packages.rglob("*"):
        top = path.relative_to(packages).parts[0]
        if path.is_file() and top.split("-")[0] not in _APART and top not in _APART:
            size = path.stat().st_blocks * 512
            compiled += size
            plain += 0 if "__pycache__" in path.parts else size
    return plain / 1e6, compiled / 1e6


def main() -> None:
    """Measure and print as JSON."""
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        python = install(Path(folder) / "venv")
        size = size_mb(Path(folder) / "venv")
        found = {
            "small": starts(python, 10),
            "all": starts(Path(sys.executable), 10, ROOT / "src"),
            "size": size,
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
