"""Which side of a journal a disk is on: every sector of the work counts, but what is on any disk is no evidence."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.storage.journal.test_commit import repair
from tests.storage.journal_machine import RawMachine, noise

from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.journal.diskmarks import DiskBytes
from bootgraft.storage.journal.likeness import Likeness
from bootgraft.storage.journal.strayjournals import likeness_of, read_stray

SECTORS = 64
CHANGED = {3: noise(3, SECTOR), 9: noise(9, SECTOR), 10: bytes(SECTOR), 40: b"\xff" * SECTOR}
WITNESS = 50


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> RawMachine:
    """A disk that was repaired: two sectors got data, one zeros, one 0xff."""
    machine = RawMachine(tmp_path_factory.mktemp("machine"))
    changes = [(number * SECTOR, data, False) for number, data in CHANGED.items()]
    machine.add("a.img", noise(1, SECTORS * SECTOR), changes, (WITNESS * SECTOR, SECTOR))
    repair(machine)
    return machine


def reads(machine: RawMachine, sectors: Mapping[int, bytes] | None = None, *, new: bool = False) -> Likeness:
    """How a disk reads that is as before, or as after, but for some sectors."""
    data = bytearray((machine.after if new else machine.before)["a.img"])
    for number, content in (sectors or {}).items():
        data[number * SECTOR : (number + 1) * SECTOR] = content
    return _reads(machine, bytes(data))


def _reads(machine: RawMachine, data: bytes) -> Likeness:
    path = machine.folder / "other"
    path.write_bytes(data)
    journal = read_stray(machine.journal().path, None)
    with DiskBytes(path) as disk:
        return likeness_of(journal, 0, disk)


def test_one_side_or_the_other(machine: RawMachine) -> None:
    assert reads(machine) is Likeness.OLD
    assert reads(machine, new=True) is Likeness.NEW
    for number, data in CHANGED.items():
        assert reads(machine, {number: data}) is Likeness.MIXED
    assert reads(machine, {5: noise(5, SECTOR)}) is Likeness.OLD, "no sector of the work"


def test_what_fits_neither(machine: RawMachine) -> None:
    other = noise(99, SECTOR)
    assert reads(machine, {3: other}) is Likeness.OTHER, "a clone that has run reads as before it in many places"
    assert reads(machine, {3: other, 10: bytes(SECTOR)}) is Likeness.OTHER, "zeros are on every disk"
    assert reads(machine, {3: other, 9: CHANGED[9]}) is Likeness.PARTLY
    assert reads(machine, {WITNESS: other}) is Likeness.OTHER
    assert reads(machine, {WITNESS: other}, new=True) is Likeness.PARTLY
    half_a_sector = CHANGED[3][:100] + machine.before["a.img"][3 * SECTOR + 100 : 4 * SECTOR]
    assert reads(machine, {3: half_a_sector}) is Likeness.OTHER


def test_another_disk(machine: RawMachine) -> None:
    data = machine.after["a.img"]
    assert _reads(machine, data + bytes(SECTOR)) is Likeness.OTHER
    assert _reads(machine, data[:-SECTOR]) is Likeness.OTHER
    assert _reads(machine, bytes(len(data))) is Likeness.OTHER


@given(st.sets(st.sampled_from(sorted(CHANGED))))
def test_any_sectors_may_have_arrived(machine: RawMachine, arrived: set[int]) -> None:
    expected = Likeness.MIXED if arrived else Likeness.OLD
    expected = Likeness.NEW if arrived == CHANGED.keys() else expected
    assert reads(machine, {number: CHANGED[number] for number in arrived}) is expected
