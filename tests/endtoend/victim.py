"""The command line in a process that stops dead at a chosen step: a program of its own.

Arguments: what to do at the step (``kill``, ``hold`` or ``count``), the step's number, and bootgraft's own arguments.
A step is a call that changes a file (the image, the journal, the folder), a request to an NBD server or the connection
to it, or a frame taken from the child process. ``kill`` is SIGKILL. ``hold`` prints ``held`` on standard error and goes
on when standard input ends. ``count`` writes the names of all steps to standard error in the end. The child process
that reads the volumes is a real one, untouched by this.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from bootgraft.cli.main import main
from bootgraft.storage.devices.nbd import Connection, NbdDevice
from bootgraft.worker.ipc.channel import Channel

_CALLS = ("pwrite", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "posix_fallocate")


class Steps:
    """Counts the steps, and does what was asked at one of them, before it happens."""

    def __init__(self, action: str, at: int) -> None:
        self.names: list[str] = []
        self._action = action
        self._at = at
        self._process = os.getpid()

    def watch(self, owner: Any, name: str) -> None:
        """Have each call of ``owner.name`` count."""
        real: Callable[..., Any] = getattr(owner, name)

        def step(*arguments: Any, **options: Any) -> Any:
            if os.getpid() == self._process:  # not in a child that is forked
                self.names.append(name)
                if len(self.names) == self._at:
                    self._stop()
            return real(*arguments, **options)

        setattr(owner, name, step)

    def _stop(self) -> None:
        if self._action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._action == "hold":
            os.write(2, b"held\n")
            os.read(0, 1)


def run() -> int:
    steps = Steps(sys.argv[1], int(sys.argv[2]))
    for name in _CALLS:
        steps.watch(os, name)
    for name in ("write", "flush"):
        steps.watch(NbdDevice, name)
    steps.watch(Connection, "connect_socket")
    steps.watch(Channel, "receive")
    status = main(sys.argv[3:])
    if sys.argv[1] == "count":
        os.write(2, " ".join(steps.names).encode())
    return status


if __name__ == "__main__":
    sys.exit(run())
