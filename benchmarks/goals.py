"""The goals, and whether the figures meet them.

Seconds are those of the fastest run: on a machine that does other things too, that run says most.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.records import Results
from benchmarks.subjects import NOTHING, SMALLEST, Question, Subject

_VMDK = replace(SMALLEST, form="monolithicSparse")
_FULL = Subject(disk_gb=2000, full=True)
_HIVE_16 = Subject(disk_gb=2, hive_mb=16)
_HIVE_90 = Subject(disk_gb=2, hive_mb=90, hive_is_made=True)
_SLOW = Subject(disk_gb=2, latency_ms=5)
_ISO = Subject(disk_gb=2, packages=500, container="ISO")
_FAR_HIVES = 90 - 16
_MS, _MB = 1e3, 1e-6

Measured = Callable[[Results], float | None]


class Goal(Struct, frozen=True):
    """A figure that is to be at most ``limit``; ``measured`` is None where the runs for it are missing."""

    text: str
    limit: float
    unit: str
    measured: Measured

    def verdict(self, value: float | None) -> str:
        """One word for a table."""
        if value is None:
            return "not measured"
        return "met" if value <= self.limit else "**missed**"


def _ms(question: Question, *subjects: Subject) -> Measured:
    """Milliseconds of the slowest of the subjects."""

    def measured(results: Results) -> float | None:
        found = [results.find(question, each) for each in subjects]
        return max((each.least * _MS for each in found if each is not None), default=None) if all(found) else None

    return measured


def _ratio(question: Question, subject: Subject, to: Subject) -> Measured:
    def measured(results: Results) -> float | None:
        one, other = results.find(question, subject), results.find(question, to)
        return None if one is None or other is None else one.least / other.least

    return measured


def _difference(question: Question, subject: Subject, to: Subject, *, by: float = 1) -> Measured:
    """Milliseconds more than for another subject, divided ``by`` something."""

    def measured(results: Results) -> float | None:
        one, other = results.find(question, subject), results.find(question, to)
        return None if one is None or other is None else (one.least - other.least) * _MS / by

    return measured


def _together(subject: Subject) -> Measured:
    def measured(results: Results) -> float | None:
        found = results.find(Question.REPAIR, subject)
        return None if found is None or found.memory is None else found.memory.together * _MB

    return measured


_DISKS = (SMALLEST, replace(SMALLEST, disk_gb=200), _FULL)
_CHECK, _REPAIR = Question.CHECK, Question.REPAIR
GOALS = (
    Goal("`bootgraft --version`", 40, "ms", _ms(Question.VERSION, NOTHING)),
    Goal("`check`, 2 GB to 2 TB, raw (the slowest)", 120, "ms", _ms(_CHECK, *_DISKS)),
    Goal("`repair`, 2 GB to 2 TB, raw (the slowest)", 200, "ms", _ms(_REPAIR, *_DISKS)),
    Goal("`check`, a sparse container: more than raw", 30, "ms", _difference(_CHECK, _VMDK, SMALLEST)),
    Goal("`repair`, a sparse container: more than raw", 30, "ms", _difference(_REPAIR, _VMDK, SMALLEST)),
    Goal("`check`, 2 TB nearly full: ratio to 2 GB", 1.3, "times", _ratio(_CHECK, _FULL, SMALLEST)),
    Goal("`repair`, 2 TB nearly full: ratio to 2 GB", 1.3, "times", _ratio(_REPAIR, _FULL, SMALLEST)),
    Goal("`check`, real hive of 16 MB", 150, "ms", _ms(_CHECK, _HIVE_16)),
    Goal("`repair`, real hive of 16 MB", 600, "ms", _ms(_REPAIR, _HIVE_16)),
    Goal("`repair`, for each MB of hive beyond 16", 30, "ms", _difference(_REPAIR, _HIVE_90, _HIVE_16, by=_FAR_HIVES)),
    Goal("`repair`, all processes together, real hive of 16 MB", 120, "MB", _together(_HIVE_16)),
    Goal("`repair`, all processes together, hive of 90 MB", 160, "MB", _together(_HIVE_90)),
    Goal("`check`, NBD with 5 ms of latency", 600, "ms", _ms(_CHECK, _SLOW)),
    Goal("`repair`, NBD with 5 ms of latency", 1500, "ms", _ms(_REPAIR, _SLOW)),
    Goal("`repair` with an ISO of 500 INFs", 350, "ms", _ms(_REPAIR, _ISO)),
)
