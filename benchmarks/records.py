"""The results as a file of JSON lines: one line for what one program took to answer one question."""

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.conditions import Conditions
from benchmarks.measure import Memory, Sample
from benchmarks.subjects import Question, Subject

RESULTS = Path(__file__).with_name("results")
DATA = RESULTS / "data.jsonl"


class Record(Struct, frozen=True, omit_defaults=True):
    """The runs of one program for one question.

    ``is_before`` marks the other tree of a comparison. ``document`` is the hash of the JSON that it printed. Without
    samples, ``missing`` says why there are none.
    """

    program: str
    version: str
    question: Question
    subject: Subject
    conditions: Conditions
    samples: tuple[Sample, ...] = ()
    memory: Memory | None = None
    is_before: bool = False
    document: str = ""
    note: str = ""
    missing: str = ""

    @property
    def key(self) -> tuple[str, bool, Question, Subject]:
        """What a newer record with the same takes the place of."""
        return self.program, self.is_before, self.question, self.subject

    @property
    def least(self) -> float:
        """Seconds from start to end of the fastest run."""
        return min(each.wall for each in self.samples)

    @property
    def median(self) -> float:
        """Seconds from start to end, the median."""
        return statistics.median(each.wall for each in self.samples)

    @property
    def cpu(self) -> float:
        """Seconds of processor time of the cheapest run."""
        return min(each.cpu for each in self.samples)


class Results(Struct):
    """All records, found by what they are of."""

    records: dict[tuple[str, bool, Question, Subject], Record]

    def find(
        self, question: Question, subject: Subject, *, program: str = "bootgraft", is_before: bool = False
    ) -> Record | None:
        """The record with samples, if there is one."""
        found = self.records.get((program, is_before, question, subject))
        return found if found is not None and found.samples else None

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records.values())


def load(path: Path) -> Results:
    """Read the file; what does not exist is empty."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    records = [msgspec.json.decode(line, type=Record) for line in lines]
    return Results({each.key: each for each in records})


def store(path: Path, fresh: Iterable[Record]) -> None:
    """Put the records in place of older ones of the same."""
    records = load(path).records | {each.key: each for each in fresh}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in records.values()))
