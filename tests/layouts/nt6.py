"""Layouts of Windows Vista and later: BCD stores on BIOS and UEFI, GPT with its faults, hybrid tables."""

import struct
from collections.abc import Iterator

from msgspec.structs import replace

from tests.layouts.layout import SECOND_SIGNATURE, SIGNATURE, Layout, Patch, flag
from tests.machines import bcd, vista
from tests.machines.spec import SECTOR, Disk, File, FileSystem, Hive, MachineSpec, Partition
from tests.machines.vista import ALONE, DEFAULT, DISK_GUID, ESP, ESP_GUID, RESERVED, SECOND, SECOND_WINDOWS, WINDOWS
from tests.machines.windows_hives import Letter

TARGET = "vmware:lsisas1068"
_OTHER_GUID, _NEW_DISK_GUID = "0D2B7E51-8C40-4B67-8F00-51E2A0C3D0FF", "6F1C1B64-3E21-4A1F-9A3C-0B7C5D0E8AFF"


def layouts() -> Iterator[tuple[str, Layout]]:
    """Each layout under its name."""
    yield from _bios()
    yield from _bios_broken()
    yield from _uefi()
    yield from _gpt()


def _layout(name: str, what: str, machine: MachineSpec, *patches: Patch) -> tuple[str, Layout]:
    return name, Layout(what, machine, TARGET, patches)


def _reserved(name: str, what: str, store: Hive, **more: object) -> tuple[str, Layout]:
    return _layout(name, what, vista.system_reserved(store, **more))  # type: ignore[arg-type]


def _bios() -> Iterator[tuple[str, Layout]]:
    yield _layout("bcd-one-partition", "loader and Windows on one partition", vista.one_partition())
    device = bcd.boot_device()
    yield _layout(
        "bcd-boot-device",
        "the same with the device 'boot'",
        vista.one_partition(vista.bios_store(ALONE, system=ALONE, device=device)),
    )
    yield _layout("bcd-system-reserved", "System Reserved and Windows", vista.system_reserved())
    yield _layout(
        "bcd-system-reserved-fat",
        "System Reserved on FAT16",
        vista.system_reserved(filesystem=FileSystem.FAT16),
    )
    yield _reserved("bcd-second-is-default", "two Windows, the second is the default", _two(SECOND),
                    second=vista.installation())  # fmt: skip
    yield _reserved("bcd-first-is-default", "two Windows, the first is the default", _two(DEFAULT),
                    second=vista.installation())  # fmt: skip
    located = vista.bios_store(WINDOWS, device=bcd.locate_device(0x12000002), osdevice=bcd.locate_device(0x22000002))
    yield _reserved("bcd-located", "a generalised image: the volume is located by its files", located)
    yield _reserved("bcd-located-twins", "the same with two volumes that have them", located,
                    second=vista.installation())  # fmt: skip


def _two(default: str) -> Hive:
    return bcd.store(
        bcd.bootmgr(bcd.mbr_device(vista.SIGNATURE, RESERVED.offset), default, (DEFAULT, SECOND)),
        bcd.loader(DEFAULT, bcd.mbr_device(vista.SIGNATURE, WINDOWS.offset)),
        bcd.loader(SECOND, bcd.mbr_device(vista.SIGNATURE, SECOND_WINDOWS.offset), title="Windows 7 (second)"),
    )


def _bios_broken() -> Iterator[tuple[str, Layout]]:
    moved = replace(WINDOWS, start=WINDOWS.start - 1985)
    yield _reserved("bcd-moved", "the converter aligned the partition anew", vista.bios_store(moved))
    other = bcd.mbr_device(0x0BADCAFE, WINDOWS.offset)
    yield _reserved("bcd-signature-of-no-disk", "the store names a disk that is not there",
                    vista.bios_store(WINDOWS, device=other))  # fmt: skip
    yield _reserved("bcd-moved-twins", "moved, and two volumes have the files", vista.bios_store(moved),
                    second=vista.installation())  # fmt: skip
    stayed = vista.installation(letters=(Letter("C", vista.SIGNATURE, WINDOWS.offset),))
    yield _reserved("bcd-default-was-removed", "the store names a Windows that was removed; the one left did not move",
                    vista.bios_store(moved), files=stayed)  # fmt: skip
    came = vista.installation(letters=(Letter("C", vista.SIGNATURE, moved.offset),))
    yield _reserved("bcd-moved-and-knows-it", "the Windows that is left knows that it was where the store names it",
                    vista.bios_store(moved), files=came)  # fmt: skip
    yield _layout("bcd-missing", "there is no store", vista.system_reserved(loader=vista.bios_loader(None)))
    yield _layout(
        "bcd-damaged",
        "the store is no hive",
        vista.system_reserved(loader=(*vista.bios_loader(None), File(r"\Boot\BCD", b"regf" + bytes(8188)))),
    )
    manager = bcd.bootmgr(bcd.mbr_device(vista.SIGNATURE, RESERVED.offset), SECOND, (DEFAULT,))
    entry = bcd.loader(DEFAULT, bcd.mbr_device(vista.SIGNATURE, WINDOWS.offset))
    yield _reserved("bcd-default-not-in-store", "the default is an object that is not there", bcd.store(manager, entry))
    unset = bcd.bootmgr(bcd.mbr_device(vista.SIGNATURE, RESERVED.offset), None, (DEFAULT,))
    yield _reserved("bcd-no-default", "no default, one entry to display", bcd.store(unset, entry))
    yield _reserved("bcd-loader-missing", "winload.exe is not there", vista.bios_store(WINDOWS),
                    files=vista.installation(loader=None))  # fmt: skip
    yield _reserved("bcd-uefi-loader-on-bios", "the store of a UEFI machine on a BIOS disk",
                    vista.bios_store(WINDOWS, path=r"\Windows\system32\winload.efi"))  # fmt: skip
    loader = tuple(file for file in vista.bios_loader(vista.bios_store(WINDOWS)) if file.path != r"\bootmgr")
    yield _layout("bootmgr-missing", "there is no bootmgr", vista.system_reserved(loader=loader))
    machine = vista.system_reserved()
    yield _layout("bcd-no-active-flag", "no partition is active", machine, flag(1, 0))
    yield _layout("bcd-hidden-sectors", "System Reserved was moved", machine,
                  Patch(RESERVED.offset + 0x1C, struct.pack("<I", 63)))  # fmt: skip
    yield _layout("bcd-disk-signature-new", "the converter wrote a new disk signature", machine,
                  Patch(0x1B8, struct.pack("<I", 0x77777777)))  # fmt: skip
    yield _layout("bcd-disk-signature-zero", "the converter cleared the disk signature", machine,
                  Patch(0x1B8, bytes(4)))  # fmt: skip
    far = Disk(machine.disks[0].sectors, SECOND_SIGNATURE, machine.disks[0].partitions[1:])
    near = Disk(machine.disks[0].sectors, SIGNATURE, machine.disks[0].partitions[:1])
    two = MachineSpec("bcd-two-disks", (near, far))
    yield _layout("bcd-disk-moved", "Windows came to a second disk, the store still names the first", two)


def _uefi() -> Iterator[tuple[str, Layout]]:
    yield _layout("uefi", "EFI system partition, MSR, Windows, recovery", vista.uefi())
    lacking = vista.uefi_loader(vista.uefi_store(), has_fallback=False)
    yield _layout("uefi-no-fallback", "there is no \\EFI\\Boot at all", vista.uefi(loader=lacking))
    emptied = (*lacking, File(r"\EFI\Boot\other.txt", b"something"))
    yield _layout("uefi-fallback-missing", "\\EFI\\Boot is there, bootx64.efi is not", vista.uefi(loader=emptied))
    other = vista.uefi_loader(vista.uefi_store(), fallback=b"MZ grub" + bytes(5000))
    yield _layout("uefi-other-fallback", "another system's loader is the fallback", vista.uefi(loader=other))
    wrong = bcd.gpt_device(DISK_GUID, _OTHER_GUID)
    yield _layout("uefi-partition-guid-new", "the partition has a new GUID", vista.uefi(vista.uefi_store(device=wrong)))
    wrong = bcd.gpt_device(_NEW_DISK_GUID, vista.WINDOWS_GUID)
    yield _layout("uefi-disk-guid-new", "the disk has a new GUID", vista.uefi(vista.uefi_store(device=wrong)))
    yield _layout("uefi-store-missing", "there is no store", vista.uefi(loader=vista.uefi_loader(None)))
    yield _layout("uefi-no-manager", "the boot manager is gone, its copy is not",
                  vista.uefi(loader=vista.uefi_loader(vista.uefi_store(), manager=False)))  # fmt: skip
    yield _layout("uefi-system-partition-typed-as-data", "the EFI system partition lost its type",
                  vista.uefi(types={ESP_GUID: vista.DATA_TYPE}))  # fmt: skip
    yield _layout("uefi-two-system-partitions", "two EFI system partitions, one without a loader",
                  vista.uefi(types={vista.RECOVERY_GUID: vista.ESP_TYPE}))  # fmt: skip


def _gpt() -> Iterator[tuple[str, Layout]]:
    machine = vista.uefi()
    end = machine.disks[0].sectors * SECTOR
    yield _layout("gpt-primary-damaged", "the primary header is damaged, the backup holds", machine,
                  Patch(SECTOR + 0x10, b"\xff\xff\xff\xff"))  # fmt: skip
    yield _layout("gpt-backup-missing", "the backup is gone: the disk was made larger, or cut short", machine,
                  Patch(end - SECTOR, bytes(SECTOR)))  # fmt: skip
    yield _layout("gpt-both-damaged", "neither copy holds", machine,
                  Patch(SECTOR + 0x10, b"\xff\xff\xff\xff"), Patch(end - SECTOR, bytes(SECTOR)))  # fmt: skip
    slots = (5, 2, 9, 1)
    parts = tuple(replace(each, slot=slot) for each, slot in zip(machine.disks[0].partitions, slots, strict=True))
    gaps = MachineSpec("gpt-gaps", (replace(machine.disks[0], partitions=parts),))
    yield _layout("gpt-gaps", "the entries lie in slots 5, 2, 9 and 1", gaps)
    hybrid = Patch(0x1CE, struct.pack("<B3xB3xII", 0x80, 0x07, vista.UEFI_WINDOWS.start, vista.UEFI_WINDOWS.sectors))
    yield _layout("hybrid-mbr", "beside the protective entry the MBR names Windows: the GPT counts", machine, hybrid)
    yield _layout("gpt-without-protective-mbr", "sector 0 is empty", machine, Patch(0, bytes(SECTOR)))
    bare = Partition(ESP.start, ESP.sectors, 0xEF, machine.disks[0].partitions[0].volume)
    windows = Partition(vista.UEFI_WINDOWS.start, vista.UEFI_WINDOWS.sectors, 7, machine.disks[0].partitions[2].volume)
    on_mbr = Disk(machine.disks[0].sectors, SIGNATURE, (bare, windows))
    yield _layout("uefi-on-mbr", "an EFI system partition on an MBR disk", MachineSpec("uefi-on-mbr", (on_mbr,)))
