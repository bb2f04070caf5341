"""What a process that reads hostile bytes may use of its host (getrlimit(2))."""

import resource
from pathlib import Path
from typing import Final

MEMORY_LIMIT: Final = 2 * 2**30
"""Bytes of address space that work may take; it needs some 60 MB, and an overlay spills to a file at 256 MiB."""


def limit_memory() -> None:
    """Set the limit of the address space, beyond what the process has: a program that forked it may be a large one."""
    limit(resource.RLIMIT_AS, address_space() + MEMORY_LIMIT)


def address_space() -> int:
    """The bytes that this process has; 0 where there is no /proc that says (statm, proc_pid_statm(5))."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def limit(kind: int, wanted: int, *, grace: int = 0) -> None:
    """Set a limit, or keep the administrator's own where that is lower: it cannot be raised.

    ``grace`` is by how much the hard limit is higher: at that one of processor time the kernel sends SIGKILL, which
    tells nothing, at the lower one SIGXCPU.
    """
    _, hard = resource.getrlimit(kind)
    lower = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    beyond = lower + grace if hard == resource.RLIM_INFINITY else min(lower + grace, hard)
    resource.setrlimit(kind, (lower, beyond))
