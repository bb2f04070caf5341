"""Whole commands on machines whose NTFS volume is mutated: ``check``, ``repair`` and, where that wrote, ``undo``.

A bug is whatever an administrator must never see: a traceback, more than one error, an exit status that is not
documented, an image that changed without a repair that says so, a volume that ntfsresize faults after a repair and did
not before, an undo that does not give back every byte.
"""

import atexit
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct
from tests.conftest import CommandResult
from tests.endtoend.refusals import read_refusal
from tests.machines.build import build
from tests.machines.cache import kept_folder
from tests.machines.spec import VolumeState
from tests.machines.windows2003 import donor, server1
from tests.warm import WarmInterpreter

from benchmarks.fuzz import ntfs
from benchmarks.fuzz.ntfsmutate import mutate
from benchmarks.fuzz.sealed import Sealed
from bootgraft.storage.devices.overlay import Overlay

_TARGET = ("--target", "vmware:lsilogic", "--quiet")
_SECONDS = 120
_BIGGEST = 10_000
"""Characters of a finding or an error that anybody would read."""
_SMALL = {"system_mib": 8, "windows_mib": 24, "data_mib": 2}
_IN_C = "was killed (SIG"


class MachineSeed(Struct, frozen=True):
    """A machine's only disk, where its Windows volume lies there, and the options of a repair."""

    name: str
    disk: bytes
    start: int
    volume: ntfs.VolumeSeed
    donor: bytes
    cache: Path
    options: tuple[str, ...] = ()


class MachineCase(Struct, frozen=True):
    """A disk to be repaired."""

    seed: MachineSeed
    disk: bytes


def seeds(folder: Path) -> list[MachineSeed]:
    """The dead server, and the same after a crash, whose journal may be emptied."""
    kept = Path(tempfile.mkdtemp(dir=folder.parent, prefix="fuzz-certificates-"))
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    parts = kept_folder() or kept
    source = build(donor(), folder / "donor", cache=parts).disk.read_bytes()
    found = []
    for name, state, options in (
        ("server1", VolumeState.CLEAN, ()),
        ("unclean", VolumeState.UNCLEAN, ("--reset-journal",)),
    ):
        built = build(server1(name=name, volume_state=state, **_SMALL), folder / name, cache=parts)
        disk, (start, length) = built.disk.read_bytes(), built.span(1)
        volume = ntfs.volume_seed(name, disk[start : start + length])
        found.append(MachineSeed(name, disk, start, volume, source, kept, options))
    return [found[0], found[0], found[0], found[1]]


def mutated(seed: MachineSeed, chance: random.Random) -> MachineCase:
    """The seed with up to eight things changed on its Windows volume."""
    disk = bytearray(seed.disk)
    volume = Overlay(Sealed(seed.volume.data))
    mutate(volume, seed.volume.places, chance)
    for run in volume.runs():
        at = seed.start + run.offset
        disk[at : at + run.length] = volume.read(run.offset, run.length)
    return MachineCase(seed, bytes(disk))


class _Bench(Struct, frozen=True):
    """Where this process works, and what it forks its commands from."""

    folder: Path
    warm: WarmInterpreter

    @property
    def image(self) -> Path:
        """The disk of the case."""
        return self.folder / "vm" / "server1.raw"

    def run(self, *words: str | Path) -> CommandResult:
        """Run one command to its end."""
        environment = {**os.environ, "NO_COLOR": "1", "XDG_STATE_HOME": str(self.folder / "state")}
        return CommandResult(*self.warm.run([str(word) for word in words], self.folder, environment, _SECONDS))


@cache
def _bench(process: int, seed_cache: Path) -> _Bench:
    folder = Path(tempfile.mkdtemp(dir=seed_cache, prefix=f"{process}-"))
    (folder / "vm").mkdir()
    return _Bench(folder, WarmInterpreter(seed_cache))


def attempt(case: MachineCase) -> str:
    """Check the machine, repair it, take that back; how those ended. Raises whatever is a bug."""
    bench = _bench(os.getpid(), case.seed.cache)
    for path in bench.image.parent.iterdir():
        path.unlink()
    bench.image.write_bytes(case.disk)
    source = bench.folder / "donor.raw"
    if not source.exists():
        source.write_bytes(case.seed.donor)
    check = _judged(bench.run("check", bench.image, *_TARGET))
    _require(bench, case.disk, "check")
    done = bench.run("repair", bench.image, *_TARGET, "--drivers", source, *case.seed.options)
    repair = _judged(done)
    if done.status == 0 and bench.image.read_bytes() != case.disk:
        _judge_repair(bench, case)
        repair = "repaired"
    _require(bench, case.disk, "repair and undo")
    return f"{check}, {repair}"


def _judged(done: CommandResult) -> str:
    """In short how a command ended; an AssertionError where that is not in the contract."""
    if done.status == 3:
        refusal = read_refusal(done)
        assert len(str(refusal)) < _BIGGEST, str(refusal)[:500]
        return "crash told" if _IN_C in refusal.what else "refused"
    assert done.status in (0, 1), done
    assert not done.stderr, done.stderr
    assert "Traceback" not in done.stdout, done.stdout
    return str(done.status)


def _require(bench: _Bench, disk: bytes, what: str) -> None:
    """The folder holds the disk as it was, and nothing else."""
    assert [path.name for path in bench.image.parent.iterdir()] == [bench.image.name], what
    assert bench.image.read_bytes() == disk, what


def _judge_repair(bench: _Bench, case: MachineCase) -> None:
    length = len(case.seed.volume.data)
    after = bench.image.read_bytes()[case.seed.start : case.seed.start + length]
    if _faulted(bench, case.disk[case.seed.start : case.seed.start + length]) is None:
        fault = _faulted(bench, after)
        assert fault is None, fault
    undo = bench.run("undo", bench.image, "--quiet")
    assert undo.status == 0, undo


def _faulted(bench: _Bench, volume: bytes) -> str | None:
    """What ntfsresize, which goes through all records and clusters, says against a volume; None if nothing."""
    path = bench.folder / "volume"
    path.write_bytes(volume)
    done: Sequence[str] = ["ntfsresize", "-f", "-i", str(path)]
    ended = subprocess.run(done, capture_output=True, text=True, check=False, timeout=_SECONDS)
    return ended.stdout + ended.stderr if ended.returncode else None
