"""The states of one container: recordings of a commit, of undos and of a resume, and the states that they may leave."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from tests.storage.containers import Container

from benchmarks.powerloss.recording import record
from benchmarks.powerloss.states import Recording
from bootgraft.storage.journal.journalsearch import find_journals

_ROOT = Path(__file__).parents[2]
_SEAL = slice(256, 320)
"""Where a journal's mark "sealed" lies."""


class State(Struct, frozen=True):
    """Files that a power loss left, and the words for it."""

    name: str
    files: dict[Path, bytes]


def recordings(container: Container) -> Iterator[tuple[str, Recording]]:
    """Commit, undo a finished repair, finish an interrupted one, and undo it."""
    image = container.location
    commit = _recorded(container, container.files(), "-m", "benchmarks.powerloss.committing", image)
    yield "commit", commit
    sealed = container.files()
    (journal,) = find_journals([image])
    yield "undo", _recorded(container, sealed, *_COMMAND, "undo", image, "--quiet")
    data = sealed[journal.path]
    unsealed = {journal.path: data[: _SEAL.start] + bytes(64) + data[_SEAL.stop :]}
    interrupted = {**commit.before, **unsealed}
    yield "resume", _recorded(container, interrupted, *_COMMAND, "repair", image, "--resume", "--quiet")
    yield (
        "undo of an interrupted one",
        _recorded(container, {**sealed, **unsealed}, *_COMMAND, "undo", image, "--quiet"),
    )


_COMMAND = ("-m", "bootgraft.cli.main")


def _recorded(container: Container, before: dict[Path, bytes], *words: str) -> Recording:
    container.restore(before)
    operations = record([sys.executable, *words], container.folder, where=_ROOT)
    made = Recording(before, operations)
    if made.after() != container.files():
        raise RuntimeError(f"the recording of {words} does not make what the program made")
    return made


def states(container: Container, kind: str, first: int, count: int) -> Iterator[tuple[int, State, random.Random]]:
    """The states with these numbers: each number is the same one for the same recordings."""
    made = list(recordings(container))
    for number in range(first, first + count):
        chance = random.Random(f"{kind} {number}")
        name, recording = made[number % len(made)]
        moment, files = recording.state(chance)
        yield number, State(f"{name}, {moment}", files), chance
