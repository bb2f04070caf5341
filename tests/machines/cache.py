"""What was built once is kept, between runs too: known by what it is made of, who makes it and with which tools."""

import ast
import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.machines.tools import ToolError, run

_ROOT = Path(__file__).parents[2]
_TOOLS = (
    "binutils-mingw*",
    "dosfstools",
    "fdisk",
    "gcab",
    "gdisk",
    "libgcab*",
    "libhivex*",
    "libntfs-3g*",
    "libwim*",
    "libwin-hivex-perl",
    "mtools",
    "ntfs-3g",
    "openssl",
    "osslsigncode",
    "util-linux",
)
"""The packages, as patterns, whose programs and libraries the builders run."""
FOUNDATION = "foundation"
"""The kind of parts that other parts are nothing without: they are never removed."""
_KEPT_BYTES = 3 * 2**30
_SAFE_SECONDS = 3600
"""How long a part stays at least after its last use: longer than a test that works with it."""


def kept_folder() -> Path | None:
    """Where parts are kept between runs; nowhere, where nobody can tell the versions of the tools."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "bootgraft-tests") if _tools() else None


def cached(folder: Path, kind: str, key: object, make: Callable[[Path], None]) -> Path:
    """The file in ``folder`` that ``make`` writes for this key; several processes may ask for it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(_recipe() + repr(key).encode()).hexdigest()[:32]
    done = folder / f"{kind}-{name}"
    with contextlib.suppress(FileNotFoundError):
        os.utime(done)
        return done
    with _lock(done.with_suffix(".lock")):
        if not done.exists():
            unfinished = done.with_suffix(f".{os.getpid()}")
            make(unfinished)
            unfinished.rename(done)
    return done


def prune(folder: Path) -> None:
    """Remove what was not used for the longest time, until no more than 3 GiB are kept."""
    parts = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another run has given it its name, or removed it
            parts.append((path.stat(), path))
    used = 0
    for status, path in sorted(parts, key=lambda part: part[0].st_mtime, reverse=True):
        used += status.st_blocks * 512
        is_old = status.st_mtime < time.time() - _SAFE_SECONDS
        if used > _KEPT_BYTES and is_old and not path.name.startswith(FOUNDATION):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the lock, lest two build the same; it is removed with its file, for it is needed no more."""
    with path.open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    path.unlink(missing_ok=True)


@cache
def _recipe() -> bytes:
    """What builds: the builders' own text, the versions of the tools, and whether as root, who alone may do it all."""
    text = hashlib.sha256(_tools() + bytes([os.geteuid() == 0]))
    for path in _sources(Path(__file__).with_name("build.py")):
        text.update(path.read_bytes())
    return text.digest()


@cache
def _tools() -> bytes:
    with contextlib.suppress(ToolError):
        return run("dpkg-query", "--show", *_TOOLS, expect=(0, 1))
    return b""


def _sources(*paths: Path) -> list[Path]:
    """These modules, with those of the tests that they import, and so on."""
    found = {*paths}
    waiting = [*paths]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("tests."):
                continue
            for name in (f"{node.module}", *(f"{node.module}.{each.name}" for each in node.names)):
                path = _ROOT / f"{name.replace('.', '/')}.py"
                if path.exists() and path not in found:
                    found.add(path)
                    waiting.append(path)
    return sorted(found)
