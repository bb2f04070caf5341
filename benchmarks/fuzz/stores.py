"""BCD stores: device elements, lists and references mutated inside a sound hive, then followed and fixed in memory.

Any exception but a BootgraftError is a bug; and so is a change that makes a device element of another length, unless
that one could not be read.
"""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from tests.fakes import SIGNATURE, FakePartition, machine_of, volume_of
from tests.machines import bcd, vista
from tests.machines.build import content
from tests.machines.spec import File
from tests.machines.spec import Hive as HiveSpec
from tests.registry.support import TESTDATA, Memory, real_bcds

from bootgraft.boot.bootmgr.bcd import BcdStore, ElementFormat, read_store
from bootgraft.boot.bootmgr.bcd_device import parse_device
from bootgraft.boot.chain import follow
from bootgraft.changes import SetValue, WriteSectors
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Stage
from bootgraft.checks.guest import Guest
from bootgraft.errors import BootConfigError, BootgraftError
from bootgraft.registry.hive import Hive

_WORDS = (0, 1, 3, 5, 6, 8, 0x10, 0x1E, 0x48, 0x58, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_FILES = (
    r"\Windows\system32\winload.exe",
    r"\Windows\system32\config\SYSTEM",
    r"\Windows\system32\ntoskrnl.exe",
    vista.WIM,
)


class StoreSeed(Struct, frozen=True):
    """A store, and where the data of its elements lies in the hive: (offset, length) in bytes."""

    name: str
    hive: bytes
    places: tuple[tuple[int, int], ...]


def seeds(folder: Path) -> list[StoreSeed]:
    """Stores made by hivexregedit in ``folder``, and those of real machines where they are at hand."""
    found = []
    for name, hive in _made():
        found.append(_seed(name, content(File("\\BCD", hive), folder)))
    for name in real_bcds():
        data = (TESTDATA / name).read_bytes()
        if len(data) <= 1 << 16:
            found.append(_seed(name, data))
    return [seed for seed in found if seed.places]


def _made() -> Iterator[tuple[str, HiveSpec]]:
    here, gone = bcd.mbr_device(SIGNATURE, 2 * 8192), bcd.mbr_device(SIGNATURE, 63 * 512)
    yield "whole", vista.full_store(bcd.mbr_device(SIGNATURE, 8192), here, here)
    yield "moved", vista.full_store(gone, bcd.mbr_device(SIGNATURE, 206848 * 512), gone)
    yield "virtual disk", vista.bios_store(vista.WINDOWS, device=bcd.virtual_disk_device(gone, r"\vm\disk.vhd"))
    yield "located", vista.bios_store(vista.WINDOWS, device=bcd.locate_device(0x12000002))


def _seed(name: str, hive: bytes) -> StoreSeed:
    store = _store(hive)
    data = [element.data for each in store.objects for element in each.elements if len(element.data) > 4]
    found = ((hive.find(each), len(each)) for each in dict.fromkeys(data))
    return StoreSeed(name, hive, tuple((at, length) for at, length in found if at > 0))


def _store(hive: bytes) -> BcdStore:
    return read_store(Hive.open(Memory(hive), name="BCD"))


def mutated(seed: StoreSeed, chance: random.Random) -> StoreSeed:
    """The seed with up to four words of its elements changed."""
    hive = bytearray(seed.hive)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at, length = chance.choice(seed.places)
        place = at + chance.randrange(0, length - 3, 2)
        word = chance.choice((*_WORDS, length, length - 16, chance.getrandbits(32)))
        struct.pack_into("<I", hive, place, word & 0xFFFFFFFF)
    return StoreSeed(seed.name, bytes(hive), seed.places)


def attempt(seed: StoreSeed) -> str:
    """Follow the store on a machine in memory and make the changes that its findings carry."""
    system = volume_of("\\bootmgr", contents={"\\Boot\\BCD": seed.hive})
    try:
        machine = machine_of([FakePartition(system, active=True), FakePartition(volume_of(*_FILES))])
        chain = follow(machine)
        found = findings_of(Guest(machine, chain), Stage.CHAIN)
        changes = [each for finding in found for each in finding.changes if not isinstance(each, WriteSectors)]
    except BootgraftError:
        return "refused"
    for change in changes:
        if isinstance(change, SetValue) and int(change.key[-8:], 16) >> 24 & 0xF == ElementFormat.DEVICE:
            _judge(change)
    return "followed" if chain.default is not None else "repaired" if changes else "told"


def _judge(change: SetValue) -> None:
    """The new element can be read, and is as long as the old one where that could."""
    parse_device(change.value.data, name=change.key)
    old = b"" if change.before is None else change.before.data
    try:
        parse_device(old, name=change.key)
    except BootConfigError:
        return
    if len(old) != len(change.value.data):
        raise AssertionError(change.key)
