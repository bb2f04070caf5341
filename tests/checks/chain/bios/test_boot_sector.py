"""What a BIOS reads before any file: found on the active partition alone, repaired where one partition can be meant."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.boot.test_chain import entry, loader, menu, path
from tests.checks.chain.bios.faults import find_faults, sectors_of
from tests.checks.chain.bios.sectors import boot_sector_bytes
from tests.fakes import FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.checks.chain.bios import boot_sector
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine

LOADER = loader(menu(path(0, 1), entry(0, 1)))
DATA = volume_of("\\accounts.mdb")
BOOTMGR = volume_of("\\bootmgr", "\\Boot\\BCD")
UNREADABLE = FakeFileSystem({}, kind=FileSystemKind.BITLOCKER)


def started(*partitions: FakePartition, code: bytes = b"\xfa") -> Machine:
    """A machine whose MBR has boot code."""
    machine = machine_of(partitions)
    machine.disks[0].device.write(0, code)
    return machine


def kinds(machine: Machine) -> list[str]:
    return [fault.id for fault in find_faults(machine)]


def test_machines_without_an_mbr_have_no_such_faults() -> None:
    assert find_faults(Machine(())) == ()
    assert find_faults(machine_of([])) == ()


def test_boot_code_that_is_not_windows_own_is_not_judged() -> None:
    other = boot_sector_bytes(hidden=99, heads=1).replace("NTLDR".encode("utf-16-le"), b"GRUB " * 2)
    assert find_faults(started(FakePartition(LOADER, active=True, boot_sector=other))) == ()


def test_the_geometry_is_a_matter_of_ntldr_alone() -> None:
    sector = boot_sector_bytes(heads=240).replace("NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le"))[:8192]
    assert kinds(started(FakePartition(BOOTMGR, active=True, boot_sector=sector))) == [boot_sector.COPY]


@pytest.mark.parametrize("broken", [0, 0x50])
def test_a_copy_that_is_another_volumes_is_left_alone(broken: int) -> None:
    sector = bytearray(boot_sector_bytes(hidden=63))
    struct.pack_into("<Q", sector, 0x28, 15 + broken)
    *copy, fault = find_faults(started(FakePartition(LOADER, active=True, boot_sector=bytes(sector))))
    assert [each.id for each in copy] == ([boot_sector.COPY] if broken else [])
    assert [change.offset for change in sectors_of(fault)] == [
        8192 + 0x1C,
        *([] if broken else [8192 + 15 * 512 + 0x1C]),
    ]


@pytest.mark.parametrize(
    ("volumes", "slot"),
    [
        ([LOADER, DATA], 1),
        ([DATA, LOADER], 2),
        ([DATA, BOOTMGR, DATA], 2),
        ([LOADER, BOOTMGR], None),
        ([LOADER, UNREADABLE], None),
        ([DATA, DATA], None),
    ],
)
def test_the_one_partition_that_can_be_active(volumes: list[FakeFileSystem], slot: int | None) -> None:
    faults = find_faults(started(*(FakePartition(each) for each in volumes)))
    if slot is None:
        assert faults == ()
    else:
        (fault,) = faults
        assert [(each.offset, each.data) for each in sectors_of(fault)] == [(446 + 16 * (slot - 1), b"\x80")]


def test_a_logical_partition_cannot_be_active() -> None:
    assert find_faults(started(FakePartition(DATA), FakePartition(None, 5), FakePartition(LOADER, logical=True))) == ()


@settings(max_examples=100, deadline=None)
@given(sector=st.binary(max_size=600), at=st.integers(0, 8100), kind=st.sampled_from(list(FileSystemKind)))
def test_any_boot_sector_is_judged_and_what_is_written_stays_in_its_partition(
    sector: bytes, at: int, kind: FileSystemKind
) -> None:
    content = bytearray(boot_sector_bytes(hidden=5, heads=7))
    content[at : at + len(sector)] = sector
    volume = FakeFileSystem(dict(LOADER.files), kind=kind)
    for fault in find_faults(started(FakePartition(volume, active=True, boot_sector=bytes(content[:8192])))):
        for change in sectors_of(fault):
            assert 8192 <= change.offset <= 16384 - len(change.data)
            assert len(change.data) == len(change.before) == 4
