"""Partition tables made by sfdisk and sgdisk, read by us and by them."""

import gzip
import itertools
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.sample_disks import MemoryDisk, SparseDisk, sfdisk, sfdisk_json, sgdisk

from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.disks.mbr import MAX_RECORDS
from bootgraft.storage.disks.partitions import (
    PartitionTable,
    TableKind,
    number_partitions,
    read_partition_table,
)

MIB = 1 << 20
TESTDATA = Path(__file__).parents[4] / "shared" / "testdata" / "disk-images"

# Types that Windows numbers though no drive letter goes with them: OEM, recovery, hidden, LDM, Linux, unknown.
ORDINARY_TYPES = ["7", "6", "b", "c", "e", "12", "de", "27", "16", "17", "42", "82", "83", "1", "39"]


def entry(flag: int, kind: int, start: int, sectors: int) -> bytes:
    return struct.pack("<B3xB3xII", flag, kind, start, sectors)


def record(*entries: bytes, signature: int = 0) -> bytes:
    table = b"".join(entries).ljust(64, b"\0")
    return struct.pack("<I", signature).rjust(0x1BC, b"\0") + b"\0\0" + table + b"\x55\xaa"


def disk_of(sectors: dict[int, bytes], *, count: int = 4096) -> MemoryDisk:
    data = bytearray(count * SECTOR)
    for number, content in sectors.items():
        data[number * SECTOR : number * SECTOR + len(content)] = content
    return MemoryDisk(data)


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """An sfdisk script: primaries in any slots and any order on the disk, at most one chain of logical ones."""
    places = draw(st.permutations(range(8)))
    slots = draw(st.lists(st.integers(1, 4), unique=True, min_size=1, max_size=4))
    extended = draw(st.sampled_from([None, *slots]))
    lines = ["label: dos", f"label-id: 0x{draw(st.integers(1, 2**32 - 1)):08x}", "unit: sectors"]
    for slot, place in zip(slots, places, strict=False):
        start = 2048 + place * 32768
        if slot == extended:
            lines.append(f"{slot} : start={start}, size=32768, type={draw(st.sampled_from(['5', 'f']))}")
            continue
        size = draw(st.integers(1, 32768))
        active = ", bootable" if draw(st.booleans()) else ""
        lines.append(f"{slot} : start={start}, size={size}, type={draw(st.sampled_from(ORDINARY_TYPES))}{active}")
    if extended is not None:
        base = 2048 + places[slots.index(extended)] * 32768
        order = draw(st.permutations(range(draw(st.integers(0, 6)))))
        for number, position in enumerate(order, start=5):
            start = base + 2048 + position * 4096
            kind = draw(st.sampled_from(ORDINARY_TYPES))
            lines.append(f"{number} : start={start}, size={draw(st.integers(1, 2048))}, type={kind}")
    return "\n".join(lines) + "\n"


def node_number(node: dict[str, Any]) -> int:
    """The number at the end of sfdisk's node name: 1 to 4 the slot, from 5 on the place in the chain."""
    return int("".join(itertools.takewhile(str.isdigit, reversed(node["node"])))[::-1])


@settings(max_examples=60, deadline=None)
@given(layouts())
def test_random_layouts_read_as_sfdisk_reads_them(script: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        disk = sfdisk(Path(folder) / "disk-", 140 * MIB, script)
        theirs = sfdisk_json(disk.path)
        table = read_partition_table(disk)
    nodes = sorted(theirs.get("partitions", []), key=node_number)
    assert table.kind is TableKind.MBR
    assert table.signature == int(theirs["id"], 16)
    assert table.problems == ()
    assert [(p.slot, p.start, p.size, p.type, p.active) for p in table.partitions] == [
        (
            node_number(node),
            node["start"] * SECTOR,
            node["size"] * SECTOR,
            f"0x{int(node['type'], 16):02X}",
            node.get("bootable", False),
        )
        for node in nodes
    ]
    numbered = [node_number(node) for node in nodes if node["type"] not in ("5", "f")]
    assert number_partitions(table) == {slot: number for number, slot in enumerate(numbered, start=1)}


def test_logical_partitions_in_a_chain_that_does_not_follow_the_disk(tmp_path: Path) -> None:
    script = """label: dos
    1 : start=2048, size=2048, type=7
    4 : start=8192, size=40960, type=5
    5 : start=30720, size=2048, type=7
    6 : start=10240, size=2048, type=b
    """
    table = read_partition_table(sfdisk(tmp_path / "disk", 32 * MIB, script))
    assert [(p.slot, p.start // SECTOR, p.logical, p.is_container) for p in table.partitions] == [
        (1, 2048, False, False),
        (4, 8192, False, True),
        (5, 30720, True, False),
        (6, 10240, True, False),
    ]
    assert number_partitions(table) == {1: 1, 5: 2, 6: 3}


def test_an_empty_extended_partition_is_no_problem(tmp_path: Path) -> None:
    table = read_partition_table(sfdisk(tmp_path / "disk", 32 * MIB, "label: dos\n1 : start=2048, type=f\n"))
    assert table.problems == ()
    assert [p.slot for p in table.partitions] == [1]
    assert number_partitions(table) == {}


def test_type_85_is_an_ordinary_partition_to_windows() -> None:
    disk = disk_of({0: record(entry(0, 0x85, 64, 100), entry(0x80, 7, 200, 100)), 64: record(entry(0, 7, 1, 50))})
    table = read_partition_table(disk)
    assert number_partitions(table) == {1: 1, 2: 2}
    assert [p.slot for p in table.partitions] == [1, 2]


def test_every_ordinary_entry_of_an_extended_record_counts() -> None:
    chain = {
        0: record(entry(0x80, 7, 1, 10), entry(0, 0x0F, 100, 1000)),
        100: record(entry(0, 7, 1, 10), entry(0, 7, 20, 10), entry(0, 0x05, 200, 100)),
        300: record(b"".ljust(16, b"\0"), entry(0, 6, 1, 10)),
    }
    table = read_partition_table(disk_of(chain))
    assert [(p.slot, p.start // SECTOR) for p in table.partitions if p.logical] == [(5, 101), (6, 120), (7, 301)]
    assert number_partitions(table) == {1: 1, 5: 2, 6: 3, 7: 4}


@pytest.mark.parametrize(
    ("sectors", "problem"),
    [
        (
            {0: record(entry(0, 5, 100, 1000)), 100: record(entry(0, 7, 1, 9), entry(0, 5, 0, 9))},
            "links back to sector 100: a loop",
        ),
        (
            {0: record(entry(0, 5, 100, 1000)), 100: record(entry(0, 5, 50, 9)), 150: record(entry(0, 5, 50, 9))},
            "links back to sector 150: a loop",
        ),
        ({0: record(entry(0, 5, 9999, 10))}, "lies beyond the end of the disk"),
        ({0: record(entry(0, 5, 100, 1000)), 100: record(entry(0, 5, 50, 9))}, None),
        ({0: record(entry(0, 5, 100, 1000)), 100: b"text"}, "lacks its 55 AA"),
        (
            {
                0: record(entry(0, 5, 100, 1000)),
                100: record(entry(0, 5, 50, 9), entry(0, 5, 60, 9)),
                150: record(),
            },
            "has 2 links; one is allowed",
        ),
        (
            {0: record(entry(0, 5, 100, 100), entry(0, 15, 300, 100)), 100: record(), 300: record()},
            "partitions 1 and 2 are both extended",
        ),
        ({0: record(entry(0x90, 7, 100, 100))}, "has the flag 0x90"),
        ({0: record(entry(0, 7, 100, 0))}, "has no sectors"),
        ({0: record(entry(0, 7, 100, 100), entry(0, 7, 199, 100))}, "partitions 1 and 2 overlap"),
        ({0: record(entry(0, 7, 100, 1000), entry(0, 7, 200, 10), entry(0, 7, 1099, 9))}, "partitions 1 and 3 overlap"),
        ({0: record(entry(0, 7, 4000, 97))}, "partition 1 (type 0x07) ends at byte 2097664, beyond the end"),
        ({0: record(entry(0, 0xEE, 1, 4095))}, "announces a GPT (type 0xEE), but"),
    ],
)
def test_faults_are_listed_as_problems(sectors: dict[int, bytes], problem: str | None) -> None:
    problems = read_partition_table(disk_of(sectors)).problems
    expected = problem or "lacks its 55 AA"
    if problem is None:  # a link into nothing but zeros is a fault; only the first record may be empty
        assert len(problems) == 1
    assert any(expected in each for each in problems), problems


def test_a_chain_without_end_is_given_up() -> None:
    sectors = {0: record(entry(0, 5, 10, 4000))}
    for number in range(1000):
        sectors[10 + number] = record(entry(0, 5, number + 1, 1))
    disk = disk_of(sectors)
    table = read_partition_table(disk)
    assert any("longer than" in problem for problem in table.problems)
    assert disk.reads <= MAX_RECORDS + 1


@pytest.mark.parametrize(
    ("sectors", "problem"),
    [
        ({}, "only zeros"),
        ({0: b"Not a disk"}, "lacks the 55 AA"),
        ({1: b"EFI PART"}, "protective MBR"),
        ({0: b"\xeb\x52\x90NTFS    ".ljust(510, b"\0") + b"\x55\xaa"}, "file system's boot sector"),
    ],
)
def test_no_table_gives_one_problem(sectors: dict[int, bytes], problem: str) -> None:
    table = read_partition_table(disk_of(sectors))
    assert (table.kind, table.partitions, table.signature) == (TableKind.NONE, (), None)
    (only,) = table.problems
    assert problem in only


@pytest.mark.parametrize("size", [0, 1, 511])
def test_a_disk_smaller_than_a_sector_has_no_table(size: int) -> None:
    assert read_partition_table(MemoryDisk(bytearray(size))).kind is TableKind.NONE


@pytest.mark.parametrize("command", [["mkfs.fat", "-F", "16"], ["mkfs.fat", "-F", "32"], ["mkntfs", "-Q", "-F", "-q"]])
def test_a_volume_without_a_table_is_told_from_an_mbr(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "volume"
    with path.open("wb") as file:
        file.truncate(40 * MIB)
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    table = read_partition_table(SparseDisk(path))
    assert table.kind is TableKind.NONE
    assert "file system's boot sector" in table.problems[0]


@pytest.mark.parametrize("name", ["ntfs-vbr-2003.bin", "ntfs-vbr-10.bin", "w7-mbr-en-BOOTSECT.BAK"])
def test_boot_sectors_written_by_windows_are_no_table(name: str) -> None:
    path = TESTDATA / "boot-sectors" / name
    if not path.exists():
        pytest.skip(f"no shared test data: {name}")
    assert read_partition_table(MemoryDisk(bytearray(path.read_bytes()))).kind is TableKind.NONE


def gpt_disk(path: Path) -> SparseDisk:
    return sgdisk(
        path,
        64 * MIB,
        *("--new=1:2048:+8M", "--typecode=1:EF00", "--new=3:40960:+1M", "--typecode=3:0C01"),
        *("--new=7:65536:+16M", "--typecode=7:0700", "--change-name=7:Basic data partition"),
    )


def as_sfdisk_sees(table: PartitionTable) -> list[tuple[int, int, str, str | None]]:
    return [(p.start // SECTOR, p.size // SECTOR, p.type, p.guid) for p in table.partitions]


def test_gpt_reads_as_sfdisk_reads_it(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk")
    theirs = sfdisk_json(disk.path)
    table = read_partition_table(disk)
    assert (table.kind, table.signature, table.sector_size, table.problems) == (TableKind.GPT, None, 512, ())
    assert table.disk_guid == theirs["id"]
    nodes = theirs["partitions"]
    assert as_sfdisk_sees(table) == [(n["start"], n["size"], n["type"], n["uuid"]) for n in nodes]
    assert [p.slot for p in table.partitions] == [1, 3, 7]
    assert number_partitions(table) == {}


@pytest.mark.parametrize(
    ("offset", "problem"),
    [(SECTOR, "has no header"), (SECTOR + 56, "header whose checksum"), (2 * SECTOR + 32, "array whose checksum")],
)
def test_a_damaged_primary_gpt_gives_way_to_the_backup(tmp_path: Path, offset: int, problem: str) -> None:
    disk = gpt_disk(tmp_path / "disk")
    whole = as_sfdisk_sees(read_partition_table(disk))
    disk.write(offset, b"\xff" * 4)
    table = read_partition_table(disk)
    assert as_sfdisk_sees(table) == whole
    assert any(problem in each and "its backup was used" in each for each in table.problems)


def test_a_gpt_cut_short_names_what_is_missing(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk")
    with disk.path.open("r+b") as file:
        file.truncate(40 * MIB)
    table = read_partition_table(disk)
    assert table.kind is TableKind.GPT
    assert any("backup GPT" in each for each in table.problems)
    assert any("partition 7" in each and "beyond the end of the disk" in each for each in table.problems)


def test_both_gpt_copies_damaged_leave_the_mbr(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk")
    disk.write(SECTOR, bytes(SECTOR))
    disk.write(disk.size - SECTOR, bytes(SECTOR))
    table = read_partition_table(disk)
    assert table.kind is TableKind.MBR
    assert [p.type for p in table.partitions] == ["0xEE"]
    assert "announces a GPT" in table.problems[0]


def test_a_hybrid_mbr_is_noted(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk")
    subprocess.run(["sgdisk", "--hybrid=7", str(disk.path)], check=True, capture_output=True)
    table = read_partition_table(disk)
    assert table.kind is TableKind.GPT
    assert any("hybrid MBR" in each for each in table.problems)


@pytest.mark.parametrize(("name", "sector_size"), [("gpt.bin", 512), ("gpt_4k.bin", 4096), ("gpt_hybrid.bin", 512)])
def test_real_gpt_headers(name: str, sector_size: int) -> None:
    path = TESTDATA / "partition-tables" / "dissect" / name
    if not path.exists():
        pytest.skip(f"no shared test data: {name}")
    table = read_partition_table(MemoryDisk(bytearray(path.read_bytes())))  # the first 32 KiB of a disk
    assert (table.kind, table.sector_size) == (TableKind.GPT, sector_size)
    assert table.partitions


def test_a_whole_real_gpt_disk(tmp_path: Path) -> None:
    path = TESTDATA / "partition-tables" / "gpt-512-3p.raw.gz"
    if not path.exists():
        pytest.skip("no shared test data: gpt-512-3p.raw.gz")
    raw = tmp_path / "disk"
    raw.write_bytes(gzip.decompress(path.read_bytes()))
    nodes = sfdisk_json(raw)["partitions"]
    table = read_partition_table(SparseDisk(raw))
    assert as_sfdisk_sees(table) == [(n["start"], n["size"], n["type"], n["uuid"]) for n in nodes]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 67 * SECTOR - 1), st.integers(0, 255)), max_size=24), st.booleans())
def test_mutated_tables_never_fail(changes: list[tuple[int, int]], is_gpt: bool) -> None:
    disk = disk_of(_MUTATED_GPT if is_gpt else _MUTATED_MBR, count=68)
    for offset, byte in changes:
        disk.data[offset] = byte
    table = read_partition_table(disk)
    assert set(number_partitions(table)) <= {p.slot for p in table.partitions}
    assert disk.reads < 1000


_MUTATED_MBR = {
    0: record(entry(0x80, 7, 1, 4), entry(0, 15, 10, 50)),
    10: record(entry(0, 7, 1, 2), entry(0, 5, 8, 9)),
    18: record(entry(0, 7, 1, 2), entry(0, 5, 16, 9)),
    26: record(entry(0, 7, 1, 2)),
}


def _small_gpt() -> dict[int, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        disk = sgdisk(Path(folder) / "disk", 1 * MIB, "--set-alignment=1", "--new=1:40:50", "--new=2:60:70")
        return {0: disk.read(0, 67 * SECTOR)}


_MUTATED_GPT = _small_gpt()


def test_a_table_that_was_made_for_larger_sectors() -> None:
    """Numbers of 4096-byte sectors, read as of 512: the file system lies eight times as far away."""
    boot = b"\xeb\x52\x90NTFS    " + struct.pack("<H", 4096)
    numbers = record(entry(0x80, 7, 16, 64))
    (problem,) = read_partition_table(disk_of({0: numbers, 128: boot})).problems
    assert problem.startswith(
        "the table counts sectors of 4096 bytes: the file system of partition 1 begins at byte 65536,"
    )
    for sectors in (
        {0: numbers},
        {0: numbers, 16: boot},  # it begins where the table says
        {0: numbers, 128: boot[:-2] + b"\0\2"},  # a copy of a volume that was made for 512
        {0: record(entry(0x80, 7, 600, 64)), 128: boot},  # eight times as far is beyond the disk
    ):
        assert read_partition_table(disk_of(sectors)).problems == ()
