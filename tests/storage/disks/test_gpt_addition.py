"""A partition added to a GPT: sgdisk makes the disks and judges what comes of them."""

import struct
import uuid
import zlib
from pathlib import Path

import pytest
from tests.storage.disks.test_gpt import require_sound, write
from tests.storage.sample_disks import SparseDisk, sfdisk_json, sgdisk

from bootgraft.storage.disks.gpt import GPT_ENTRY
from bootgraft.storage.disks.gpt_addition import NewPartition, NoRoomError, WantedPartition, add_partition

MIB = 1 << 20
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


def wanted(size: int = 4, smallest: int = 2) -> WantedPartition:
    return WantedPartition(ESP, "EFI system partition", size * MIB, smallest * MIB)


def disk(folder: Path, *partitions: str, size: int = 16) -> SparseDisk:
    return sgdisk(folder / "disk", size * MIB, *(f"--new={each}" for each in partitions))


def place(added: NewPartition) -> tuple[int, int, int]:
    return added.slot, added.start // MIB, added.size // MIB


@pytest.mark.parametrize(
    ("partitions", "behind", "expected"),
    [
        (("1:8M:+2M",), 1, (2, 1, 4)),  # in front of Windows, in an entry behind it
        (("1:2M:+2M",), 1, (2, 4, 4)),
        (("2:2M:+2M", "3:4M:+1M"), 2, (4, 5, 4)),  # entry 1 is not taken
        (("1:2M:+2M", "2:7M:+1M", "4:10M:+5M"), 1, (3, 4, 3)),  # the largest where none is as large as wanted
        (("128:3M:+1M",), 3, (4, 4, 4)),
        (("5:3000:+1M",), 5, (6, 3, 4)),  # one that is not aligned
    ],
)
def test_where_it_comes_to_lie(
    partitions: tuple[str, ...], behind: int, expected: tuple[int, int, int], tmp_path: Path
) -> None:
    image = disk(tmp_path, *partitions)
    before = sfdisk_json(image.path)
    added = add_partition(image, behind, wanted())
    assert place(added) == expected
    write(image, added.edits)
    require_sound(image)
    after = sfdisk_json(image.path)
    new = [each for each in after["partitions"] if each not in before["partitions"]]
    assert [each for each in after["partitions"] if each in before["partitions"]] == before["partitions"]
    assert [(each["start"] * 512, each["size"] * 512, each["type"], each["uuid"]) for each in new] == [
        (added.start, added.size, ESP, added.guid)
    ]
    assert new[0]["name"] == "EFI system partition"
    assert new[0]["node"].endswith(str(added.slot))


def no_room(image: SparseDisk, behind: int = 1, **sizes: int) -> str:
    with pytest.raises(NoRoomError) as caught:
        add_partition(image, behind, wanted(**sizes))
    return str(caught.value)


def test_there_is_no_room(tmp_path: Path) -> None:
    assert "has 2 MiB of free space in one piece" in no_room(disk(tmp_path, "1:3M:+12M"), smallest=3)


def test_no_entry_behind_windows_is_free(tmp_path: Path) -> None:
    assert "no unused entry" in no_room(disk(tmp_path, "128:3M:+1M"), behind=128)


def test_a_disk_that_was_enlarged(tmp_path: Path) -> None:
    image = disk(tmp_path, "1:3M:+1M")
    with image.path.open("r+b") as file:
        file.truncate(32 * MIB)
    assert "sgdisk -e" in no_room(SparseDisk(image.path))


def test_copies_that_differ(tmp_path: Path) -> None:
    image = disk(tmp_path, "1:3M:+1M")
    old = image.read(image.size - 33 * 512, 33 * 512)
    newer = disk(tmp_path, "1:3M:+2M")
    newer.write(newer.size - 33 * 512, old)
    assert "backup says something else" in no_room(newer)


@pytest.mark.parametrize("field", [40, 48])
def test_a_table_that_gives_away_the_place_of_itself(field: int, tmp_path: Path) -> None:
    image = disk(tmp_path, "1:3M:+1M")
    for lba in (1, image.size // 512 - 1):
        head = bytearray(image.read(lba * 512, 512))
        struct.pack_into("<Q", head, field, 0 if field == 40 else (1 << 64) - 1)
        struct.pack_into("<I", head, 16, 0)
        struct.pack_into("<I", head, 16, zlib.crc32(head[:92]))
        image.write(lba * 512, bytes(head))
    assert "calls sectors usable in which it lies itself" in no_room(image)


def with_entry(image: SparseDisk, slot: int, entry: bytes) -> None:
    """Put an entry into both copies, whatever it says."""
    for lba in (1, image.size // 512 - 1):
        head = bytearray(image.read(lba * 512, 512))
        start, count = struct.unpack_from("<QI", head, 72)
        image.write(start * 512 + (slot - 1) * 128, entry)
        struct.pack_into("<I", head, 88, zlib.crc32(image.read(start * 512, count * 128)))
        struct.pack_into("<I", head, 16, 0)
        struct.pack_into("<I", head, 16, zlib.crc32(head[:92]))
        image.write(lba * 512, bytes(head))


def test_an_entry_that_ends_before_it_begins_is_not_written_over(tmp_path: Path) -> None:
    image = disk(tmp_path, "1:3M:+1M")
    with_entry(image, 2, GPT_ENTRY.pack(b"t" * 16, b"g" * 16, 9000, 8000, 0, b""))
    assert "an entry that is none" in no_room(image)


def test_a_guid_that_another_partition_has_is_not_given_again(tmp_path: Path) -> None:
    image = disk(tmp_path, "1:8M:+2M")
    first = add_partition(image, 1, wanted())
    with_entry(image, 3, GPT_ENTRY.pack(b"t" * 16, uuid.UUID(first.guid).bytes_le, 24000, 24100, 0, b""))
    second = add_partition(image, 1, wanted())
    assert place(second) == place(first)
    assert second.guid != first.guid
    write(image, second.edits)
    require_sound(image)
