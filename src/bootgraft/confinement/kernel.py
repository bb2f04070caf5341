"""The system calls that Python does not have, through the C library; what fails raises OSError."""

import os
from typing import Any, cast

from bootgraft.confinement._libc import ffi

_lib = cast("Any", ffi.dlopen(None))

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 24, 38, 47
"""Of linux/prctl.h."""


def control(option: int, *values: int) -> int:
    """Call prctl(2)."""
    return _checked(_lib.prctl(option, *values, *[0] * (4 - len(values))))


def call(number: int, *values: int) -> int:
    """Make a system call by its number."""
    return _checked(_lib.syscall(number, *values, *[0] * (6 - len(values))))


def name_process(name: bytes) -> None:
    """Give the process the name that ``ps`` and ``top`` show; at most 15 bytes of it."""
    with Memory(name + b"\0") as text:
        control(PR_SET_NAME, text.address)


def read_capabilities() -> bytes:
    """The three sets of this thread's capabilities, as capget(2) lays them out."""
    sets = ffi.new("char[24]")
    _checked(_lib.capget(ffi.new("char[8]", _CAPABILITY_VERSION), sets))
    return bytes(ffi.buffer(sets))


def write_capabilities(sets: bytes) -> None:
    """Set what ``read_capabilities`` reads."""
    _checked(_lib.capset(ffi.new("char[8]", _CAPABILITY_VERSION), ffi.from_buffer(sets)))


_CAPABILITY_VERSION = (0x20080522).to_bytes(4, "little") + bytes(3)  # of linux/capability.h; the fourth zero is the end


class Memory:
    """Bytes at an address that lasts as long as the block."""

    def __init__(self, content: bytes) -> None:
        self._kept = ffi.from_buffer(content)
        self.address = int(ffi.cast("uintptr_t", self._kept))

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, *_error: object) -> None:
        ffi.release(self._kept)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ffi.errno, os.strerror(ffi.errno))
    return result
