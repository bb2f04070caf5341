r"""``ntbtlog.txt``, which Windows writes where boot logging is on (``/BOOTLOG``, ``bootlog``, safe mode).

Each start adds a head with its time and a line for each driver: "Loaded driver", "Did not load driver", in later ones
``BOOTLOG_LOADED`` and ``BOOTLOG_NOT_LOADED`` ("Windows Internals", "Boot logging"). It is first written by the session
manager: a start that does not get there adds nothing.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from bootgraft.text import printable

_TIME = re.compile(r"(\d{1,2}) +(\d{1,2}) +(\d{4}) +(\d{1,2}:\d{2}:\d{2})", re.ASCII)
_LOADED = ("Loaded driver ", "BOOTLOG_LOADED ")
_NOT_LOADED = ("Did not load driver ", "BOOTLOG_NOT_LOADED ")
_MAX_DRIVERS = 256


class BootLog(Struct, frozen=True):
    """The last start that was logged, and what it did not load, each once.

    ``time`` is by the guest's own clock, as ``2026-01-02 03:04:05``.
    """

    time: str | None
    loaded: int
    not_loaded: tuple[str, ...]


def last_boot(lines: Iterable[str]) -> BootLog | None:
    """The last start in the log; None where it has none in English or by the names of messages."""
    time: str | None = None
    loaded = 0
    missing: dict[str, None] = {}
    found = in_head = False
    for line in lines:
        if line.startswith((*_LOADED, *_NOT_LOADED)):
            found, in_head = True, False
            loaded += line.startswith(_LOADED)
            if line.startswith(_NOT_LOADED) and len(missing) < _MAX_DRIVERS:
                missing[printable(line.removeprefix(_NOT_LOADED[0]).removeprefix(_NOT_LOADED[1]))] = None
        elif line:
            if not in_head:
                time, loaded, missing, in_head = None, 0, {}, True
            clock = _TIME.search(line)
            if clock is not None:
                time = f"{clock[3]}-{int(clock[1]):02d}-{int(clock[2]):02d} {clock[4]}"
    return BootLog(time, loaded, tuple(missing)) if found else None
