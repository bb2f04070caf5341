"""Which processes have a file open, as /proc says (proc_pid_fd(5), proc_pid_fdinfo(5)).

It takes milliseconds to seconds, so it is asked only for the sake of a message.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

_PROC = Path("/proc")
_PATIENCE = 2.0
"""Seconds after which the search ends with what was found: nobody may keep a message back by opening many files."""


class Process(Struct, frozen=True):
    """A process that has the file open: its name, its id, and whether it may write to the file."""

    name: str
    number: int
    writes: bool


def processes_with(path: Path, status: os.stat_result) -> tuple[Process, ...]:
    """Return the other processes that have open the file at ``path``, which ``status`` describes.

    Those that this user may not look at, and those of other containers, are not found.
    """
    deadline = time.monotonic() + _PATIENCE
    return tuple(_search(path.name, status, deadline))


def _search(name: str, status: os.stat_result, deadline: float) -> Iterator[Process]:
    own = str(os.getpid())
    for number in filter(str.isdigit, os.listdir(_PROC)):  # noqa: PTH208 - thousands of names, of which none is a Path
        if number == own:
            continue
        folder = _PROC / number
        with suppress(OSError):  # it ended meanwhile, or is another user's
            modes = [flags & os.O_ACCMODE for flags in _open_flags(folder, name, status, deadline)]
            if modes:
                title = (folder / "comm").read_bytes().decode("utf-8", "replace").strip()
                yield Process(title, int(number), any(mode != os.O_RDONLY for mode in modes))
        if time.monotonic() > deadline:
            return


def _open_flags(folder: Path, name: str, status: os.stat_result, deadline: float) -> Iterator[int]:
    """Yield the flags of each descriptor of a process that is open on the file."""
    for number in os.listdir(folder / "fd"):  # noqa: PTH208
        if time.monotonic() > deadline:
            return
        with suppress(OSError):
            link = f"{folder}/fd/{number}"
            target = os.readlink(link)  # noqa: PTH115
            if not target.startswith("/"):
                continue
            facts = _facts(folder / "fdinfo" / number)
            # Only a likely one is looked at: a look at a file on a server that is gone does not return.
            likely = facts.get("ino") == str(status.st_ino) or target.removesuffix(" (deleted)").endswith(f"/{name}")
            if likely and _is_same(os.stat(link), status):  # noqa: PTH116
                yield int(facts.get("flags", "0"), 8)


def _is_same(found: os.stat_result, status: os.stat_result) -> bool:
    if stat.S_ISBLK(status.st_mode):
        return stat.S_ISBLK(found.st_mode) and found.st_rdev == status.st_rdev
    return os.path.samestat(found, status)


def _facts(file: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in file.read_text("ascii", "replace").splitlines())
    return {key: value.strip() for key, _, value in lines}
