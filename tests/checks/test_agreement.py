r"""``check`` and ``reg verify`` say the same of a hive, ``inspect`` nothing that contradicts them.

Over real hives of which one word or bit is changed anywhere, the places drawn by a seed.
"""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from tests.checks.test_verdicts import RELEASES, guest
from tests.memory_windows import MemoryWindows, memory_windows
from tests.registry.support import Memory, real_file

from bootgraft.boot.start import start_steps
from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.checks.finding import Severity
from bootgraft.checks.machine import hive_integrity
from bootgraft.errors import HiveError
from bootgraft.registry import baseblock
from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.defects import DefectSeverity
from bootgraft.report.documents.registry import HiveDocument, VerifyDocument
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.bootdrivers import boot_drivers
from bootgraft.windows.services import driver_file
from bootgraft.worker.ipc.registry_request import RegistryAction, RegistryRequest
from bootgraft.worker.registry.hives import Hives
from bootgraft.worker.registry.reading import read

PAGE = baseblock.BASE_SIZE
HIVES = {
    "NT 4": "hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM",
    "XP": "hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM",
    "7": "hives-system/win7-sp1-x86-vmware-lsisas/SYSTEM",
}
"""By release: the Windows that loads the hive."""
MUTATIONS = {"NT 4": 36, "XP": 10, "7": 4}


class Said(Struct, frozen=True):
    """What the commands say of one hive; ``diagnosis`` and ``holds`` are None where it cannot be used."""

    verified: HiveDocument
    diagnosis: Diagnosis | None
    holds: bool | None


def ask(windows: MemoryWindows) -> Said:
    request = RegistryRequest(action=RegistryAction.VERIFY, hive="SYSTEM")
    document = read(Hives(windows.machine, windows.installation, None), request, bytearray().extend).document
    assert isinstance(document, VerifyDocument)
    (verified,) = document.hives
    try:
        diagnosis = diagnose(guest(windows, find_controller("vmware:lsilogic")))
        steps = start_steps(windows.installation, windows.hive)
    except HiveError:
        return Said(verified, None, None)
    return Said(verified, diagnosis, all(step.holds for step in steps))


def require_agreement(said: Said) -> None:
    """None says that Windows loads the hive, all of it, where another one says that it does not."""
    verified, diagnosis = said.verified, said.diagnosis
    severities = {each.severity for each in verified.defects}
    if diagnosis is None:
        assert verified.error is not None or not verified.sound
        return
    told = [each for each in diagnosis.findings if each.id == hive_integrity.ID]
    blocking = [each for each in told if each.severity is Severity.BLOCKER]
    assert bool(blocking) == (DefectSeverity.REJECTS in severities)
    assert bool(told) == (not verified.sound)
    if blocking or said.holds is False:
        assert diagnosis.verdict is Verdict.BLOCKED


def without(windows: MemoryWindows, path: str) -> MemoryWindows:
    """The same without one file, in any case."""
    (found,) = (each for each in windows.filesystem.files if each.casefold() == path.casefold())
    del windows.filesystem.files[found]
    return windows.reread()


@pytest.mark.parametrize("name", ["NT 4", "XP", "7"])
def test_inspect_breaks_where_check_says_that_it_stops(name: str, machine_cache: Path) -> None:
    release, arch = RELEASES[name]
    made = memory_windows(machine_cache, directory=release.directory, release=release, arch=arch)
    assert ask(made).holds
    broken = 0
    directory = made.installation.directory
    drivers = boot_drivers(made.hive, made.installation.select.default)
    for path in (f"{directory}\\system32\\drivers\\ntfs.sys", *(driver_file(each, directory) for each in drivers)):
        copy = memory_windows(machine_cache, directory=release.directory, release=release, arch=arch)
        said = ask(without(copy, path))
        require_agreement(said)
        broken += said.holds is False
    assert broken


def with_system(name: str, cached: Path, data: bytes) -> MemoryWindows | None:
    """The release with this SYSTEM hive; None where it cannot even be opened."""
    release, arch = RELEASES[name]
    made = memory_windows(cached, directory=release.directory, release=release, arch=arch)
    path = f"\\{release.directory}\\system32\\config\\SYSTEM"
    wanted = next(each for each in made.filesystem.files if each.casefold() == path.casefold())
    made.filesystem.files[wanted] = data
    try:
        return made.reread()
    except HiveError:
        return None


def mutations(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    bins = struct.unpack_from("<I", data, 40)[0]
    words = (0, 1, 0x20, 0xFFFFFFFF, 0x7FFFFFFF, bins - 8)
    made = 0
    while made < count:
        at = chance.randrange(PAGE, PAGE + bins, 4)
        if not any(data[at : at + 4]):
            continue
        made += 1
        changed = bytearray(data)
        if made % 2:
            changed[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
        else:
            struct.pack_into("<I", changed, at, chance.choice(words))
        yield bytes(changed)


@pytest.mark.parametrize("name", HIVES)
def test_a_sound_hive_is_one_to_all(name: str, machine_cache: Path) -> None:
    windows = with_system(name, machine_cache, real_file(HIVES[name]).read_bytes())
    assert windows is not None
    said = ask(windows)
    assert said.verified.sound
    require_agreement(said)


@pytest.mark.parametrize("name", HIVES)
def test_a_damaged_hive_is_one_to_all(name: str, machine_cache: Path) -> None:
    data = real_file(HIVES[name]).read_bytes()
    unsound = 0
    for changed in mutations(data, seed=11, count=MUTATIONS[name]):
        windows = with_system(name, machine_cache, changed)
        if windows is None:
            with pytest.raises(HiveError):  # `reg verify` opens it in the same way
                Hive.open(Memory(changed), name="SYSTEM").key("Select")
            continue
        said = ask(windows)
        require_agreement(said)
        unsound += not said.verified.sound
    assert unsound >= MUTATIONS[name] // 5
