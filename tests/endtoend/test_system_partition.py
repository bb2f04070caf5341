"""Machines whose system partition was left behind, or lost its loader or its store: checked, repaired, judged, undone.

hivexregedit judges the new store: it names what Setup would have written for this very disk.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from tests.endtoend.story import Bootgraft, findings
from tests.machines import bcd, oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import File, Guids, MachineSpec, Partition
from tests.machines.tools import run

Build = Callable[[MachineSpec], BuiltMachine]
TARGET = ("--target", "vmware:lsisas1068")


def only_windows(**what: Any) -> MachineSpec:
    """C: alone was copied, and nothing made it the active partition."""
    made = bcd.store(bcd.Entry(bcd.BOOTMGR, {0x12000005: "de-DE", 0x25000004: b"\x0a"}, bcd.BOOT_MANAGER))
    files = (*vista.with_resume(), *vista.carried(template=made, **what))
    machine = vista.one_partition(name="left-behind", loader=(), files=files)
    (disk,) = machine.disks
    return replace(machine, disks=(replace(disk, partitions=(replace(disk.partitions[0], active=False),)),))


def element(store: oracles.Registry, guid: str, number: int) -> bytes:
    """The data of an element, as hivexregedit has it."""
    written = store[rf"Objects\{{{guid}}}\Elements\{number:08x}"]["Element"]
    return bytes.fromhex(written.partition(":")[2].replace(",", ""))


def text(store: oracles.Registry, guid: str, number: int) -> str:
    return element(store, guid, number).decode("utf-16-le").rstrip("\0")


def test_a_copy_of_c_alone_on_bios(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(only_windows())
    span, before = machine.span(0), oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "system-partition-left-behind")])
    assert "the system partition was left behind" in bootgraft("check", machine.disk, *TARGET).stdout

    repaired = bootgraft("repair", machine.disk, *TARGET, "--json")
    assert repaired.status == 0, repaired
    after = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (after.status, after.json["verdict"], findings(after)) == (0, "boots", [])
    assert bootgraft("repair", machine.disk, *TARGET).stdout.startswith("Nothing to do")

    oracles.ntfs_is_consistent(machine.disk, span)
    assert "bootable" in run("sfdisk", "--dump", machine.disk).decode()
    for source, target in (
        ("PCAT\\bootmgr", "\\bootmgr"),
        ("PCAT\\bootnxt", "\\BOOTNXT"),
        ("PCAT\\memtest.exe", "\\Boot\\memtest.exe"),
        ("PCAT\\en-US\\bootmgr.exe.mui", "\\Boot\\en-US\\bootmgr.exe.mui"),
        ("Fonts\\segmono_boot.ttf", "\\Boot\\Fonts\\segmono_boot.ttf"),
    ):
        copied = oracles.read_file(machine.disk, span, target)
        assert copied == oracles.read_file(machine.disk, span, f"\\Windows\\Boot\\{source}")
    assert "\\Boot\\de-DE\\bootmgr.exe.mui" not in oracles.paths(machine.disk, span)

    store = oracles.export_hive_of(machine.disk, span, "\\Boot\\BCD")
    here = bcd.mbr_device(vista.SIGNATURE, vista.ALONE.offset)
    loader = text(store, bcd.BOOTMGR, 0x23000003).strip("{}")
    resume = text(store, loader, 0x23000003).strip("{}")
    assert element(store, bcd.BOOTMGR, 0x25000004) == b"\x0a".ljust(8, b"\0")
    assert text(store, bcd.BOOTMGR, 0x12000005) == "de-DE"
    assert text(store, bcd.BOOTMGR, 0x24000001) == f"{{{loader}}}"
    named = {number: element(store, guid, number) for guid in (loader, resume) for number in (0x11000001, 0x21000001)}
    assert set(named.values()) == {here} == {element(store, bcd.BOOTMGR, 0x11000001)}
    assert text(store, loader, 0x12000002).casefold() == "\\windows\\system32\\winload.exe"
    assert (text(store, loader, 0x22000002), text(store, loader, 0x12000004)) == ("\\Windows", "Windows 7")
    assert text(store, resume, 0x12000002).casefold() == "\\windows\\system32\\winresume.exe"

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_an_empty_efi_system_partition(build_machine: Build, bootgraft: Bootgraft) -> None:
    files = (*vista.with_resume("efi"), *vista.carried())
    machine = build_machine(vista.uefi(name="esp-empty", loader=(), files=files))
    span, before = machine.span(0), oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "boot-manager-missing")])
    dry = bootgraft("repair", machine.disk, *TARGET, "--dry-run")
    assert dry.status == 0, dry
    assert (
        "\\EFI\\Microsoft\\Boot\\BCD  (20480 bytes, from what every store has, as this Windows has no BCD-Template)"
        in dry.stdout
    )

    assert bootgraft("repair", machine.disk, *TARGET).status == 0
    after = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (after.status, after.json["verdict"], findings(after)) == (0, "boots", [])
    oracles.fat_is_consistent(machine.disk, span)
    own = oracles.read_file(machine.disk, machine.span(2), "\\Windows\\Boot\\EFI\\bootmgfw.efi")
    assert oracles.read_file(machine.disk, span, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi") == own
    assert oracles.read_file(machine.disk, span, "\\EFI\\Boot\\bootx64.efi") == own
    store = oracles.export_hive_of(machine.disk, span, "\\EFI\\Microsoft\\Boot\\BCD")
    loader = text(store, bcd.BOOTMGR, 0x23000003).strip("{}")
    assert element(store, bcd.BOOTMGR, 0x11000001) == bcd.gpt_device(vista.DISK_GUID, vista.ESP_GUID)
    assert element(store, loader, 0x21000001) == bcd.gpt_device(vista.DISK_GUID, vista.WINDOWS_GUID)

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def without_esp(free: int, *, carried: tuple[File, ...] = vista.carried()) -> MachineSpec:
    """The Windows of a UEFI machine alone, and so many MiB of free space behind it."""
    (disk,) = vista.uefi(files=(*vista.with_resume("efi"), *carried)).disks
    windows = disk.partitions[2]
    end = windows.start + windows.sectors + (free + 1) * 2048
    return MachineSpec("no-esp", (replace(disk, sectors=end, partitions=(windows,)),))


def test_a_system_partition_is_added_only_where_the_user_asks_for_it(
    build_machine: Build, bootgraft: Bootgraft
) -> None:
    machine = build_machine(without_esp(120))
    with machine.disk.open("r+b") as image:  # free space is not always empty
        image.seek(machine.span(0)[0] + machine.span(0)[1] + (1 << 20))
        image.write(b"what lay here before" * 100_000)
    before, table = oracles.sha256(machine.disk), run("sfdisk", "--dump", machine.disk).decode()
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "system-partition-left-behind")])
    shown = bootgraft("repair", machine.disk, *TARGET)
    assert (shown.status, oracles.sha256(machine.disk)) == (1, before)
    assert "There is room for a new one in free space of disk 0: 120 MiB" in shown.stdout
    assert f"--target {TARGET[1]} --add-system-partition\n" in shown.stdout

    done = bootgraft("repair", machine.disk, *TARGET, "--add-system-partition", "--json")
    assert done.status == 0, done
    after = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (after.status, after.json["verdict"], findings(after)) == (0, "boots", [])
    assert "No problems found" in run("sgdisk", "--verify", machine.disk).decode()
    now = run("sfdisk", "--dump", machine.disk).decode()
    (added,) = set(now.splitlines()) - set(table.splitlines())
    assert set(table.splitlines()) < set(now.splitlines())
    assert f"type={vista.ESP_TYPE}" in added
    start, size = (int(added.partition(f"{word}=")[2].split(",")[0]) * 512 for word in ("start", "size"))
    assert (start % (1 << 20), size) == (0, 120 << 20)
    assert "disk2" in added.split(" : ")[0] or added.split(" : ")[0].endswith("2")
    oracles.fat_is_consistent(machine.disk, (start, size))
    store = oracles.export_hive_of(machine.disk, (start, size), "\\EFI\\Microsoft\\Boot\\BCD")
    loader = text(store, bcd.BOOTMGR, 0x23000003).strip("{}")
    assert element(store, loader, 0x21000001) == bcd.gpt_device(vista.DISK_GUID, vista.WINDOWS_GUID)
    assert bootgraft("repair", machine.disk, *TARGET).stdout.startswith("Nothing to do")

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_there_is_no_place_for_a_system_partition(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(without_esp(60))
    said = bootgraft("repair", machine.disk, *TARGET, "--add-system-partition")
    assert said.status == 1
    assert "disk 0 has 60 MiB of free space in one piece at most, and 100 MiB are needed" in said.stdout


def test_an_efi_system_partition_that_was_made_and_never_filled(build_machine: Build, bootgraft: Bootgraft) -> None:
    (disk,) = without_esp(40).disks
    guids = Guids(vista.ESP_TYPE, vista.ESP_GUID)
    windows = disk.partitions[0]
    empty = Partition(windows.start + windows.sectors, 40 * 2048, 0, None, guids=guids)
    machine = build_machine(MachineSpec("esp-blank", (replace(disk, partitions=(windows, empty)),)))
    before = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "system-partition-left-behind")])
    dry = bootgraft("repair", machine.disk, *TARGET, "--dry-run")
    assert f"format  disk 0, byte {empty.start * 512}: 40 MiB as FAT32 'SYSTEM'\n" in dry.stdout
    assert bootgraft("repair", machine.disk, *TARGET).status == 0
    oracles.fat_is_consistent(machine.disk, machine.span(1))
    assert bootgraft("check", machine.disk, *TARGET).status == 0
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before
