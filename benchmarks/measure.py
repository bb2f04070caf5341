"""Running a command and measuring it from outside."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
"""A user's: whose Python keeps the bytecode it compiled."""
_SAMPLE = 0.001


class Sample(Struct, frozen=True):
    """One run: seconds from start to end, and seconds of processor time of it and everything it started."""

    wall: float
    cpu: float


class Memory(Struct, frozen=True):
    """The peaks of the resident memory of a command's processes, in bytes: the largest one's, and their sum."""

    largest: int
    together: int


class UnexpectedStatusError(Exception):
    """A command ended otherwise than the benchmark needs."""


def timed(command: Sequence[str | Path], *, expect: int) -> Sample:
    """Run the command once; its output goes nowhere."""
    began = time.perf_counter()
    process = _start(command)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - began
    _require(command, status, expect)
    return Sample(wall, usage.ru_utime + usage.ru_stime)


def memory(command: Sequence[str | Path], *, expect: int) -> Memory:
    """Run the command once and watch the peak (VmHWM) of each of its processes. Watching slows it: not for timing."""
    process = _start(command)
    peaks: dict[int, int] = {}
    while True:
        for each in _family(process):
            peaks[each] = max(peaks.get(each, 0), _peak(each))
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        time.sleep(_SAMPLE)
    _require(command, status, expect)
    return Memory(max(peaks.values()), sum(peaks.values()))


def _start(command: Sequence[str | Path]) -> int:
    words = [os.fspath(word) for word in command]
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
    return os.posix_spawnp(words[0], words, _ENVIRONMENT, file_actions=nowhere)


def _require(command: Sequence[str | Path], status: int, expect: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code != expect:
        message = f"{' '.join(map(str, command))} ended with {code}, not {expect}"
        raise UnexpectedStatusError(message)


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):  # it ended
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _peak(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
