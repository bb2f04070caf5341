"""On what, when and beside how much other work was measured."""

import datetime as dt
import os
import platform
import resource
import time
from pathlib import Path

from msgspec import Struct

QUIET = 0.5
"""The load up to which a machine counts as quiet, and the processors' worth of work that others may do meanwhile."""


class Conditions(Struct, frozen=True):
    """What the machine is and what else it did.

    ``load`` is the average of the minute before. ``is_first``: with real-time priority (``chrt -r 1 COMMAND``), other
    programs waited for it. ``others`` is how many processors those kept busy during the measurement, on average;
    ``stolen`` is how many the hypervisor below gave to somebody else.
    """

    date: str
    processor: str
    cores: int
    memory_gb: int
    system: str
    python: str
    load: float
    is_first: bool = False
    others: float = 0.0
    stolen: float = 0.0

    @property
    def were_quiet(self) -> bool:
        """Whether figures of seconds from start to end can be trusted."""
        return self.is_first or (self.load <= QUIET and self.others <= QUIET / 2)

    @property
    def text(self) -> str:
        """One line for a page."""
        return (
            f"{self.date}, {self.cores} processors {self.processor}, {self.memory_gb} GB, {self.system}, "
            f"Python {self.python}; load before {self.load:.1f}, other programs kept {self.others:.2f} busy, "
            f"stolen {self.stolen:.2f}{'; with real-time priority' if self.is_first else ''}"
        )


class Watch:
    """Watches how busy the machine is from now on."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0]
        self._date = dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
        self._began = time.perf_counter()
        self._before = _jiffies()
        self._own = _own_seconds()

    def conditions(self) -> Conditions:
        """What it was like until now."""
        wall = max(time.perf_counter() - self._began, 1e-3)
        tick = os.sysconf("SC_CLK_TCK")
        busy, stolen = ((after - before) / tick for after, before in zip(_jiffies(), self._before, strict=True))
        return Conditions(
            date=self._date,
            processor=_processor(),
            cores=os.cpu_count() or 1,
            memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
            system=_system(),
            python=platform.python_version(),
            load=round(self._load, 2),
            is_first=os.sched_getscheduler(0) != os.SCHED_OTHER,
            others=round(max(0.0, (busy - (_own_seconds() - self._own)) / wall), 2),
            stolen=round(stolen / wall, 2),
        )


def _own_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _jiffies() -> tuple[int, int]:
    """Of all processors since they were started: busy, and stolen (proc(5), /proc/stat)."""
    first = Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, _idle, _waiting, irq, softirq, stolen = (int(word) for word in first.split()[1:9])
    return user + nice + system + irq + softirq, stolen


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
