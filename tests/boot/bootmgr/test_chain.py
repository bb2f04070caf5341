"""The chain through bootmgr on machines in memory: every link, broken in every way, on BIOS and on UEFI."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.fakes import SIGNATURE, FakeFileSystem, FakePartition, FakeVolume, machine_of, volume_of
from tests.machines import bcd
from tests.machines.build import content
from tests.machines.spec import File, Hive
from tests.machines.vista import (
    DATA_TYPE,
    DEFAULT,
    DISK_GUID,
    ESP_GUID,
    ESP_TYPE,
    RECOVERY_GUID,
    SECOND,
    WINDOWS_GUID,
)
from tests.storage.sample_disks import MemoryDisk

from bootgraft.boot.chain import BootChain, follow
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Disk, Firmware, Machine
from bootgraft.storage.devices.blockdevice import Slice
from bootgraft.storage.disks.partitions import Partition, PartitionTable, TableKind

ESP_FILE = "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
FALLBACK = "\\EFI\\Boot\\bootx64.efi"
STORE = {"bios": "\\Boot\\BCD", "uefi": "\\EFI\\Microsoft\\Boot\\BCD"}
MANAGER = b"MZ".ljust(0x3C, b"\0") + b"\x40\0\0\0" + b"PE\0\0\x64\x86" + "bootmgr.exe".encode("utf-16-le")
THIRD = "5189b25d-0000-4bf2-bca4-289b11bd2903"
Make = Callable[[Hive], bytes]


@pytest.fixture
def make(machine_cache: Path) -> Make:
    """A function that gives a hive's bytes."""
    return lambda hive: content(File("\\BCD", hive), machine_cache)


def at(number: int) -> bytes:
    """The device of the partition with this number on a disk in memory."""
    return bcd.mbr_device(SIGNATURE, number * 8192)


def windows(directory: str = "\\Windows", loader: str | None = "winload.exe", *more: str) -> FakeFileSystem:
    """A volume with this Windows."""
    names = ["config\\SYSTEM", "ntoskrnl.exe", *([loader] if loader else [])]
    return volume_of(*(f"{directory}\\System32\\{name}" for name in names), *more)


def store(*entries: bcd.Entry, default: str | None = DEFAULT, order: tuple[str, ...] | None = None) -> Hive:
    """A store with these loaders."""
    shown = tuple(each.guid for each in entries) if order is None else order
    return bcd.store(bcd.bootmgr(bcd.boot_device(), default, shown), *entries)


def system(hive: bytes | None, *more: str) -> FakeFileSystem:
    """A System Reserved partition."""
    return volume_of("\\bootmgr", *more, contents={} if hive is None else {STORE["bios"]: hive})


def bios_machine(hive: bytes | None, *volumes: FakeFileSystem) -> Machine:
    """A BIOS machine: System Reserved, then these."""
    rest = volumes or (windows(),)
    return machine_of([FakePartition(system(hive), active=True), *map(FakePartition, rest)])


def bios(hive: bytes | None, *volumes: FakeFileSystem) -> BootChain:
    """Its chain."""
    return follow(bios_machine(hive, *volumes))


def uefi_machine(*volumes: tuple[FakeFileSystem | None, str, str], disk_guid: str = DISK_GUID) -> Machine:
    """A GPT disk with these volumes (content, type, own GUID)."""
    device = MemoryDisk(bytearray((len(volumes) + 1) * 8192))
    partitions = tuple(
        Partition(slot, slot * 8192, 8192, kind, active=False, logical=False, guid=own)
        for slot, (_, kind, own) in enumerate(volumes, start=1)
    )
    table = PartitionTable(TableKind.GPT, None, partitions, 512, (), disk_guid)
    made = [
        FakeVolume(
            table,
            0,
            each,
            None,
            FakePartition(volume),
            Slice(device, each.start, each.size, f"disk 0 partition {each.slot}"),
        )
        for each, (volume, _, _) in zip(partitions, volumes, strict=True)
    ]
    return Machine((Disk(0, device, table, tuple(made)),))


def esp(hive: bytes | None, files: Mapping[str, bytes] | None = None) -> FakeFileSystem:
    """An EFI system partition; ``files`` are the loaders."""
    loaders = {ESP_FILE: MANAGER, FALLBACK: MANAGER} if files is None else dict(files)
    volume = volume_of(contents=loaders if hive is None else loaders | {STORE["uefi"]: hive})
    volume.kind = FileSystemKind.FAT32
    return volume


def started_by_uefi(hive: bytes | None, files: Mapping[str, bytes] | None = None) -> Machine:
    """A UEFI machine: ESP, then Windows."""
    rest = (windows(loader="winload.efi"), DATA_TYPE, WINDOWS_GUID)
    return uefi_machine((esp(hive, files), ESP_TYPE, ESP_GUID), rest)


def uefi(hive: bytes | None, files: Mapping[str, bytes] | None = None) -> BootChain:
    """Its chain."""
    return follow(started_by_uefi(hive, files))


def efi_loader(**changes: object) -> bcd.Entry:
    """The entry of the UEFI machine."""
    elements: dict[str, object] = {"path": "\\Windows\\system32\\winload.efi", "title": "Windows 10"} | changes
    device = elements.pop("device", bcd.gpt_device(DISK_GUID, WINDOWS_GUID))
    return bcd.loader(DEFAULT, device, **elements)  # type: ignore[arg-type]


def assert_breaks(chain: BootChain, what: str, *evidence: str, understood: bool = True) -> None:
    assert chain.default is None
    assert [step.holds for step in chain.steps] == [True] * (len(chain.steps) - 1) + [False]
    assert what in chain.steps[-1].what
    for text in evidence:
        assert text in chain.steps[-1].evidence
    assert chain.understood is understood


def assert_boots(chain: BootChain, name: str, directory: str = "\\Windows", guid: str = DEFAULT) -> None:
    assert chain.default is not None, chain.steps[-1]
    assert (chain.default.volume.name, chain.default.directory) == (name, directory)
    assert chain.default.entry.startswith("{" + guid + "}")
    assert all(step.holds and step.evidence for step in chain.steps)


def test_bios_step_by_step(make: Make) -> None:
    chain = bios(make(store(bcd.loader(DEFAULT, at(2)))))
    place = "disk 0 partition 1: \\Boot\\BCD"
    assert [(step.what, step.where) for step in chain.steps] == [
        ("disk 0 has a partition table", "disk 0, sector 0"),
        ("disk 0 has one active partition", "disk 0, sector 0"),
        ("the active partition can be read", "disk 0 partition 1"),
        ("bootmgr is on the active partition", "disk 0 partition 1: \\bootmgr"),
        ("the BCD store is there", place),
        ("the BCD store names a default entry", f"{place}, {{{bcd.BOOTMGR}}}, element 23000003"),
        ("the default entry's device is disk 0 partition 2", f"{place}, {{{DEFAULT}}}, element 11000001"),
        ("the partition of the default entry's loader can be read", "disk 0 partition 2"),
        ("the loader is there", "disk 0 partition 2: \\Windows\\system32\\winload.exe"),
        ("the default entry's osdevice is disk 0 partition 2", f"{place}, {{{DEFAULT}}}, element 21000001"),
        ("a Windows is there", "disk 0 partition 2: \\Windows"),
    ]
    assert_boots(chain, "disk 0 partition 2")
    assert (chain.others, chain.understood, chain.notes) == ((), True, ())


def test_uefi_step_by_step(make: Make) -> None:
    chain = uefi(make(store(efi_loader())))
    assert [step.what for step in chain.steps][:6] == [
        "disk 0 has a partition table",
        "the EFI system partition is disk 0 partition 1",
        "the EFI system partition can be read",
        "the fallback loader is there",
        "the BCD store is there",
        "the BCD store names a default entry",
    ]
    assert chain.steps[0].evidence == f"GPT with disk GUID {{{DISK_GUID}}} and 2 partitions"
    assert_boots(chain, "disk 0 partition 2")


def test_loader_and_windows_on_the_active_partition(make: Make) -> None:
    volume = windows()
    volume.files |= system(make(store(bcd.loader(DEFAULT, bcd.boot_device())))).files
    chain = follow(machine_of([FakePartition(volume, active=True)]))
    assert_boots(chain, "disk 0 partition 1")
    assert chain.steps[6].evidence == "the volume that bootmgr came from"


def test_the_second_of_two_loaders_is_the_default(make: Make) -> None:
    hive = store(bcd.loader(DEFAULT, at(2)), bcd.loader(SECOND, at(3), title="Windows 10"), default=SECOND)
    chain = bios(make(hive), windows(), windows())
    assert_boots(chain, "disk 0 partition 3", guid=SECOND)
    assert [(each.volume.name, each.entry) for each in chain.others] == [
        ("disk 0 partition 2", f"{{{DEFAULT}}} Windows 7")
    ]


def test_loader_and_windows_on_two_partitions_and_another_directory(make: Make) -> None:
    entry = bcd.loader(DEFAULT, at(2), osdevice=at(3), root="\\WIN7\\", path="\\loader\\winload.exe")
    chain = bios(make(store(entry)), volume_of("\\loader\\winload.exe"), windows("\\Win7", None))
    assert_boots(chain, "disk 0 partition 3", "\\Win7")


def test_inherited_elements_count(make: Make) -> None:
    entry = bcd.Entry(DEFAULT, {0x14000006: (SECOND,), 0x11000001: at(2), 0x12000004: "Windows 7"})
    parent = bcd.loader(SECOND, at(9))
    parent.elements[0x21000001] = at(2)
    assert_boots(bios(make(store(entry, parent, order=(DEFAULT,)))), "disk 0 partition 2")


def test_one_entry_and_no_default(make: Make) -> None:
    chain = bios(make(store(bcd.loader(DEFAULT, at(2)), default=None)))
    assert_boots(chain, "disk 0 partition 2")
    assert "there is no default, but only one entry to display" in chain.steps[5].evidence


def test_two_entries_and_no_default(make: Make) -> None:
    hive = store(bcd.loader(DEFAULT, at(2)), bcd.loader(SECOND, at(3)), default=None)
    chain = bios(make(hive), windows(), windows())
    assert_breaks(chain, "names no default entry", DEFAULT, SECOND, understood=False)
    assert [each.volume.name for each in chain.others] == ["disk 0 partition 2", "disk 0 partition 3"]


def test_a_boot_sequence_comes_before_the_default(make: Make) -> None:
    manager = bcd.bootmgr(bcd.boot_device(), DEFAULT, (DEFAULT, SECOND), sequence=(SECOND,))
    hive = bcd.store(manager, bcd.loader(DEFAULT, at(2)), bcd.loader(SECOND, at(2)))
    assert_breaks(bios(make(hive)), "not that of the default entry", DEFAULT, understood=False)
    manager = bcd.bootmgr(bcd.boot_device(), DEFAULT, (DEFAULT,), sequence=(DEFAULT,))
    assert_boots(bios(make(bcd.store(manager, bcd.loader(DEFAULT, at(2))))), "disk 0 partition 2")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (bcd.NTLDR, "ntldr of an older Windows"),
        (bcd.RESUME, "a resume from hibernation"),
        (0x10400008, "a boot sector"),
        (0x10200005, "the memory test"),
        (0x101FFFFF, "of type 101fffff"),
    ],
)
def test_a_default_that_is_no_windows_loader(make: Make, kind: int, words: str) -> None:
    entry = bcd.Entry(DEFAULT, bcd.loader(DEFAULT, at(2)).elements, kind)
    assert_breaks(bios(make(store(entry))), f"the default entry is {words}", understood=False)


def test_a_default_that_is_not_in_the_store(make: Make) -> None:
    alone = bios(make(store(bcd.loader(DEFAULT, at(2)), default=SECOND)))
    assert_boots(alone, "disk 0 partition 2")
    assert f"the default {{{SECOND}}} is not there, but only one entry to display" in alone.steps[5].evidence
    hive = store(bcd.loader(DEFAULT, at(2)), default=SECOND, order=())
    assert_breaks(bios(make(hive)), "names no entry that is in the store", SECOND)
    two = store(bcd.loader(DEFAULT, at(2)), bcd.loader(THIRD, at(2)), default=SECOND)
    assert_breaks(bios(make(two)), "names no default entry that is in the store", THIRD, understood=False)


def test_no_boot_manager_object(make: Make) -> None:
    assert_breaks(bios(make(bcd.store(bcd.loader(DEFAULT, at(2))))), "no boot manager object")


def test_a_ramdisk_and_windows_pe(make: Make) -> None:
    ramdisk = bcd.ramdisk_device(at(2), "\\sources\\boot.wim", SECOND)
    chain = bios(make(store(bcd.loader(DEFAULT, ramdisk))))
    said = "disk 0 partition 2 has no \\sources\\boot.wim"
    assert_breaks(chain, "device is a RAM disk", "\\sources\\boot.wim", said, understood=False)
    entry = bcd.loader(DEFAULT, at(2))
    entry.elements[0x26000022] = b"\x01"
    assert_breaks(bios(make(store(entry))), "Windows PE", understood=False)


@pytest.mark.parametrize(
    ("partition", "said"),
    [
        (2, "\\vm\\disk.vhd is on disk 0 partition 2"),
        (1, "disk 0 partition 1 has no \\vm\\disk.vhd"),
        (9, "that partition is not on the given disks"),
    ],
)
def test_a_virtual_disk(make: Make, partition: int, said: str) -> None:
    chain = bios(
        make(store(bcd.loader(DEFAULT, bcd.virtual_disk_device(at(partition), "\\vm\\disk.vhd")))),
        windows("\\Windows", "winload.exe", "\\vm\\disk.vhd"),
    )
    assert_breaks(
        chain, "device is on a virtual disk", "virtual disk from \\vm\\disk.vhd on the", said, understood=False
    )


def test_a_damaged_and_a_missing_device(make: Make) -> None:
    damaged = bios(make(store(bcd.loader(DEFAULT, at(2)[:0x30]))))
    assert_breaks(damaged, "the default entry's device is damaged", "lies on disk 0 partition 2 only")
    entry = bcd.loader(DEFAULT, at(2))
    del entry.elements[0x21000001]
    assert_breaks(bios(make(store(entry))), "osdevice", "there is no such element", understood=False)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (bcd.mbr_device(SIGNATURE, 63 * 512), "the partition at byte 32256 of the disk with signature 12345678"),
        (bcd.mbr_device(0xA33B6C03, 2 * 8192), "the partition at byte 16384 of the disk with signature a33b6c03"),
        (bcd.gpt_device(DISK_GUID, WINDOWS_GUID), f"the partition {{{WINDOWS_GUID}}}"),
    ],
)
def test_a_device_that_matches_no_partition(make: Make, device: bytes, said: str) -> None:
    chain = bios(make(store(bcd.loader(DEFAULT, device))))
    has = "disk 0 has signature 12345678 with disk 0 partition 1 at byte 8192, disk 0 partition 2 at byte 16384"
    fits = "\\Windows\\system32\\winload.exe lies on disk 0 partition 2 only, which would fit"
    assert_breaks(chain, "the default entry's device is no partition of the given disks", f"it names {said}", has, fits)
    assert chain.steps[-1].where == f"disk 0 partition 1: \\Boot\\BCD, {{{DEFAULT}}}, element 11000001"


def test_a_device_that_matches_no_partition_where_two_or_none_would_fit(make: Make) -> None:
    hive = make(store(bcd.loader(DEFAULT, at(7))))
    two = bios(hive, windows(), windows())
    assert_breaks(two, "device is no partition", "lies on disk 0 partition 2 and disk 0 partition 3")
    assert_breaks(bios(hive, volume_of("\\data.txt")), "device is no partition", "no volume has \\Windows")


def test_an_osdevice_that_matches_no_partition(make: Make) -> None:
    chain = bios(make(store(bcd.loader(DEFAULT, at(2), osdevice=at(8)))))
    assert_breaks(chain, "osdevice is no partition", "\\Windows lies on disk 0 partition 2 only")


def test_two_disks_with_one_signature(make: Make) -> None:
    first = [FakePartition(system(make(store(bcd.loader(DEFAULT, at(2))))), active=True), FakePartition(windows())]
    chain = follow(machine_of(first, [FakePartition(volume_of()), FakePartition(windows())]))
    assert_breaks(chain, "disk 0 partition 2 and disk 1 partition 2 alike", understood=False)


def test_another_guid(make: Make) -> None:
    wrong = uefi(make(store(efi_loader(device=bcd.gpt_device(DISK_GUID, RECOVERY_GUID)))))
    has = (
        f"disk 0 has GUID {{{DISK_GUID}}} with disk 0 partition 1 {{{ESP_GUID}}}, disk 0 partition 2 {{{WINDOWS_GUID}}}"
    )
    assert_breaks(wrong, "device is no partition", RECOVERY_GUID, has, "lies on disk 0 partition 2 only")
    disk = uefi(make(store(efi_loader(device=bcd.gpt_device(RECOVERY_GUID, WINDOWS_GUID)))))
    assert_breaks(disk, "names another disk GUID than its disk has", RECOVERY_GUID, DISK_GUID, understood=False)


def test_located(make: Make) -> None:
    hive = make(store(bcd.loader(DEFAULT, bcd.locate_device(0x12000002), osdevice=bcd.locate_device(0x22000002))))
    chain = bios(hive, volume_of("\\data.txt"), windows())
    assert_boots(chain, "disk 0 partition 3")
    assert "only this one has \\Windows\\system32\\winload.exe" in chain.steps[6].evidence
    twins = bios(hive, windows(), windows())
    assert_breaks(twins, "more than one volume has", "disk 0 partition 2, disk 0 partition 3", understood=False)
    assert_breaks(bios(hive, volume_of("\\data.txt")), "no volume has \\Windows\\system32\\winload.exe")


def test_a_missing_loader_names_where_it_lies(make: Make) -> None:
    hive = make(store(bcd.loader(DEFAULT, at(2))))
    chain = bios(hive, windows(loader=None), volume_of("\\Windows\\System32\\winload.exe"))
    assert_breaks(chain, "the loader that the default entry names is not there", "lies on disk 0 partition 3 only")
    other = bios(hive, windows(loader="winload.efi"))
    said = "\\Windows\\system32\\winload.efi is: this Windows was installed for UEFI firmware"
    assert_breaks(other, "the loader that the default entry names is not there", said)


@pytest.mark.parametrize("name", ["config\\SYSTEM", "ntoskrnl.exe"])
def test_a_windows_with_a_file_missing(make: Make, name: str) -> None:
    volume = windows()
    del volume.files[f"\\Windows\\System32\\{name}"]
    chain = bios(make(store(bcd.loader(DEFAULT, at(2)))), volume)
    assert_breaks(chain, f"has no {name.rpartition(chr(92))[2]}")


def test_another_kernel(make: Make) -> None:
    entry = bcd.loader(DEFAULT, at(2))
    entry.elements[0x22000011] = "ntkrlmp.exe"
    assert_breaks(bios(make(store(entry))), "has no ntkrlmp.exe")


def test_a_windows_directory_that_is_not_there(make: Make) -> None:
    entry = bcd.loader(DEFAULT, at(2), root="\\WINNT")
    assert_breaks(bios(make(store(entry))), "\\WINNT is not on disk 0 partition 2", "in the root is Windows")
    assert_breaks(bios(make(store(bcd.loader(DEFAULT, at(2), root="")))), "names no Windows directory")


def test_no_path(make: Make) -> None:
    assert_breaks(bios(make(store(bcd.loader(DEFAULT, at(2), path="")))), "names no loader", "its path is nothing")


def test_the_loader_of_the_other_firmware(make: Make) -> None:
    chain = bios(make(store(bcd.loader(DEFAULT, at(2), path="\\Windows\\system32\\winload.efi"))))
    assert_breaks(chain, "a loader for UEFI firmware, but the disk starts through BIOS", "bcdboot")
    other = uefi(make(store(efi_loader(path="\\Windows\\system32\\winload.exe"))))
    assert_breaks(other, "a loader for BIOS firmware, but the disk starts through UEFI", "/f UEFI")


@pytest.mark.parametrize("hive", [None, b"", b"no hive" * 1000])
def test_a_store_that_is_missing_or_none(hive: bytes | None) -> None:
    what = "there is no BCD store" if hive is None else "the BCD store cannot be read"
    assert_breaks(bios(hive), what, "Windows was found in \\Windows on disk 0 partition 2")
    assert_breaks(uefi(hive), what)


def test_a_hive_that_is_no_store(make: Make) -> None:
    assert_breaks(bios(make(Hive("[\\Select]\n", 3))), "the BCD store cannot be read", "without the key Objects")


def test_no_fallback_loader(make: Make) -> None:
    chain = uefi(make(store(efi_loader())), {ESP_FILE: MANAGER})
    assert_breaks(chain, "has no fallback loader", f"put a copy of {ESP_FILE} there", "firmware of a new machine")
    assert chain.steps[-1].where == f"disk 0 partition 1: {FALLBACK}"


@pytest.mark.parametrize(("number", "name"), [(0x014C, "bootia32.efi"), (0xAA64, "bootaa64.efi")])
def test_the_fallback_loader_of_another_processor(make: Make, number: int, name: str) -> None:
    manager = MANAGER.replace(b"\x64\x86", number.to_bytes(2, "little"))
    chain = uefi(make(store(efi_loader())), {ESP_FILE: manager, FALLBACK: MANAGER})
    assert_breaks(chain, "has no fallback loader")
    assert chain.steps[-1].where.endswith(name)
    assert_boots(
        uefi(make(store(efi_loader())), {ESP_FILE: manager, f"\\EFI\\Boot\\{name}": manager}), "disk 0 partition 2"
    )


def test_other_fallback_loaders(make: Make) -> None:
    hive = make(store(efi_loader()))
    older = uefi(hive, {ESP_FILE: MANAGER, FALLBACK: MANAGER + b"older"})
    assert_boots(older, "disk 0 partition 2")
    assert "another version" in older.steps[3].evidence
    alone = uefi(hive, {FALLBACK: MANAGER})
    assert_boots(alone, "disk 0 partition 2")
    assert f"though not {ESP_FILE}" in alone.steps[3].evidence
    grub = uefi(hive, {ESP_FILE: MANAGER, FALLBACK: b"MZ GRUB"})
    assert_breaks(grub, "the fallback loader is not Windows' boot manager", understood=False)
    assert_breaks(uefi(hive, {}), "there is no boot manager on the EFI system partition")


def test_system_partitions_that_are_none_or_several(make: Make) -> None:
    hive = make(store(efi_loader()))
    rest = (windows(loader="winload.efi"), DATA_TYPE, WINDOWS_GUID)
    empty = (esp(None, {}), ESP_TYPE, RECOVERY_GUID)
    right = (esp(hive), ESP_TYPE, ESP_GUID)
    plain = (esp(hive), DATA_TYPE, ESP_GUID)
    chosen = follow(uefi_machine(empty, right, rest))
    assert_boots(chosen, "disk 0 partition 3")
    assert "disk 0 partition 1 too, but without a fallback loader" in chosen.steps[1].evidence
    twins = follow(uefi_machine(right, (esp(hive), ESP_TYPE, RECOVERY_GUID), rest))
    assert_breaks(twins, "more than one EFI system partition with a fallback loader", understood=False)
    assert_breaks(follow(uefi_machine(rest)), "disk 0 has no EFI system partition", DATA_TYPE)
    assert_breaks(follow(uefi_machine(plain, rest)), "no EFI system partition", "any FAT volume", understood=False)
    ntfs = esp(hive)
    ntfs.kind = FileSystemKind.NTFS
    assert_breaks(follow(uefi_machine((ntfs, ESP_TYPE, ESP_GUID), rest)), "not formatted with FAT", understood=False)


def test_a_hybrid_mbr_may_start_a_bios() -> None:
    machine = uefi_machine((windows(), DATA_TYPE, WINDOWS_GUID))
    sector = bytearray(512)
    sector[0x1BE], sector[0x1C2], sector[0x1FE:] = 0x80, 0x07, b"\x55\xaa"
    sector[0x1CA] = 1
    machine.disks[0].device.write(0, bytes(sector))
    assert_breaks(
        follow(machine), "no EFI system partition", "its hybrid MBR has an active partition", understood=False
    )


def test_a_uefi_store_on_an_mbr_disk(make: Make) -> None:
    volume = esp(make(store(efi_loader(device=at(2)))))
    rest = FakePartition(windows(loader="winload.efi"))
    chain = follow(machine_of([FakePartition(volume, type=0xEF), rest]))
    assert_boots(chain, "disk 0 partition 2")
    assert chain.firmware is Firmware.UEFI
    assert chain.steps[1].evidence == "slot 1, type 0xEF; only UEFI firmware starts from it"
    del volume.files[FALLBACK]
    chain = follow(machine_of([FakePartition(volume, type=0xEF), rest]))
    assert_breaks(chain, "no active partition", f"disk 0 partition 1 has {ESP_FILE}: UEFI firmware may start from it")
    assert chain.firmware is Firmware.BIOS


def test_two_disks_in_the_wrong_order(make: Make) -> None:
    first = [FakePartition(system(make(store(bcd.loader(DEFAULT, at(2))))), active=True), FakePartition(windows())]
    chain = follow(machine_of([FakePartition(volume_of("\\data"))], first))
    assert_breaks(chain, "no active partition", "disk 1 has an active partition with bootmgr")


@pytest.mark.parametrize("search_others", [True, False])
def test_entries_that_lead_nowhere_are_not_listed(make: Make, search_others: bool) -> None:
    entries = [
        bcd.loader(f"5189b25d-0000-4bf2-bca4-289b11bd29{number:02x}", device, **more)  # type: ignore[arg-type]
        for number, device, more in [
            (0x10, at(9), {}),
            (0x11, at(2), {"root": "\\gone"}),
            (0x12, at(2), {"root": ""}),
            (0x13, bcd.ramdisk_device(at(2), "\\x.wim", SECOND), {}),
            (0x14, at(3), {}),
            (0x15, bcd.locate_device(0x12000002), {"root": "\\OTHER"}),
        ]
    ]
    hive = make(store(bcd.loader(DEFAULT, at(2)), *entries, bcd.Entry(SECOND, {}, bcd.NTLDR)))
    partitions = [
        FakePartition(system(hive), active=True),
        FakePartition(windows()),
        FakePartition(windows("\\Other", None)),
    ]
    chain = follow(machine_of(partitions), search_others=search_others)
    assert_boots(chain, "disk 0 partition 2")
    assert [(each.volume.name, each.directory) for each in chain.others] == [("disk 0 partition 3", "\\Other")]
