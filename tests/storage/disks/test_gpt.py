"""Attributes of a GPT entry, read and cleared; sgdisk and sfdisk are the judges."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.sample_disks import SparseDisk, sfdisk_json, sgdisk

from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.gpt_edit import GptEdit, clear_attributes, close_gaps
from bootgraft.storage.disks.partitions import read_partition_table

MIB = 1 << 20
BITS = 1 << 60 | 1 << 62 | 1 << 63


def disk_with(folder: Path, bits: int) -> SparseDisk:
    """Three partitions, the second in slot 4, with these attribute bits on it and the first bit on the first."""
    attributes = [f"--attributes=4:set:{bit}" for bit in range(64) if bits & 1 << bit]
    return sgdisk(
        folder / "disk", 8 * MIB, "--new=1:2048:+1M", "--new=4:4096:+1M", "--new=6:8192:+1M", "--attributes=1:set:60",
        *attributes,
    )  # fmt: skip


def attributes_by_sgdisk(disk: SparseDisk, slot: int) -> int:
    text = subprocess.run(
        ["sgdisk", f"--info={slot}", str(disk.path)], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"Attribute flags: ([0-9A-F]{16})", text)
    assert found is not None
    return int(found[1], 16)


def require_sound(disk: SparseDisk) -> None:
    text = subprocess.run(["sgdisk", "--verify", str(disk.path)], check=True, capture_output=True, text=True).stdout
    assert "No problems found" in text, text


def write(disk: SparseDisk, edits: tuple[GptEdit, ...]) -> None:
    for edit in edits:
        assert disk.read(edit.offset, len(edit.before)) == edit.before
        disk.write(edit.offset, edit.data)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**64 - 1).map(lambda bits: bits & ~0b111))
def test_bits_are_read_and_cleared_in_both_copies(bits: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        disk = disk_with(Path(folder), bits)
        before = sfdisk_json(disk.path)
        (found,) = [each for each in read_partition_table(disk).partitions if each.slot == 4]
        assert found.attributes == bits == attributes_by_sgdisk(disk, 4)
        edits = clear_attributes(disk, 4, BITS)
        assert len(edits) == (6 if bits & BITS else 0)
        write(disk, edits)
        require_sound(disk)
        assert attributes_by_sgdisk(disk, 4) == bits & ~BITS
        assert attributes_by_sgdisk(disk, 1) == 1 << 60
        table = read_partition_table(disk)
        assert (table.problems, table.partitions[1].attributes) == ((), bits & ~BITS)
        after = sfdisk_json(disk.path)
        for each in (*before["partitions"], *after["partitions"]):
            each.pop("attrs", None)
        assert before == after


def test_each_copy_alone_says_it_too(tmp_path: Path) -> None:
    """Wiping either header afterwards leaves the other copy, which must be as right."""
    for name, place in (("primary", SECTOR), ("backup", 8 * MIB - SECTOR)):
        folder = tmp_path / name
        folder.mkdir()
        disk = disk_with(folder, BITS)
        write(disk, clear_attributes(disk, 4, BITS))
        disk.write(place, bytes(SECTOR))
        assert read_partition_table(disk).partitions[1].attributes == 0


@pytest.mark.parametrize("place", [SECTOR + 20, 8 * MIB - SECTOR + 20])
def test_a_damaged_copy_is_left_as_it_is(place: int, tmp_path: Path) -> None:
    disk = disk_with(tmp_path, BITS)
    disk.write(place, b"\xff")
    edits = clear_attributes(disk, 4, BITS)
    assert len(edits) == 3
    assert all(("backup" in edit.what) is (place == SECTOR + 20) for edit in edits)


def test_a_slot_that_is_not_there(tmp_path: Path) -> None:
    assert clear_attributes(disk_with(tmp_path, BITS), 999, BITS) == ()


def test_a_stale_copy_is_left_as_it_is(tmp_path: Path) -> None:
    """A backup that some program did not keep up to date may have another partition in that slot."""
    (tmp_path / "old").mkdir()
    old = sgdisk(tmp_path / "old" / "disk", 8 * MIB, "--new=4:12288:+1M", "--attributes=4:set:62")
    disk = disk_with(tmp_path, BITS)
    backup = 33 * SECTOR  # the entries and the header
    disk.write(disk.size - backup, old.read(old.size - backup, backup))
    edits = clear_attributes(disk, 4, BITS)
    assert len(edits) == 3
    assert all("primary" in edit.what for edit in edits)


def slots(disk: SparseDisk) -> dict[str, int]:
    """The slot of each partition, by its GUID."""
    return {str(each.guid): each.slot for each in read_partition_table(disk).partitions}


def test_gaps_before_a_partition_are_closed(tmp_path: Path) -> None:
    disk = disk_with(tmp_path, 0)
    before = sfdisk_json(disk.path)
    first, second, third = slots(disk)
    edits = close_gaps(disk, 4)
    assert len(edits) == 6
    write(disk, edits)
    require_sound(disk)
    assert slots(disk) == {first: 1, second: 2, third: 6}  # what lies behind keeps its number
    assert read_partition_table(disk).problems == ()
    after = sfdisk_json(disk.path)
    for each in (*before["partitions"], *after["partitions"]):
        del each["node"]
    assert before == after
    assert close_gaps(disk, 2) == ()


def test_each_copy_alone_has_no_gap_either(tmp_path: Path) -> None:
    for name, place in (("primary", SECTOR), ("backup", 8 * MIB - SECTOR)):
        (tmp_path / name).mkdir()
        disk = disk_with(tmp_path / name, 0)
        write(disk, close_gaps(disk, 6))
        disk.write(place, bytes(SECTOR))
        assert sorted(slots(disk).values()) == [1, 2, 3]


def test_one_edit_after_the_other_is_of_the_same_stretches(tmp_path: Path) -> None:
    """So a repair that makes both is written, and proven, as one."""
    disk = disk_with(tmp_path, BITS)
    cleared = clear_attributes(disk, 4, BITS)
    write(disk, cleared)
    closed = close_gaps(disk, 4)
    assert [(each.offset, len(each.data)) for each in cleared] == [(each.offset, len(each.data)) for each in closed]
