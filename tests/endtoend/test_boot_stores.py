"""Machines whose BCD store or fallback loader was left behind by a conversion: checked, repaired, judged, undone.

A store as the source machine had it, on a disk that is aligned anew and has a new signature or new GUIDs. hivexregedit
judges the store: after the repair it must say what Setup would have written for this very disk.
"""

from collections.abc import Callable

import pytest
from msgspec import Struct
from tests.endtoend.story import Bootgraft, findings
from tests.machines import bcd, oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import File, Hive, MachineSpec
from tests.machines.tools import run

Build = Callable[[MachineSpec], BuiltMachine]
TARGET = ("--target", "vmware:lsisas1068")
OLD_SIGNATURE, OLD_DISK = 0xA33B6C03, "11111111-2222-3333-4444-555555555555"
OLD_GUIDS = [f"66666666-7777-8888-9999-AAAAAAAAAA{number:02}" for number in (1, 3, 4)]
FALLBACK, MANAGER = "\\EFI\\Boot\\bootx64.efi", "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"


class Layout(Struct, frozen=True):
    """A machine, its store's path, the store that Setup would have made for it, and the firmware that it needs."""

    machine: MachineSpec
    path: str
    right: Hive
    firmware: str


def realigned() -> Layout:
    """System Reserved began at sector 63, as XP's tools align, on a disk with another signature."""
    system, windows = (bcd.mbr_device(OLD_SIGNATURE, sector * 512) for sector in (63, 63 + 204800))
    new = [bcd.mbr_device(vista.SIGNATURE, place.offset) for place in (vista.RESERVED, vista.WINDOWS)]
    files = (*vista.with_resume(), *vista.recovery_files())
    machine = vista.system_reserved(vista.full_store(system, windows, windows), files=files)
    return Layout(machine, "\\Boot\\BCD", vista.full_store(new[0], new[1], new[1]), "BIOS")


def renumbered() -> Layout:
    """The disk and each of its partitions have new GUIDs."""
    old = [bcd.gpt_device(OLD_DISK, own) for own in OLD_GUIDS]
    own_guids = (vista.ESP_GUID, vista.WINDOWS_GUID, vista.RECOVERY_GUID)
    new = [bcd.gpt_device(vista.DISK_GUID, own) for own in own_guids]
    machine = vista.uefi(
        vista.full_store(*old, uefi=True), files=vista.with_resume("efi"), recovery=vista.recovery_files()
    )
    return Layout(machine, "\\EFI\\Microsoft\\Boot\\BCD", vista.full_store(*new, uefi=True), "UEFI")


@pytest.mark.parametrize("layout", [realigned(), renumbered()], ids=["bios", "uefi"])
def test_a_store_that_names_no_partition_of_the_disk(
    layout: Layout, build_machine: Build, bootgraft: Bootgraft
) -> None:
    machine = build_machine(layout.machine)
    span, before = machine.span(0), oracles.sha256(machine.disk)
    was = oracles.export_hive_of(machine.disk, span, layout.path)
    others = {path: digest for path, digest in oracles.hashes(machine.disk, span).items() if path != layout.path}

    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, checked.json["firmware"]) == (1, layout.firmware.lower())
    assert findings(checked) == [
        ("blocker", "bcd-device-wrong"),
        ("warning", "bcd-bootmgr-device-wrong"),
        ("warning", "bcd-resume-device-wrong"),
        ("warning", "bcd-recovery-device-wrong"),
        ("warning", "bcd-entry-device-wrong"),
    ]
    assert f"It needs {layout.firmware} firmware.\n" in bootgraft("check", machine.disk, *TARGET).stdout

    repaired = bootgraft("repair", machine.disk, *TARGET, "--json")
    assert repaired.status == 0, repaired
    assert {each["kind"] for each in repaired.json["changes"]} == {"set-value"}
    after = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (after.status, after.json["verdict"], findings(after)) == (0, "boots", [])
    assert bootgraft("repair", machine.disk, *TARGET).stdout.startswith("Nothing to do")

    now = oracles.export_hive_of(machine.disk, span, layout.path)
    rightly = build_machine(vista.system_reserved(layout.right, name="right"))
    assert now == oracles.export_hive_of(rightly.disk, rightly.span(0), "\\Boot\\BCD")
    assert {key for key in now if now[key] != was[key]} == {each["key"] for each in repaired.json["changes"]}
    unchanged = {path: digest for path, digest in oracles.hashes(machine.disk, span).items() if path != layout.path}
    assert unchanged == others

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


@pytest.mark.parametrize("has_directory", [True, False])
def test_a_missing_fallback_loader(has_directory: bool, build_machine: Build, bootgraft: Bootgraft) -> None:
    files = vista.uefi_loader(vista.uefi_store(), has_fallback=False)
    kept = (File("\\EFI\\Boot\\readme.txt", b"kept"),) if has_directory else ()
    machine = build_machine(vista.uefi(loader=(*files, *kept)))
    span, before = machine.span(0), oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "uefi-fallback-loader-missing")])
    dry = bootgraft("repair", machine.disk, *TARGET, "--dry-run")
    assert ("create  disk 0 partition 1: \\EFI\\Boot\\  (directory)" in dry.stdout) is not has_directory
    assert oracles.sha256(machine.disk) == before

    repaired = bootgraft("repair", machine.disk, *TARGET, "--json")
    assert repaired.status == 0, repaired
    kinds = [each["kind"] for each in repaired.json["changes"]]
    assert kinds == ([] if has_directory else ["create-directory"]) + ["write-file"]
    assert oracles.read_file(machine.disk, span, FALLBACK) == oracles.read_file(machine.disk, span, MANAGER)
    assert not has_directory or oracles.read_file(machine.disk, span, "\\EFI\\Boot\\readme.txt") == b"kept"
    oracles.fat_is_consistent(machine.disk, span)
    assert "No problems found" in run("sgdisk", "--verify", machine.disk).decode()
    after = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (after.status, after.json["verdict"], findings(after)) == (0, "boots", [])

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before
