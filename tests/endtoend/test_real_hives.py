"""SYSTEM hives that Windows itself wrote, in the dead server: every key and value but the planned ones is kept."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.endtoend.story import (
    LSI_LOGIC,
    WINDOWS,
    Bootgraft,
    applied,
    grafting,
    hashes,
    require_grafted,
    system_hive,
)
from tests.machines import oracles
from tests.machines.boot_files import KERNEL_CLIENT
from tests.machines.build import BuiltMachine
from tests.machines.spec import Architecture, File, HostFile, MachineSpec, PortableExecutable
from tests.machines.windows2003 import server1 as server1_spec
from tests.machines.windows_hives import WINDOWS_XP, Release
from tests.real_windows import as_called, clean_bytes, named_files
from tests.windows.hives import MemoryFile

from bootgraft.registry.hive import Hive

SYSTEM = r"\WINDOWS\system32\config\system"
BuildMachine = Callable[[MachineSpec], BuiltMachine]

XP: dict[str, Any] = {"release": WINDOWS_XP, "windows_mib": 56}
NT4 = Release("", "4.0", "1381", "Service Pack 3", 3, "WINNT", (4, 0, 1381, 4))
WINDOWS_7 = Release("Windows 7 Enterprise", "6.1", "7601", "Service Pack 1", 5, "WINDOWS", (6, 1, 7601, 17514))
WINDOWS_8_1 = Release("Windows 8.1 Enterprise", "6.3", "9600", "", 5, "WINDOWS", (6, 3, 9600, 16384))
WINDOWS_10 = Release("Windows 10 Pro", "6.3", "19044", "", 5, "WINDOWS", (10, 0, 19041, 1288), (10, 0))


def real_machine(testdata: Path, name: str, *, lacking: str = "", **variant: Any) -> MachineSpec:
    """The dead server with a real SYSTEM hive, and the same machine's SOFTWARE hive where there is one.

    Every driver that the hive may start has a file, the one called ``lacking`` aside.
    """
    spec = server1_spec(name=name, system_file=_found(testdata / "hives-system" / name / "SYSTEM"), **variant)
    software = testdata / "hives-software" / name / "SOFTWARE"
    (disk,) = spec.disks
    loader, windows = disk.partitions
    assert windows.volume is not None
    files = tuple(
        replace(file, content=HostFile(software))
        if file.path.lower().endswith(r"\config\software") and software.exists()
        else as_called(file, name)
        for file in windows.volume.files
    )
    arch = variant.get("arch", Architecture.X86)
    driver = PortableExecutable("kernel-client.sys", arch, KERNEL_CLIENT, version=(1, 0, 0, 0))
    known = {file.path.casefold() for file in files}
    root = next(file.path for file in files if file.path.casefold().endswith("explorer.exe")).rpartition("\\")[0]
    needed, _ = named_files(Hive.open(MemoryFile(clean_bytes(name)), name=name), root)
    more = (File(path, driver) for path in map(_spelt_alike, sorted(needed)) if path.casefold() not in known)
    wanted = (*files, *(file for file in more if not lacking or not file.path.endswith(lacking)))
    changed = replace(windows, volume=replace(windows.volume, files=wanted))
    return replace(spec, disks=(replace(disk, partitions=(loader, changed)),))


def _spelt_alike(path: str) -> str:
    """The folders of a path as they are spelt on every volume here: no matter to Windows, but to the builder."""
    return re.sub(r"(?i)\\system32\\", r"\\system32\\", re.sub(r"(?i)\\drivers\\", r"\\drivers\\", path))


def _found(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"this hive is not among the shared test data: {path}")
    return path


@pytest.mark.parametrize("name", ["xp-sp3-x86-virtualpc-iecompat", "xp-sp3-x86-vmware-buslogic-vmscsi"])
def test_a_repair_changes_what_it_planned_and_nothing_else(
    name: str,
    shared_testdata: Path,
    build_machine: BuildMachine,
    donor: BuiltMachine,
    bootgraft: Bootgraft,
    tmp_path: Path,
) -> None:
    """Both hives have the control sets 001 and 003; the full exports by hivexregedit are compared."""
    machine = build_machine(real_machine(shared_testdata, name, **XP))
    files = hashes(machine.disk.parent)
    before = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM)
    assert len(before) > 5000

    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert checked.status == 1
    assert checked.json["verdict"] == "blocked"
    assert checked.json["windows"]["control_sets"] == [1, 3]
    repaired = bootgraft("repair", machine.disk, *grafting(donor), "--json")
    assert repaired.status == 0, repaired
    assert bootgraft("check", machine.disk, *LSI_LOGIC).status == 0

    after = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), SYSTEM)
    assert after == applied(before, repaired.json["changes"])
    require_grafted(system_hive(machine.disk, machine.span(WINDOWS), tmp_path), (1, 3))
    oracles.ntfs_is_consistent(machine.disk, machine.span(WINDOWS))

    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == files


def test_a_machine_whose_own_controller_is_the_target_boots(
    shared_testdata: Path, build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    """This XP ran from VMware's BusLogic with vmscsi: only the driver's file, which is not ours to ship, is missing.

    And the disk that it knows as C:, which is none of these tools' making.
    """
    name = "xp-sp3-x86-vmware-buslogic-vmscsi"
    machine = build_machine(real_machine(shared_testdata, name, lacking="vmscsi.sys", **XP))
    checked = bootgraft("check", machine.disk, "--target", "vmware:buslogic", "--json")
    assert checked.status == 1
    found = {each["id"]: each for each in checked.json["findings"]}
    assert found.keys() == {"driver-file-missing", "system-volume-letter-wrong", "old-processor-driver"}
    assert found["old-processor-driver"]["severity"] == "info"  # it ran on VMware with it
    assert "vmscsi.sys" in found["driver-file-missing"]["evidence"][0]


@pytest.mark.parametrize(
    ("name", "release", "arch", "verdicts"),
    [
        ("nt4-sp3-server-dc-vmware-buslogic", NT4, Architecture.X86, {
            "vmware:ide": ("boots", set()),
            "vmware:buslogic": ("boots", set()),
            "vmware:lsilogic": ("blocked", {"boot-service-missing"}),
        }),
        ("win7-sp1-x86-vmware-lsisas", WINDOWS_7, Architecture.X86, {
            "vmware:lsisas1068": ("boots", set()),
            "vmware:lsilogic": ("boots", set()),
            "vmware:ide": ("boots", set()),
            "kvm:ahci": ("blocked", {"boot-service-not-boot-start"}),
            "kvm:virtio-scsi": ("blocked", {"device-binding-missing"}),
            "vmware:nvme": ("blocked", {"device-binding-missing"}),
        }),
        ("win10-21h2-x64-vmware-nvme-clean", WINDOWS_10, Architecture.X64, {
            "vmware:nvme": ("boots", set()),
            "kvm:nvme": ("boots", set()),
            "aws:nvme": ("boots", set()),
            "google:nvme": ("boots", set()),
            "azure:nvme": ("blocked", {"target-firmware", "boot-service-start-override"}),  # vmbus and vpci
            "kvm:ahci": ("boots", set()),
            "kvm:ide": ("boots", set()),
            "vmware:lsisas1068": ("blocked", {"boot-service-start-override"}),
            "vmware:pvscsi": ("blocked", {"device-binding-missing"}),  # its package was staged only
            "hyperv:gen1": ("blocked", {"boot-service-start-override"}),  # the filter of the disks there
        }),
    ],
)  # fmt: skip
def test_the_verdicts_on_real_hives(
    name: str,
    release: Release,
    arch: Architecture,
    verdicts: dict[str, tuple[str, set[str]]],
    shared_testdata: Path,
    build_machine: BuildMachine,
    bootgraft: Bootgraft,
) -> None:
    """A boot.ini in front of Windows 7 or 10 is not of this world; their hives are."""
    spec = real_machine(shared_testdata, name, release=release, arch=arch, windows_mib=64)
    machine = build_machine(spec)
    assert bootgraft("inspect", machine.disk).status == 0
    for target, expected in verdicts.items():
        checked = bootgraft("check", machine.disk, "--target", target, "--json")
        others = {each["id"] for each in checked.json["findings"]} - {"system-volume-letter-wrong"}  # of another disk
        assert (checked.json["verdict"], others) == expected, target


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("win81-x64-virtualbox-ahci-dirty-nolog", WINDOWS_8_1),
        ("win10-1709-x64-physical-iastorav-dirty-withlogs", WINDOWS_10),
    ],
)
def test_a_dirty_hive_without_its_logs_is_refused(
    name: str,
    release: Release,
    shared_testdata: Path,
    build_machine: BuildMachine,
    donor: BuiltMachine,
    bootgraft: Bootgraft,
) -> None:
    spec = real_machine(shared_testdata, name, release=release, arch=Architecture.X64, windows_mib=64)
    machine = build_machine(spec)
    before = hashes(machine.disk.parent)
    for command in ("check", "repair"):
        sources = grafting(donor) if command == "repair" else LSI_LOGIC
        refused = bootgraft(command, machine.disk, *sources)
        assert refused.status == 3
        assert r"\WINDOWS\system32\config\SYSTEM" in refused.stderr
    assert hashes(machine.disk.parent) == before
