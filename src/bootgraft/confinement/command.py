"""The cage that a command puts itself into which reads what strangers wrote, and then only prints: ``explain-log``.

It is the reader's, but for what printing and being interrupted takes: threads of its own process, its timer, the width
of its terminal. What it writes to (its streams, temporary files) is open before.
"""

import resource
from collections.abc import Sequence
from typing import Final

from bootgraft.confinement import reader, seccomp
from bootgraft.confinement.limits import limit, limit_memory
from bootgraft.confinement.seccomp import Condition
from bootgraft.confinement.syscalls import CallNumbers

_CALLS: Final = (*reader.CALLS, "setitimer", "dup2", "dup3", "ftruncate")
_NEW_THREAD: Final = (0x3D0F00, 0x7D0F00)
"""The flags of clone(2) with which glibc and musl start a thread. clone3, glibc's first try, is not known here."""
_TCGETS2, _TIOCGWINSZ = 0x802C542A, 0x5413


def confine_command(sources: Sequence[str]) -> tuple[str, ...]:
    """Put this process into its cage, for good, before it has a second thread.

    ``sources`` are the files and folders that it has yet to read. Returns what this host could not do for it, each in a
    sentence.
    """
    limit_memory()
    limit(resource.RLIMIT_CORE, 0)
    return reader.take_away(sources, command_filter)


def command_filter(architecture: CallNumbers, process: int) -> bytes:
    """The filter for a command that has this process id."""
    conditions = (
        *reader.conditions(process, terminal=(_TCGETS2, _TIOCGWINSZ)),
        Condition("clone", 0, _NEW_THREAD),
    )
    return seccomp.allowing(architecture, _CALLS, conditions)
