"""The process that a command runs in: its standard streams, and the signals that end it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)
CLEANING = 5.0
"""Seconds after a signal in which another one changes nothing: ending a server and closing images takes up to two."""

_DOINGS = {
    "bootgraft.worker.ipc": "waiting for the process that reads volumes and drivers",
    "bootgraft.storage.devices.nbd": "waiting for the server that has the image",
    "bootgraft.storage.journal": "reading the undo journal and what it covers",
    "bootgraft.storage": "reading the image's files",
    "bootgraft.explain": "reading the logs",
}


class Stopped(KeyboardInterrupt):
    """Ctrl-C, SIGTERM or SIGHUP came: the work ends as it does on Ctrl-C, with everything closed and put away."""

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


class TimeUp(Stopped):
    """What --timeout allows has passed: the work ends as it does on Ctrl-C. ``doing`` is what it was at."""

    def __init__(self, seconds: float, doing: str) -> None:
        super().__init__(signal.SIGALRM)
        self.seconds = seconds
        self.doing = doing


class _Signals:
    """What comes of the signals that end the work: the first one does, and what it has to put away is let be."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._first: float | None = None

    def stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None or now > self._first + CLEANING:
            self._first = now
            raise Stopped(number)

    def time_up(self, _number: int, frame: FrameType | None) -> None:
        from bootgraft.storage.devices.patience import may_be_ended

        if self._timeout is not None and self._first is None and may_be_ended():
            self._first = time.monotonic()
            raise TimeUp(self._timeout, _doing(frame))


@contextmanager
def stoppable(timeout: float | None = None) -> Iterator[None]:
    """Raise Stopped in the block where Ctrl-C, SIGTERM or SIGHUP comes, unless the caller had them ignored (nohup).

    A further one is not heeded for as long as putting things away takes. After ``timeout`` seconds TimeUp is raised,
    as long as no image is being written.
    """
    signals = _Signals(timeout)
    wanted = {number: signals.stop for number in _ENDING if signal.getsignal(number) in _UNTOUCHED}
    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {**wanted}
    if timeout is not None:
        handlers[signal.SIGALRM] = signals.time_up
    kept = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        if timeout is None:
            yield
            return
        from bootgraft.storage.devices.patience import limited

        signal.setitimer(signal.ITIMER_REAL, timeout)
        with limited(timeout):
            yield
    finally:
        if timeout is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in kept.items():
            signal.signal(number, handler)


def _doing(frame: FrameType | None) -> str:
    """What was going on, for people, by the module that was at it."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        for module, words in _DOINGS.items():
            if name.startswith(module):
                return words
        frame = frame.f_back
    return "it was at work"
