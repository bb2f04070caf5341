"""Dynamic disks: what each partition is part of; a damaged database says nothing and stops nothing."""

import json
import random
import shutil
from pathlib import Path

import pytest
from tests.machines.tools import run
from tests.storage.ldm_disk import DATABASE, GROUP, Extent, Group, Plex, write_ldm
from tests.storage.sample_disks import MemoryDisk

from bootgraft.storage.disks.ldm import LdmKind, read_database
from bootgraft.storage.disks.partitions import Partition, read_partition_table

FIRST, SECOND = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"
SECTORS = 16384
ONE, OTHER = Extent(1, 0, 2048), Extent(2, 0, 2048)
GROUPS = {
    LdmKind.SIMPLE: Group((FIRST,), (("Volume1", (Plex(2, (ONE,)),)),)),
    LdmKind.SPANNED: Group((FIRST, SECOND), (("Volume1", (Plex(2, (ONE, OTHER)),)),)),
    LdmKind.STRIPED: Group((FIRST, SECOND), (("Stripe1", (Plex(1, (ONE, OTHER)),)),)),
    LdmKind.MIRRORED: Group((FIRST, SECOND), (("Volume1", (Plex(2, (ONE,)), Plex(2, (OTHER,)))),)),
    LdmKind.RAID5: Group((FIRST, SECOND), (("Raid1", (Plex(3, (ONE, OTHER, Extent(2, 4096, 2048))),)),)),
}


def disk(group: Group, number: int = 1) -> bytearray:
    """An image with one 0x42 partition that begins the data area."""
    image = bytearray(SECTORS * 512)
    image[0x1BE : 0x1BE + 16] = b"\0\0\0\0\x42\0\0\0" + (63).to_bytes(4, "little") + (2048).to_bytes(4, "little")
    image[510:512] = b"\x55\xaa"
    write_ldm(image, group, number)
    return image


def partition(image: bytearray) -> Partition:
    return read_partition_table(MemoryDisk(bytearray(image))).partitions[0]


@pytest.mark.parametrize("kind", GROUPS)
def test_a_partition_is_known_by_the_volume_that_begins_there(kind: LdmKind) -> None:
    group = GROUPS[kind]
    image = disk(group)
    database = read_database(MemoryDisk(bytearray(image)))
    assert database is not None
    found = database.volume_at(partition(image))
    assert found is not None
    assert (found.name, found.kind, found.disks) == (group.volumes[0][0], kind, group.disks)


@pytest.mark.skipif(shutil.which("ldmtool") is None, reason="ldmtool is not installed")
@pytest.mark.parametrize("kind", GROUPS)
def test_the_disks_made_here_are_what_ldmtool_takes_for_dynamic_disks(kind: LdmKind, tmp_path: Path) -> None:
    images = []
    for number in range(1, len(GROUPS[kind].disks) + 1):
        images.append(tmp_path / f"disk{number}")
        images[-1].write_bytes(disk(GROUPS[kind], number))
    name = GROUPS[kind].volumes[0][0]
    devices = [word for image in images for word in ("-d", image)]
    shown = json.loads(run("ldmtool", *devices, "show", "volume", GROUP, name))
    assert shown["type"].lower() == kind.value.lower().replace("-", "")
    assert len(shown["partitions"]) == sum(len(plex.extents) for plex in GROUPS[kind].volumes[0][1])


def test_a_partition_that_no_volume_begins_at_is_unknown() -> None:
    group = Group((FIRST,), (("Volume1", (Plex(2, (Extent(1, 100, 200),)),)),))
    image = disk(group)
    database = read_database(MemoryDisk(bytearray(image)))
    assert database is not None
    assert database.volume_at(partition(image)) is None


def test_a_basic_disk_has_no_database() -> None:
    assert read_database(MemoryDisk(bytearray(8192))) is None


def test_a_damaged_database_says_nothing_or_something_and_never_fails() -> None:
    good = disk(GROUPS[LdmKind.MIRRORED])
    start = (SECTORS - DATABASE + 17) * 512
    dice = random.Random(42)
    for _ in range(300):
        image = bytearray(good)
        for _ in range(8):
            at = dice.choice((6 * 512 + dice.randrange(512), start + dice.randrange(2048)))
            image[at] = dice.randrange(256)
        database = read_database(MemoryDisk(bytearray(image)))
        if database is not None:
            database.volume_at(partition(good))
