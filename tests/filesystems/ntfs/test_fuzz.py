"""Seeded samples of ``python -m benchmarks.fuzz ntfs`` and ``… commands``, which run some hundred thousand cases."""

import os
import random
import signal
from pathlib import Path

import pytest
from benchmarks.fuzz import commands, forked, ntfs
from benchmarks.fuzz.forked import Plan, run_batch
from benchmarks.fuzz.ntfsplaces import Kind, Place, fixed, places, unfixed
from benchmarks.fuzz.sealed import Sealed
from tests.filesystems.ntfs.images import blank
from tests.machines.tools import run

from bootgraft.storage.devices.overlay import Overlay

CASES = 120
COMMAND_CASES = 3
_MEMORY = 2**31

pytestmark = pytest.mark.skipif(
    not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0, reason="filling an NTFS volume needs root"
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[ntfs.VolumeSeed]:
    return ntfs.seeds(tmp_path_factory.mktemp("corpus"))


def test_the_seeds_have_every_structure_and_are_used_whole(corpus: list[ntfs.VolumeSeed]) -> None:
    assert {kind for seed in corpus for kind in seed.places} == set(Kind)
    ends = {seed.name: ntfs.attempt(ntfs.VolumeCase(Overlay(Sealed(seed.data)), seed.files[:5])) for seed in corpus}
    assert ends == {
        "everything": "clean, refused in part",  # a directory is written to
        "server1": "clean, refused in part",
        "vista": "clean, refused in part",
        "unclean": "unclean, used",
        "hibernated": "hibernated, used",
    }


def test_places_are_those_that_sleuthkit_knows(tmp_path: Path) -> None:
    """istat lists the clusters of $LogFile, whose first two pages are the restart pages."""
    volume = blank(tmp_path / "volume")
    words = run("istat", "-f", "ntfs", volume, "2").decode().split("Non-Resident")[1].split()
    first = int(next(word for word in words[words.index("init_size:") + 2 :] if word.isdigit()))
    data = volume.read_bytes()
    assert places(data)[Kind.RESTART] == [Place(Kind.RESTART, first * 4096 + page * 4096, 4096) for page in range(2)]
    for place in (place for found in places(data).values() for place in found if place.kind is Kind.RECORD):
        record = data[place.offset : place.offset + place.length]
        assert fixed(unfixed(record)) == record


def test_mutated_volumes_are_used_or_refused(corpus: list[ntfs.VolumeSeed]) -> None:
    tally = run_batch(Plan(corpus, ntfs.mutated, ntfs.attempt, _MEMORY), range(CASES))
    assert tally.cases == CASES
    assert not tally.failures, tally.failures
    assert {"refused", "clean, used", "clean, refused in part"} <= set(tally.ends)


def test_commands_on_mutated_machines_keep_their_contract(tmp_path: Path) -> None:
    corpus = commands.seeds(tmp_path)
    tally = run_batch(Plan(corpus, commands.mutated, commands.attempt, _MEMORY), range(COMMAND_CASES))
    assert tally.cases == COMMAND_CASES
    assert not tally.failures, tally.failures
    assert not tally.crashes, tally.crashed


class _Seed:
    name = "seed"


def _misbehave(number: int) -> str:
    if number % 10 == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number % 10 == 5:
        raise ValueError(number)
    while number % 10 == 7:
        pass
    return "fine"


def test_crashes_hangs_and_exceptions_are_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "CPU_SECONDS", 0.1)
    numbers = {random.Random(number).random(): number for number in range(10)}

    def change(_seed: _Seed, chance: random.Random) -> int:
        return numbers[chance.random()]

    tally = run_batch(Plan([_Seed()], change, _misbehave, _MEMORY), range(10))
    assert tally.cases == 10
    assert tally.ends == {"fine": 7, "failed": 1}
    assert tally.crashes == {"SIGSEGV": 1, "hang": 1}
    assert [failure.split(":")[0] for failure in tally.failures] == ["case 5 (seed)", "case 7 (seed)"]
