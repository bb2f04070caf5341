r"""Boot code from elsewhere: only code, only of the same file system and loader, never a parameter block."""

import struct
from pathlib import Path

import pytest
from tests.checks.chain.bios.faults import find_faults, sectors_of
from tests.checks.chain.bios.sectors import boot_sector_bytes
from tests.fakes import FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.boot.bios import bootcode, syslinux_mbr
from bootgraft.boot.bios.bootcode import BootCode
from bootgraft.boot.bios.loaders import Loader
from bootgraft.checks.chain.bios import boot_code, boot_sector, mbr_code
from bootgraft.checks.finding import Finding
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Machine

MICROSOFT = bytes.fromhex("33c08ed0bc007cfb")
BLOCK = {FileSystemKind.NTFS: 0x54, FileSystemKind.FAT32: 0x5A, FileSystemKind.FAT16: 0x3E}
DUMMY = b"\x0e\x1fThis is not a bootable disk.  Please insert a bootable floppy and\r\npress any key"


def fat(kind: FileSystemKind, *, loader: bytes = b"NTLDR      ", code: bytes = b"\xfa\xf4", hidden: int = 16) -> bytes:
    """A FAT volume's first 16 sectors: block, code, the loader's name and, on FAT32, the second sector of code."""
    sector = bytearray(512)
    sector[:3] = b"\xeb\x58\x90"
    struct.pack_into("<HBH", sector, 0x0B, 512, 1, 15)
    struct.pack_into("<HHI", sector, 0x18, 63, 255, hidden)
    sector[BLOCK[kind] : BLOCK[kind] + len(code)] = code
    sector[0x1E0 : 0x1E0 + len(loader)] = loader
    sector[0x1FE:] = b"\x55\xaa"
    second = b"second sector of code".ljust(512, b"\0") if kind is FileSystemKind.FAT32 and loader else bytes(512)
    return bytes(sector) + bytes(11 * 512) + second + bytes(3 * 512)


def volume(kind: FileSystemKind, *files: str) -> FakeFileSystem:
    return FakeFileSystem(dict.fromkeys(files, b""), kind=kind)


def machine(*partitions: FakePartition, code: bytes = MICROSOFT) -> Machine:
    built = machine_of(partitions)
    built.disks[0].device.write(0, code)
    return built


def fixed(built: Machine, given: tuple[BootCode, ...] = ()) -> tuple[Finding, bytes]:
    """The one fault of boot code, and the active partition once its changes are made."""
    wanted = (boot_code.NO_BOOT_CODE, boot_code.WRONG_LOADER, mbr_code.ID)
    (fault,) = (each for each in find_faults(built, lambda: given) if each.id in wanted)
    disk = built.disks[0]
    for change in sectors_of(fault):
        assert disk.device.read(change.offset, len(change.before)) == change.before
        disk.device.write(change.offset, change.data)
    return fault, disk.device.read(8192, 8192)


def ntfs(*, hidden: int = 16, **other: int) -> bytes:
    return boot_sector_bytes(hidden=hidden, **other)


def of_bootmgr(sectors: bytes) -> bytes:
    return sectors.replace("NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le"))[: len(sectors)]


def test_ntfs_code_of_another_volume_of_the_machine() -> None:
    first = FakePartition(volume(FileSystemKind.NTFS, "\\ntldr"), active=True, boot_sector=of_bootmgr(ntfs()))
    other = FakePartition(volume(FileSystemKind.NTFS), boot_sector=ntfs(hidden=99, heads=16))
    fault, now = fixed(machine(first, other))
    assert fault.id == boot_code.WRONG_LOADER
    assert "disk 0 partition 2" in fault.evidence[-1]
    assert now[3:0x54] == ntfs()[3:0x54], "the parameter block is its own"
    assert now[:3] + now[0x54:] == other.boot_sector[:3] + other.boot_sector[0x54:]


def test_the_first_sector_of_ntfs_comes_back_from_its_copy() -> None:
    good = bytearray(ntfs())
    for place in (0, 15 * 512):
        good[place + 0x60 : place + 0x70] = b"NTLDR is missing"
    spoilt = bytearray(good)
    spoilt[0x54:0x1FE] = bytes(0x1FE - 0x54)
    built = machine(FakePartition(volume(FileSystemKind.NTFS, "\\ntldr"), active=True, boot_sector=bytes(spoilt)))
    fault, now = fixed(built)
    assert fault.id == boot_code.NO_BOOT_CODE
    assert "the copy of the boot sector at sector 15" in fault.evidence[-1]
    assert now == good


def test_a_copy_of_another_family_than_the_rest_of_the_code_is_not_taken() -> None:
    spoilt = bytearray(ntfs())
    spoilt[0x54:0x1FE] = bytes(0x1FE - 0x54)
    spoilt[15 * 512 + 0x60 : 15 * 512 + 0x72] = b"BOOTMGR is missing"
    built = machine(FakePartition(volume(FileSystemKind.NTFS, "\\ntldr"), active=True, boot_sector=bytes(spoilt)))
    assert fixed(built)[0].changes == ()


@pytest.mark.parametrize("kind", [FileSystemKind.FAT16, FileSystemKind.FAT32])
@pytest.mark.parametrize("code", [b"\xfa", DUMMY])
def test_fat_code_that_mkfs_wrote_is_replaced(kind: FileSystemKind, code: bytes) -> None:
    spoilt = fat(kind, loader=b"", code=code if code is DUMMY else b"", hidden=17)
    built = machine(FakePartition(volume(kind, "\\ntldr"), active=True, boot_sector=spoilt))
    donor = machine(FakePartition(volume(kind, "\\x"), boot_sector=fat(kind, hidden=99)))
    fault, now = fixed(built, bootcode.harvest(donor, "donor.vmdk"))
    assert fault.id == boot_code.NO_BOOT_CODE
    assert "partition 1 of donor.vmdk" in fault.evidence[-1]
    assert now == fat(kind, hidden=17)


@pytest.mark.parametrize(
    "donor",
    [
        FakePartition(volume(FileSystemKind.FAT32), boot_sector=fat(FileSystemKind.FAT32)),
        FakePartition(volume(FileSystemKind.FAT16), boot_sector=fat(FileSystemKind.FAT16, loader=b"BOOTMGR    ")),
        FakePartition(volume(FileSystemKind.FAT16), boot_sector=fat(FileSystemKind.FAT16)[1:]),
        FakePartition(volume(FileSystemKind.FAT16), boot_sector=fat(FileSystemKind.FAT16, code=DUMMY)),
        FakePartition(None, boot_sector=fat(FileSystemKind.FAT16)),
    ],
    ids=["file system", "loader", "no jump", "no code", "no volume"],
)
def test_code_that_does_not_fit_is_not_taken(donor: FakePartition) -> None:
    spoilt = fat(FileSystemKind.FAT16, loader=b"", code=b"")
    built = machine(FakePartition(volume(FileSystemKind.FAT16, "\\ntldr"), active=True, boot_sector=spoilt))
    fault, now = fixed(built, bootcode.harvest(machine(donor), "donor.vmdk"))
    assert (fault.changes, now) == ((), spoilt)
    assert fault.evidence[-1] == "no such code was found on the given disks"


def test_code_that_setup_saved(shared_testdata: Path) -> None:
    sectors = shared_testdata / "disk-images" / "boot-sectors"
    saved = (sectors / "ntfs-vbr-2003.bin").read_bytes()
    newer = (sectors / "ntfs-vbr-10.bin").read_bytes()
    files = volume_of("\\ntldr", contents={"\\BOOTSECT.BAK": saved})
    fault, now = fixed(machine(FakePartition(files, active=True, boot_sector=newer)))
    assert fault.id == boot_code.WRONG_LOADER
    assert "\\BOOTSECT.BAK" in fault.evidence[-1]
    assert now == newer[:3] + newer[3:0x54] + saved[0x54:]


@pytest.mark.parametrize("file", ["ntfs-vbr-2003.bin", "ntfs-vbr-10.bin", "w7-mbr-en-BOOTSECT.BAK"])
def test_real_code_is_taken_whole(file: str, shared_testdata: Path) -> None:
    data = (shared_testdata / "disk-images" / "boot-sectors" / file).read_bytes()
    (code,) = bootcode.harvest(machine(FakePartition(volume_of("\\x"), boot_sector=data), code=b"\xeb\x63"), "d")
    assert code.loader is (Loader.NTLDR if "2003" in file else Loader.BOOTMGR)
    assert [(offset, len(part)) for offset, part in code.pieces] == [(0, 3), (0x54, 8192 - 0x54)]


@pytest.mark.parametrize(("place", "told"), [(0, False), (0xFFFF, False), (6, True), (15, True)])
def test_fat32_that_keeps_no_copy_lacks_none(place: int, told: bool) -> None:
    sector = bytearray(fat(FileSystemKind.FAT32))
    struct.pack_into("<H", sector, 0x32, place)
    first = FakePartition(volume(FileSystemKind.FAT32, "\\ntldr"), active=True, boot_sector=bytes(sector))
    assert [each.id for each in find_faults(machine(first))] == ([boot_sector.COPY] if told else [])


def test_more_than_one_loader_is_not_decided() -> None:
    spoilt = fat(FileSystemKind.FAT16, loader=b"", code=b"")
    both = volume(FileSystemKind.FAT16, "\\ntldr", "\\bootmgr")
    assert find_faults(machine(FakePartition(both, active=True, boot_sector=spoilt))) == ()


@pytest.mark.parametrize("start", [MICROSOFT, b"\xfa" + MICROSOFT])
def test_mbr_code_of_another_disk(start: bytes) -> None:
    empty = [FakePartition(volume(FileSystemKind.NTFS, "\\ntldr"), active=True, boot_sector=ntfs())]
    built = machine_of(empty, [FakePartition(volume_of("\\x"))])
    built.disks[1].device.write(0, start.ljust(512, b"\x90"))
    fault, _ = fixed(built)
    assert "the MBR of disk 1" in fault.evidence[-1]
    (change,) = sectors_of(fault)
    assert (change.offset, change.data) == (0, start.ljust(440, b"\x90"))
    assert built.disks[0].device.read(440, 72) == bytes(72), "signature and partition table are its own"


@pytest.mark.parametrize("start", [b"", b"\xeb\x63\x90", b"GRUB"])
def test_mbr_code_of_another_system_is_not_taken(start: bytes) -> None:
    empty = [FakePartition(volume(FileSystemKind.NTFS, "\\ntldr"), active=True, boot_sector=ntfs())]
    built = machine_of(empty, [FakePartition(volume_of("\\x"))])
    built.disks[1].device.write(0, start)
    fault, _ = fixed(built)
    assert [each.data for each in sectors_of(fault)] == [syslinux_mbr.CODE]


def without_mbr_code(content: bytes) -> Machine:
    started = FakePartition(volume(FileSystemKind.NTFS, "\\ntldr"), active=True, boot_sector=ntfs())
    return machine(started, code=content.ljust(440, b"\0"))


@pytest.mark.parametrize("content", [b"", b"\xf6" * 440, b"\xff" * 440, b"no system here\r\n", DUMMY])
def test_what_is_no_code_gives_way_to_free_code(content: bytes) -> None:
    built = without_mbr_code(content)
    fault, _ = fixed(built)
    assert "Syslinux 6.04 (MIT licence)" in fault.evidence[-1]
    assert built.disks[0].device.read(0, 512) == syslinux_mbr.CODE + bytes(72)


@pytest.mark.parametrize("content", [MICROSOFT, b"\xfa", b"\xeb\xfe", b"text\xf4", syslinux_mbr.CODE])
def test_what_may_be_code_is_not_judged(content: bytes) -> None:
    assert find_faults(without_mbr_code(content)) == ()


def test_microsofts_code_that_was_given_comes_before_free_code() -> None:
    given = BootCode(None, None, ((0, MICROSOFT.ljust(440, b"\x90")),), "the MBR of donor.vmdk")
    fault, _ = fixed(without_mbr_code(b""), (given,))
    assert [each.data for each in sectors_of(fault)] == [MICROSOFT.ljust(440, b"\x90")]
