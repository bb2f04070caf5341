"""The states of one subject: recordings of a commit, of undos and of a resume, and the states that they may leave."""

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.powerloss.operations import Files
from benchmarks.powerloss.recording import record
from benchmarks.powerloss.states import Recording
from benchmarks.powerloss.subjects import Subject, files_of, restore
from bootgraft.storage.journal.journalsearch import find_journals

_ROOT = Path(__file__).parents[2]
_SEAL = slice(256, 320)
"""Where a journal's mark "sealed" lies."""
_COMMAND = (sys.executable, "-m", "bootgraft.cli.main")


class State(Struct, frozen=True):
    """Files that a power loss left, and the words for it."""

    name: str
    files: dict[Path, bytes]


def recordings(subject: Subject) -> Iterator[tuple[str, Recording]]:
    """Commit, undo a finished repair, finish an interrupted one, and undo it."""
    undo = (*_COMMAND, "undo", *subject.words, "--quiet")
    commit = _recorded(subject, files_of(subject), subject.committing())
    yield "commit", commit
    sealed = files_of(subject)
    (journal,) = find_journals(subject.locations)
    data = sealed[journal.path]
    unsealed = {**sealed, journal.path: data[: _SEAL.start] + bytes(64) + data[_SEAL.stop :]}
    yield "undo", _recorded(subject, sealed, undo)
    resume = (*_COMMAND, "repair", *subject.words, "--resume", "--quiet")
    yield "resume", _recorded(subject, {**unsealed, **commit.before}, resume)
    yield "undo of an interrupted one", _recorded(subject, unsealed, undo)


def _recorded(subject: Subject, before: Files, command: Sequence[str]) -> Recording:
    restore(subject, before)
    operations = record(command, subject.folder, where=_ROOT)
    made = Recording(before, operations)
    if made.after() != files_of(subject):
        raise RuntimeError(f"the recording of {command} does not make what the program made")
    return made


def states(subject: Subject, kind: str, first: int, count: int) -> Iterator[tuple[int, State, random.Random]]:
    """The states with these numbers: each number is the same one for the same recordings."""
    made = list(recordings(subject))
    for number in range(first, first + count):
        chance = random.Random(f"{kind} {number}")
        name, recording = made[number % len(made)]
        moment, files = recording.state(chance)
        yield number, State(f"{name}, {moment}", files), chance
