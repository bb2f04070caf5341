"""Running a command and measuring it, with all processes that it starts, from outside."""

import contextlib
import ctypes
import os
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
"""A user's: whose Python keeps the bytecode it compiled."""
_PR_SET_CHILD_SUBREAPER = 36
Words = Sequence[str | Path]


class Sample(Struct, frozen=True):
    """One run: seconds from start to end and, of all its processes, seconds of processor time and bytes.

    The bytes are those that went through read and write calls, of programs' own files and pipes too.
    """

    wall: float
    cpu: float
    read: int
    written: int


class Memory(Struct, frozen=True):
    """The peaks of memory, in bytes, as sampled in a run of its own that is not timed.

    ``largest`` is the resident set of the largest process (VmHWM). ``together`` is the largest sum over all processes
    at one time, what they share counted once (PSS). ``bound`` is the sum of all VmHWM: shared pages count several
    times, peaks at different times add up.
    """

    largest: int
    together: int
    bound: int


class UnexpectedStatusError(Exception):
    """A command ended otherwise than the benchmark needs."""


class _Totals(Struct, frozen=True):
    cpu: float
    read: int
    written: int


def adopt_orphans() -> None:
    """Have processes that outlive their parents reaped, and so counted, by this one."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def timed(command: Words, *, expect: int = 0, environment: Mapping[str, str] | None = None) -> Sample:
    """Run the command once; its output goes nowhere."""
    before = _totals()
    began = time.perf_counter()
    process = _start(command, environment)
    _, status = os.waitpid(process, 0)
    wall = time.perf_counter() - began
    _require(command, status, expect)
    return _sample(wall, before)


def watched(
    command: Words, *, expect: int = 0, environment: Mapping[str, str] | None = None, every: float = 0.002
) -> tuple[Sample, Memory]:
    """Run the command once and look at the memory of all its processes ``every`` so many seconds.

    The looking slows it: the seconds count only where they are many.
    """
    others = set(_family(os.getpid()))
    before = _totals()
    began = time.perf_counter()
    process = _start(command, environment)
    peaks: dict[int, int] = {}
    together = 0
    while True:
        at_once = 0
        for each in set(_family(os.getpid())) - others:
            peaks[each] = max(peaks.get(each, 0), _kilobytes(each, "status", "VmHWM:"))
            at_once += _kilobytes(each, "smaps_rollup", "Pss:")
        together = max(together, at_once)
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        time.sleep(every)
    wall = time.perf_counter() - began
    _require(command, status, expect)
    return _sample(wall, before), Memory(max(peaks.values()), together, sum(peaks.values()))


def _sample(wall: float, before: _Totals) -> Sample:
    _reap_orphans()
    after = _totals()
    return Sample(wall, after.cpu - before.cpu, after.read - before.read, after.written - before.written)


def _start(command: Words, environment: Mapping[str, str] | None) -> int:
    words = [os.fspath(word) for word in command]
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    return os.posix_spawnp(words[0], words, _ENVIRONMENT | dict(environment or {}), file_actions=nowhere)


def _totals() -> _Totals:
    """What all children used that have ended: the kernel adds it to their parent's when that reaps them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return _Totals(usage.ru_utime + usage.ru_stime, int(counters["rchar"]), int(counters["wchar"]))


def _reap_orphans() -> None:
    """Reap what has ended of processes whose parents ended first; servers of ours go on running."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _require(command: Words, status: int, expect: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code != expect:
        message = f"{' '.join(map(str, command))} ended with {code}, not {expect}"
        raise UnexpectedStatusError(message)


def _family(process: int) -> Iterator[int]:
    yield process
    with contextlib.suppress(OSError):  # it ended
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _kilobytes(process: int, file: str, label: str) -> int:
    """A figure of a process in bytes; 0 where it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/{file}").read_text().splitlines():
            if line.startswith(label):
                return int(line.split()[1]) * 1024
    return 0
