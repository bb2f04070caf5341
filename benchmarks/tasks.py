"""Tasks: commands that are measured, in rounds, so that a machine whose speed drifts favours none of them."""

import hashlib
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field

from benchmarks.conditions import Conditions
from benchmarks.measure import Memory, Sample, UnexpectedStatusError, Words, timed, watched
from benchmarks.records import Record
from benchmarks.subjects import Question, Subject

_LEAST_ROUNDS = 3
Say = Callable[[str], None]


class Program(Struct, frozen=True):
    """Whom the figures are of. ``note`` stands beside them, wherever they stand."""

    name: str
    version: str
    is_before: bool = False
    note: str = ""


class Task(Struct, frozen=True):
    """One question to one program about one subject.

    ``before`` is done before each run and is not measured. ``document`` prints the same answer as JSON. What is slow
    is run once, and watched meanwhile.
    """

    program: Program
    question: Question
    subject: Subject
    words: Words
    expect: int = 0
    environment: Mapping[str, str] | None = None
    before: Callable[[], None] | None = None
    document: Words | None = None
    is_slow: bool = False

    @property
    def name(self) -> str:
        """For the progress."""
        before = " (before)" if self.program.is_before else ""
        return f"{self.program.name}{before}: {self.question}, {self.subject.name}"


class Series(Struct):
    """The runs of a task, or why there are none."""

    task: Task
    samples: list[Sample] = field(default_factory=list)
    memory: Memory | None = None
    document: str = ""
    missing: str = ""

    def warm_up(self, every: float) -> None:
        """The first run, which also fills caches: its memory is watched."""
        task = self.task
        if task.document is not None:
            self.document = _answer(task.document)
        with self._trying():
            sample, self.memory = watched(task.words, expect=task.expect, environment=task.environment, every=every)
            if task.is_slow:
                self.samples.append(sample)

    def run(self) -> None:
        """One run by the clock."""
        task = self.task
        if not (task.is_slow or self.missing):
            with self._trying():
                self.samples.append(timed(task.words, expect=task.expect, environment=task.environment))

    @contextmanager
    def _trying(self) -> Iterator[None]:
        if self.task.before is not None:
            self.task.before()
        try:
            yield
        except (UnexpectedStatusError, OSError) as error:
            self.missing = f"it failed: {_without_folders(str(error))}"

    def record(self, conditions: Conditions) -> Record:
        """What goes into the file of results."""
        program = self.task.program
        return Record(
            program=program.name,
            version=program.version,
            question=self.task.question,
            subject=self.task.subject,
            conditions=conditions,
            samples=() if self.missing else tuple(self.samples),
            memory=self.memory,
            is_before=program.is_before,
            document=self.document,
            note=program.note,
            missing=self.missing,
        )


def measure(tasks: Iterable[Task], *, rounds: int, minutes: float, say: Say, every: float = 0.002) -> list[Series]:
    """Run each task once to warm up, then all of them in rounds until the time is over (but three times at least)."""
    series = [Series(task) for task in tasks]
    ends = time.monotonic() + 60 * minutes
    for each in series:
        say(f"warm-up: {each.task.name}")
        each.warm_up(every)
        if each.missing:
            say(f"{each.task.name}: {each.missing}\n")
    took = 0.0
    for number in range(rounds):
        began = time.monotonic()
        if number >= min(_LEAST_ROUNDS, rounds) and began + took > ends:
            break
        for each in series:
            say(f"round {number + 1} of {rounds}: {each.task.name}")
            each.run()
        took = time.monotonic() - began
    return series


def _answer(words: Words) -> str:
    """The hash of what the command prints."""
    done = subprocess.run(words, capture_output=True, check=False)
    return hashlib.sha256(done.stdout).hexdigest()[:16]


def _without_folders(text: str) -> str:
    """Paths of this machine are nobody's business: their last names are left."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in text.split())
