"""The process that a command runs in: its standard streams, and the signals that end it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """SIGTERM or SIGHUP came: the work ends as it does on Ctrl-C, with everything closed and put away."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop_status(stop: KeyboardInterrupt) -> int:
    """The exit status for a signal, as shells give it: 130 for Ctrl-C."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


def open_standard_streams() -> None:
    """Open on nothing what the caller closed of descriptors 0 to 2.

    Else the next file to be opened would take that number: an image, which every child process would then have as its
    standard error, and would write its messages into.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003  it takes the lowest free number
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  it lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped in the block where SIGTERM or SIGHUP comes, unless the caller had them ignored (nohup)."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    taken = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
