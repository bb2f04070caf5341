"""Windows whose own drivers, filters or files are broken: found, repaired, and judged by other tools."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.core_windows import DISK, in_sets, without_keys
from tests.endtoend.story import WINDOWS, Bootgraft, hashes
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.registry_text import Multi, RegistryValue
from tests.machines.spec import File, Hive, MachineSpec
from tests.machines.windows2003 import server1 as server1_spec
from tests.machines.windows_hives import WINDOWS_XP

BuildMachine = Callable[[MachineSpec], BuiltMachine]
TARGET = ("--target", "vmware:ide")
SYSTEM = r"\WINDOWS\system32\config\system"
CLASS = r"ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}"
LATE: dict[str, dict[str, RegistryValue]] = {
    DISK: {"LowerFilters": Multi(("own",))},
    r"Services\own": {"Type": 1, "Start": 3, "ErrorControl": 1, "ImagePath": r"system32\drivers\disk.sys"},
}


def broken(name: str, edits: str = "", *, without: str = "", copied: str = "") -> MachineSpec:
    """XP with these edits of SYSTEM, without a file, or with that file in dllcache in place of where it should be."""
    spec = server1_spec(name=name, release=WINDOWS_XP)
    (disk,) = spec.disks
    loader, windows = disk.partitions
    assert windows.volume is not None
    files = []
    for file in windows.volume.files:
        if file.path.casefold() == SYSTEM.casefold() and isinstance(file.content, Hive):
            file = replace(file, content=replace(file.content, text=f"{file.content.text}\n{edits}"))
        if copied and file.path.casefold().endswith(copied):
            name = file.path.rpartition("\\")[2]
            files.append(File(rf"\WINDOWS\system32\dllcache\{name}", file.content))
        elif not without or not file.path.casefold().endswith(without):
            files.append(file)
    changed = replace(windows, volume=replace(windows.volume, files=tuple(files)))
    return replace(spec, disks=(replace(disk, partitions=(loader, changed)),))


FAULTS = {
    "acronis": ("filter-driver-unusable", in_sets({DISK: {"UpperFilters": Multi(("PartMgr", "snapman"))}}), ""),
    "parallels": ("filter-driver-unusable", in_sets({DISK: {"LowerFilters": Multi(("prl_strg",))}}), ""),
    "pci": ("core-service-not-boot-start", in_sets({r"Services\PCI": {"Start": 4}}), ""),
    "root bus": ("core-device-unbound", without_keys(r"Control\CriticalDeviceDatabase\*pnp0a03"), ""),
    "ntfs": ("core-driver-file-unusable", "", r"drivers\ntfs.sys"),
    "bootvid": ("loader-file-unusable", "", r"system32\bootvid.dll"),
    "smss": ("session-file-unusable", "", r"system32\smss.exe"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_windows_can_do_about_itself(
    fault: str, build_machine: BuildMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    finding, edits, copied = FAULTS[fault]
    machine = build_machine(broken(f"core-{fault.replace(' ', '-')}", edits, copied=copied))
    before = hashes(machine.disk.parent)
    checked = bootgraft("check", machine.disk, *TARGET, "--json")
    assert (checked.status, checked.json["verdict"]) == (1, "blocked")
    assert {each["id"] for each in checked.json["findings"]} == {finding}
    repaired = bootgraft("repair", machine.disk, *TARGET, "--json")
    assert repaired.status == 0, repaired
    assert bootgraft("check", machine.disk, *TARGET, "--json").json["findings"] == []
    assert bootgraft("repair", machine.disk, *TARGET, "--dry-run", "--json").json["changes"] == []
    oracles.ntfs_is_consistent(machine.disk, machine.span(WINDOWS))
    keys = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM)
    listed = b"PartMgr\0\0".decode().encode("utf-16-le")
    assert bytes.fromhex(keys[CLASS]["UpperFilters"].partition(":")[2].replace(",", "")) == listed
    assert "LowerFilters" not in keys[CLASS]
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


def test_of_what_cannot_be_repaired_the_text_ends_with_what_to_read(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    machine = build_machine(broken("core-lost", in_sets({r"Services\PCI": {"Start": 4}}), without=r"drivers\ntfs.sys"))
    read = ["To read what is known of it, run:", "    bootgraft explain core-driver-file-unusable", ""]
    for command in ("check", "repair"):  # which could repair PCI, but writes nothing
        told = bootgraft(command, machine.disk, *TARGET)
        lines = told.stdout.splitlines()
        assert told.status == 1
        assert lines[-6:-3] == read
        assert lines[-3:-1] == ["What else there is can be repaired after that.", "To fix it, run:"]
    assert bootgraft("explain", "core-driver-file-unusable").status == 0


def test_what_is_offered_is_done_when_asked_for_and_what_is_skipped_is_not(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    machine = build_machine(broken("core-late", in_sets({**LATE, r"Services\PCI": {"Start": 4}})))
    before = hashes(machine.disk.parent)
    text = bootgraft("check", machine.disk, *TARGET).stdout
    assert "--fix filter-driver-not-boot-start" in text
    alone = bootgraft("repair", machine.disk, *TARGET, "--json")
    assert (alone.status, alone.json["committed"]) == (1, False)
    skipped = bootgraft(
        "repair", machine.disk, *TARGET, "--skip", "filter-driver-not-boot-start", "--dry-run", "--json"
    )
    assert skipped.status == 1
    assert {each["key"].rpartition("\\")[2] for each in skipped.json["changes"]} == {"PCI"}
    fixed = bootgraft("repair", machine.disk, *TARGET, "--fix", "filter-driver-not-boot-start", "--json")
    assert fixed.status == 0
    assert {each["key"].rpartition("\\")[2] for each in fixed.json["changes"]} == {"PCI", "own"}
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


@pytest.mark.parametrize("option", ["--fix", "--skip"])
def test_an_id_that_no_finding_has_is_a_usage_error(option: str, server1: BuiltMachine, bootgraft: Bootgraft) -> None:
    refused = bootgraft("repair", server1.disk, *TARGET, option, "filter-driver-unusabel")
    assert refused.status == 2
    assert "filter-driver-unusable" in refused.stderr
    both = bootgraft("repair", server1.disk, *TARGET, "--fix", "core-service-missing", "--skip", "core-service-missing")
    assert both.status == 2
