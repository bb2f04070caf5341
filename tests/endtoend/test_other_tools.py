"""A disk that other tools worked on before: what they left is found, and undone where that is asked for."""

from collections.abc import Callable

from msgspec.structs import replace
from tests.checks.core.cases_pending_removals import PARTMGR
from tests.checks.session.first_boots import DRIVERS, SERVICE, failed
from tests.core_windows import in_sets
from tests.endtoend.story import WINDOWS, Bootgraft, hashes
from tests.machines import bcd, oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.registry_text import RegistryValue, reg_text
from tests.machines.spec import File, Hive, MachineSpec
from tests.machines.windows2003 import server1 as server1_spec
from tests.machines.windows_hives import WINDOWS_XP

from bootgraft.windows.leftovers.first_boot import FOLDER, LOG

BuildMachine = Callable[[MachineSpec], BuiltMachine]
TARGET = ("--target", "vmware:ide")
SYSTEM = r"\WINDOWS\system32\config\system"
PENDING = "".join(f"{name}\0" for name in (r"\??\C:\Config.Msi\1.rbf", "", PARTMGR.replace("C:", "D:"), "", "")).encode(
    "utf-16-le"
)
FIXES = ("first-boot-never-ends", "boot-driver-removal-pending", "setup-unfinished", "old-processor-driver")


def converted() -> MachineSpec:
    """XP after a conversion by virt-v2v that did not end well."""
    spec = server1_spec(name="other-tools", release=WINDOWS_XP)
    (disk,) = spec.disks
    loader, windows = disk.partitions
    assert windows.volume is not None
    processor: dict[str, dict[str, RegistryValue]] = {
        r"Services\intelppm": {"Type": 1, "Start": 1, "ErrorControl": 1, "ImagePath": r"system32\drivers\disk.sys"}
    }
    edits = in_sets(SERVICE | processor) + reg_text({"Setup": {"SetupType": 2, "CmdLine": "cmd.exe"}}) + "\n\n"
    edits += "".join(
        f'[\\ControlSet{number:03d}\\Control\\Session Manager]\n"PendingFileRenameOperations"=hex(7):'
        f"{PENDING.hex(',')}\n\n"
        for number in (1, 2)
    )
    files = [
        File(rf"{FOLDER}\scripts\{DRIVERS}", b"@echo off\r\n"),
        File(LOG, (failed() * 3).encode("cp850")),
    ]
    for file in windows.volume.files:
        if file.path.casefold() == SYSTEM.casefold() and isinstance(file.content, Hive):
            file = replace(file, content=replace(file.content, text=f"{file.content.text}\n{edits}"))
        files.append(file)
    changed = replace(windows, volume=replace(windows.volume, files=tuple(files)))
    return replace(spec, disks=(replace(disk, partitions=(loader, changed)),))


def test_what_a_conversion_left_is_named_and_undone_on_demand(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    machine = build_machine(converted())
    before = hashes(machine.disk.parent)
    checked = bootgraft("check", machine.disk, *TARGET)
    assert checked.status == 0, checked
    for words in (
        DRIVERS,
        "Failed to install smbus.inf.",
        "converted before, by virt-v2v",
        "CmdLine=cmd.exe",
        "partmgr",
    ):
        assert words in checked.stdout
    fixes = [word for each in FIXES for word in ("--fix", each)]
    repaired = bootgraft("repair", machine.disk, *TARGET, *fixes, "--json")
    assert repaired.status == 0, repaired
    left = bootgraft("check", machine.disk, *TARGET, "--json").json["findings"]
    assert [each["id"] for each in left] == ["converted-before"]
    oracles.ntfs_is_consistent(machine.disk, machine.span(WINDOWS))
    keys = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM)
    assert keys[r"ControlSet001\Services\firstboot"]["Start"] == "dword:00000004"
    assert keys["Setup"]["SetupType"] == "dword:00000000"
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


def test_safe_mode_is_taken_out_of_the_store(build_machine: BuildMachine, bootgraft: Bootgraft) -> None:
    device = bcd.mbr_device(vista.SIGNATURE, vista.ALONE.start * 512)
    entry = bcd.loader(vista.DEFAULT, device)
    entry.elements.update({0x25000080: bytes(8), 0x26000081: b"\x01"})
    manager = bcd.bootmgr(device, vista.DEFAULT, (vista.DEFAULT,))
    machine = build_machine(vista.one_partition(bcd.store(manager, entry), name="safe-mode"))
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert "safe-mode" in {each["id"] for each in checked.json["findings"]}
    repaired = bootgraft("repair", machine.disk, *TARGET, "--fix", "safe-mode", "--json")
    assert repaired.status == 0, repaired
    left = bootgraft("check", machine.disk, *TARGET, "--json").json["findings"]
    assert "safe-mode" not in {each["id"] for each in left}
    assert bootgraft("undo", machine.disk).status == 0
