"""The child as a process: forked off this one, or an interpreter of its own; ended and reaped in either case.

A fork costs a millisecond, an interpreter and its imports some fifty. But a fork has only the thread that asked for it,
and whatever lock another thread held stays held in it for ever: where there are other threads, as in a program that
uses bootgraft as a library, the child is started.
"""

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from bootgraft.confinement import kernel
from bootgraft.confinement.reader import shield

Signals = set[int | signal.Signals]
_MOST_SAID = 64 * 2**10
"""Bytes that a pipe holds."""
_PAUSES = (0.0005, 0.05)
"""Seconds between two looks at a process that is waited for: at first, and at most."""


class ChildProcess:
    """A process of ours. Whoever has it must wait for its end, or what is left of it stays in the process table.

    ``errors`` is the end, to be read, of the pipe that it has as standard error. What does not fit into that is lost.
    """

    def __init__(self, pid: int, errors: int) -> None:
        self.pid = pid
        self._errors: int | None = errors
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, negative for the signal that ended it; None while it runs."""
        if self._status is None:
            self._look(os.WNOHANG)
        return self._status

    def wait(self, patience: float) -> int | None:
        """As ``poll``, after ``patience`` seconds at most."""
        deadline = time.monotonic() + patience
        pause, longest = _PAUSES
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(2 * pause, longest)
        return self._status

    def complaint(self) -> str:
        """What it wrote to standard error since the last call; fit for a terminal, whatever it is."""
        said = b""
        if self._errors is not None:
            with suppress(BlockingIOError):
                said = os.read(self._errors, _MOST_SAID)
        text = said.decode("utf-8", "backslashreplace")
        return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)

    def end(self) -> int:
        """Kill it where it has not ended, and reap it; its exit status, as ``poll``."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        while self._status is None:
            self._look(0)
        return self._status

    def close(self) -> None:
        """End it, and hear no more of it."""
        self.end()
        if self._errors is not None:
            os.close(self._errors)
            self._errors = None

    def _look(self, options: int) -> None:
        try:
            number, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # SIGCHLD is ignored in this process: nobody is told how its children end
            self._status = 0
        else:
            if number:
                self._status = os.waitstatus_to_exitcode(status)


@contextmanager
def signals_held() -> Iterator[Signals]:
    """Let no signal interrupt the block: one that comes is heeded at its end. Gives those that are held without it.

    Where there are other threads, one of those may take it, and Python heeds it at once: a child that is lost by that
    ends when it finds that its socket has no other end.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield held
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def start(endpoint: socket.socket, held: Signals) -> ChildProcess:
    """Start the child; it has ``endpoint`` to talk through, nothing as standard input and output, and a pipe as
    standard error. It has no terminal: it cannot write there nor type there, and Ctrl-C is not for it.

    To be called with signals held: they must not meet our handlers in the child, where they would unwind to our
    callers, nor lose the child on its way to who waits for it. ``held`` are those that are held in the child too.

    Raises:
        OSError: it cannot be started.
    """
    shield()
    # The child never waits for room in the pipe: nobody reads there before it ends.
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        number = None if _has_other_threads() else _fork(endpoint.fileno(), writing, held)
        number = _spawn(endpoint.fileno(), writing, held) if number is None else number
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return ChildProcess(number, reading)


def _has_other_threads() -> bool:
    """Whether this process has more than one thread, those that Python knows nothing of included; or may have."""
    try:
        return os.stat("/proc/self/task").st_nlink != 3  # noqa: PTH116  a link for each thread beside the usual two
    except OSError:
        return True


def _fork(endpoint: int, errors: int, held: Signals) -> int | None:
    """Fork the child; None where the system refuses, as it may where memory is not to be overcommitted."""
    try:
        number = os.fork()
    except OSError:
        return None
    if number == 0:
        _be_the_child(endpoint, errors, held)
    return number


def _be_the_child(endpoint: int, errors: int, held: Signals) -> NoReturn:
    """Be what a new process would be, and end without a way back to the frames of the parent."""
    status = 1
    try:
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        os.dup2(errors, 2)
        os.setsid()
        with suppress(OSError):  # a filter of the host's may refuse them; it ends as well when its socket does
            kernel.control(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
            kernel.name_process(b"bootgraft-child")
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nothing, stream)
        # Ours may be one that a caller put in its place, and may hold something already.
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        _forget_this_folder()
        gc.freeze()  # what is loaded stays shared with the parent: nobody looks for garbage in it
        from bootgraft.worker import child

        status = child.serve(endpoint)
    except BaseException:
        import traceback  # with tokenize, linecache and textwrap

        traceback.print_exc()  # as the interpreter would
        raise
    finally:
        os._exit(status)  # neither our exit handlers nor our buffers are its business


def _forget_this_folder() -> None:
    """Take no module from the folder that the user happens to be in: that may be the image's."""
    try:
        here = os.getcwd()  # noqa: PTH109  (Path.cwd is that, and may fail likewise)
    except FileNotFoundError:
        here = ""
    if not sys.flags.safe_path and sys.path[0] in ("", here):
        del sys.path[0]


def _spawn(endpoint: int, errors: int, held: Signals) -> int:
    """Start an interpreter of its own as the child."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, errors, 2),
        (os.POSIX_SPAWN_DUP2, endpoint, endpoint),  # it stays open across exec
    ]
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "bootgraft.worker.child", str(endpoint)],
        os.environ,
        file_actions=actions,
        setsid=True,
        setsigmask=held,
    )
