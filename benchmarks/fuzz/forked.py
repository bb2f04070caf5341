"""Cases in processes of their own, many to each: a crash or a hang ends one process, is counted, and the rest go on.

A case that ended its process is run once more, alone: where it does so again, it is to blame; else the memory of the
process was damaged by a case before it.
"""

import faulthandler
import json
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct, field

from bootgraft.confinement.limits import address_space

CPU_SECONDS = 20
"""Of one case; the slowest sound one takes a tenth of one."""
_HEAD = struct.Struct("<QI")
"""A case's number, and the length of what is said of it."""


class Plan(Struct, frozen=True):
    """What is mutated, how, and what is done with the result.

    ``memory`` is bytes of address space, beyond what the process has when it begins.
    """

    corpus: list[Any]
    change: Callable[[Any, random.Random], Any]
    attempt: Callable[[Any], str]
    memory: int


class Tally(Struct):
    """What came of cases: how they ended, how processes ended in C, and what is a fault of ours."""

    cases: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    crashes: dict[str, int] = field(default_factory=dict)
    crashed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0

    def add(self, other: "Tally") -> None:
        """Take in another's."""
        self.cases += other.cases
        self.ends = dict(Counter(self.ends) + Counter(other.ends))
        self.crashes = dict(Counter(self.crashes) + Counter(other.crashes))
        self.crashed += other.crashed
        self.failures += other.failures
        self.slowest, self.peak = max(self.slowest, other.slowest), max(self.peak, other.peak)


def run_batch(plan: Plan, numbers: range) -> Tally:
    """Run these cases; each number is the same case for the same corpus."""
    tally = Tally()
    left = numbers
    while left:
        done, signal_number = _run_until_it_ends(plan, left, tally)
        left = left[done:]
        if signal_number:
            case, left = left[0], left[1:]
            alone = Tally()
            _, again = _run_until_it_ends(plan, range(case, case + 1), alone)
            how = signal.Signals(signal_number).name
            how = how if again else f"{how}, not alone"
            how = how.replace(signal.SIGPROF.name, "hang")
            tally.cases += 1
            tally.crashes[how] = tally.crashes.get(how, 0) + 1
            tally.crashed.append(f"case {case} ({plan.corpus[case % len(plan.corpus)].name}): {how}")
            tally.failures += alone.failures
            if how.startswith(("hang", signal.SIGKILL.name)):
                tally.failures.append(tally.crashed[-1])
    return tally


def _run_until_it_ends(plan: Plan, numbers: range, tally: Tally) -> tuple[int, int]:
    """Run cases in one process; return how many came to an end, and the signal that ended it before the next, or 0."""
    reader, writer = os.pipe()
    # From 3.12 on Python warns of threads, as a test runner's; no case takes a lock that one of those may hold.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        child = os.fork()
    if not child:
        os.close(reader)
        _be_the_process(plan, numbers, writer)
    os.close(writer)
    done = 0
    with os.fdopen(reader, "rb") as answers:
        for said in _answers(answers):
            done += 1
            tally.cases += 1
            tally.ends[said["end"]] = tally.ends.get(said["end"], 0) + 1
            tally.failures += said.get("failure", [])
            tally.slowest = max(tally.slowest, said["seconds"])
    _, status, used = os.wait4(child, 0)
    tally.peak = max(tally.peak, used.ru_maxrss * 1024)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGTERM:  # that is somebody who ends the campaign
        return done, os.WTERMSIG(status)
    if done < len(numbers):
        raise RuntimeError(f"the process of the cases {numbers} ended with {os.waitstatus_to_exitcode(status)}")
    return done, 0


def _answers(stream: Any) -> Iterator[dict[str, Any]]:
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        _, length = _HEAD.unpack(head)
        yield json.loads(stream.read(length))


def _be_the_process(plan: Plan, numbers: range, writer: int) -> None:
    status = 1
    try:
        faulthandler.disable()  # a crash is told by who waits
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        memory = address_space() + plan.memory
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # C code that loops runs no handler of Python's
        for number in numbers:
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            said = json.dumps(_case(plan, number)).encode()
            os.write(writer, _HEAD.pack(number, len(said)) + said)
        status = 0
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _case(plan: Plan, number: int) -> dict[str, Any]:
    seed = plan.corpus[number % len(plan.corpus)]
    began = time.process_time()
    said: dict[str, Any] = {}
    try:
        said["end"] = plan.attempt(plan.change(seed, random.Random(number)))
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        said["end"] = "failed"
        said["failure"] = [f"case {number} ({seed.name}): {error!r} in {where.filename}:{where.lineno}"]
    return said | {"seconds": time.process_time() - began}
