"""What is read before names are judged: from sector 0, boot sectors, MountedDevices and SOFTWARE."""

import struct
from pathlib import Path

from tests.fakes import SIGNATURE, FakePartition, machine_of, volume_of
from tests.memory_windows import memory_windows

from bootgraft.boot.chain import BootChain
from bootgraft.checks.identity.identity_facts import gather
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.mounted_devices import mbr_identity

NO_CHAIN = BootChain((), None, ())


def sector(hidden: int) -> bytes:
    data = bytearray(512)
    data[3:11] = b"NTFS    "
    struct.pack_into("<I", data, 0x1C, hidden)
    return bytes(data)


def test_volumes_without_a_windows() -> None:
    machine = machine_of(
        [
            FakePartition(volume_of("\\a"), active=True, boot_sector=sector(63)),
            FakePartition(volume_of("\\b"), logical=True, boot_sector=sector(63)),
            FakePartition(type=0x05),
            FakePartition(type=0x42),
            FakePartition(),
        ],
        [FakePartition(type=0xEE)],
    )
    facts = gather(machine, NO_CHAIN, None, None)
    assert facts.windows is None
    first, logical, dynamic, blank = facts.volumes
    assert (first.known_as, first.hidden, first.active) == (mbr_identity(SIGNATURE, first.start), 63, True)
    assert (logical.hidden, logical.logical) == (None, True), "it counts from the extended partition there"
    assert (dynamic.known_as, dynamic.has_filesystem) == (None, False)
    assert blank.has_filesystem is False
    assert [(disk.name, disk.kind, disk.signature) for disk in facts.disks] == [
        ("disk 0", TableKind.MBR, SIGNATURE), ("disk 1", TableKind.MBR, SIGNATURE),
    ]  # fmt: skip


def test_a_file_system_in_a_partition_of_the_protective_type() -> None:
    """An old Windows goes by the number alone: where there is no GPT behind it, it may lie there."""
    machine = machine_of([FakePartition(volume_of("\\a"), type=0xEE, active=True, boot_sector=sector(63))])
    (found,) = gather(machine, NO_CHAIN, None, None).volumes
    assert found.known_as == mbr_identity(SIGNATURE, found.start)


def test_the_sum_of_sector_0() -> None:
    machine = machine_of([FakePartition()], [FakePartition()])
    machine.disks[1].device.write(4, b"\x01\0\0\0\xff\xff\xff\xff")
    first, second = gather(machine, NO_CHAIN, None, None).disks
    assert first.sector_sum == second.sector_sum == 0, "modulo 2**32, as the kernel adds"


def test_a_windows(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache)
    facts = gather(windows.machine, NO_CHAIN, windows.installation, windows.hive)
    assert facts.windows is not None
    assert (facts.windows.letter, facts.windows.mounted, facts.windows.is_nt5) == ("D:", (), True)
    assert facts.windows.volume is facts.volumes[0]
    assert str(facts.windows.hive) == "disk 0 partition 1: \\WINDOWS\\system32\\config\\SYSTEM"


def test_a_windows_whose_software_cannot_be_read(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache)
    path = next(each for each in windows.filesystem.files if each.lower().endswith("software"))
    windows.filesystem.files[path] = b"no hive"
    windows = windows.reread()
    facts = gather(windows.machine, NO_CHAIN, windows.installation, windows.hive)
    assert facts.windows is not None
    assert (facts.windows.letter, facts.windows.own_letters) == (None, ())
