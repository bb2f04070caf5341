r"""Crash dumps of the kernel (``MEMORY.DMP``, ``Minidump\*.dmp``): which STOP, with which arguments, and when.

The header: Microsoft, ``DUMP_HEADER32`` and ``DUMP_HEADER64`` of the debugger's headers; Andreas Schuster, "DMP File
Structure" and "64bit Crash Dumps". All kinds of dump begin with it.
"""

import struct
from datetime import datetime

from msgspec import Struct

from bootgraft.windows.events.record import from_filetime

HEADER = 0x1000
"""Bytes of a dump that are needed."""
_BUILD = 0x0C
_CODE = {b"PAGEDUMP": (0x28, "<5I"), b"PAGEDU64": (0x38, "<I4x4Q")}
_TIME = {b"PAGEDUMP": 0xFC0, b"PAGEDU64": 0xFA8}


class Bugcheck(Struct, frozen=True):
    """One STOP: its code, its four arguments, and what recorded it."""

    code: int
    arguments: tuple[int, ...]
    recorded_in: str


class CrashDump(Struct, frozen=True):
    """What a dump's header says; ``time`` is UTC, None where it is none that is possible."""

    bugcheck: Bugcheck
    build: int
    time: datetime | None


def read_dump(head: bytes, name: str) -> CrashDump | None:
    """Read the first :data:`HEADER` bytes of the dump of that name; None where they begin no dump of a kernel."""
    kind = head[:8]
    if len(head) < HEADER or kind not in _CODE:
        return None
    offset, form = _CODE[kind]
    code, *arguments = struct.unpack_from(form, head, offset)
    (build,) = struct.unpack_from("<I", head, _BUILD)
    (time,) = struct.unpack_from("<Q", head, _TIME[kind])
    return CrashDump(Bugcheck(code, tuple(arguments), name), build, from_filetime(time))
