"""Cells of the matrix end to end: check, repair, check, undo, judged by hivexregedit and by fingerprints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.endtoend.story import Bootgraft, applied, hashes
from tests.machines import bcd, oracles, vista
from tests.machines.bindings import version_blob
from tests.machines.build import BuiltMachine
from tests.machines.registry_text import reg_text
from tests.machines.spec import Architecture, File, Hive, MachineSpec, PortableExecutable, Signature, Signer
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_8_1, WINDOWS_10, Release

SYSTEM = r"\Windows\system32\config\system"
SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
PVSCSI = PortableExecutable(
    "pvscsi.sys",
    Architecture.X64,
    (("STORPORT.SYS", ("StorPortInitialize",)),),
    version=(1, 3, 17, 0),
    signatures=(Signature(Signer.WHQL, "sha1"), Signature(Signer.WHQL)),
)
BuildMachine = Callable[[MachineSpec], BuiltMachine]
UEFI_WINDOWS, BIOS_WINDOWS = 2, 1
"""The partition with Windows, counted from 0."""


def uefi_machine(release: Release, name: str, *, registry: str = "", files: tuple[File, ...] = ()) -> MachineSpec:
    """A machine with UEFI whose Windows ran on hardware that is gone: every in-box driver is overridden."""
    installation = vista.installation(loader="winload.efi", release=release, registry=registry)
    return vista.uefi(name=name, files=(*installation, *files))


def bios_machine(release: Release, name: str) -> MachineSpec:
    return vista.system_reserved(name=name, files=vista.installation(release=release))


def pvscsi_donor() -> MachineSpec:
    """A Windows 10 on which VMware Tools installed pvscsi, as a real one has it."""
    package = "pvscsi.inf_amd64_9e7bfe6e33172952"
    top = rf"DriverDatabase\DriverPackages\{package}"
    device = r"PCI\VEN_15AD&DEV_07C0"
    keys: dict[str, dict[str, Any]] = {
        rf"DriverDatabase\DeviceIds\{device}": {"oem5.inf": b"\x01\xff\0\0"},
        r"DriverDatabase\DriverInfFiles\oem5.inf": {"Active": package},
        top: {"": "oem5.inf", "InfName": "pvscsi.inf", "Provider": "VMware, Inc.",
              "Version": version_blob(SCSI_ADAPTER, 9, 0x01D73A2F19B6C000, (1, 3, 17, 0), inbox=False)},
        rf"{top}\Configurations\pvscsi_Inst": {"ConfigFlags": 0, "Service": "pvscsi"},
        rf"{top}\Descriptors\{device}": {"Configuration": "pvscsi_Inst", "Description": "%pvscsi%"},
        rf"{top}\Strings": {"pvscsi": "VMware PVSCSI Controller"},
        r"ControlSet001\Services\pvscsi": {"Type": 1, "Start": 0, "ErrorControl": 1, "Group": "SCSI miniport",
                                           "Tag": 64, "ImagePath": r"System32\drivers\pvscsi.sys"},
        r"ControlSet001\Services\pvscsi\Parameters": {"BusType": 10},
        r"ControlSet001\Services\pvscsi\Parameters\PnpInterface": {"5": 1},
        r"ControlSet001\Services\pvscsi\StartOverride": {"0": 0},
    }  # fmt: skip
    text = "\n" + reg_text(keys)
    return uefi_machine(
        WINDOWS_10, "pvscsi", registry=text, files=(File(r"\Windows\system32\drivers\pvscsi.sys", PVSCSI),)
    )


def cell(
    machine: BuiltMachine, partition: int, target: str, bootgraft: Bootgraft, *sources: str | Path
) -> dict[str, dict[str, str]]:
    """Take the machine through check, repair, check and undo; the SYSTEM hive as it was after the repair."""
    files = hashes(machine.disk.parent)
    before = oracles.export_hive_of(machine.disk, machine.span(partition), SYSTEM)
    checked = bootgraft("check", machine.disk, "--target", target, "--json")
    assert (checked.status, checked.json["verdict"]) == (1, "blocked"), checked
    repaired = bootgraft("repair", machine.disk, "--target", target, *sources, "--json")
    assert repaired.status == 0, repaired
    assert bootgraft("check", machine.disk, "--target", target).status == 0
    after = oracles.export_hive_of(machine.disk, machine.span(partition), SYSTEM)
    assert after == applied(before, repaired.json["changes"])
    oracles.ntfs_is_consistent(machine.disk, machine.span(partition))
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == files
    return after


@pytest.mark.parametrize(
    ("target", "services"),
    [
        ("vmware:nvme", {"stornvme"}),
        ("kvm:ahci", {"storahci"}),
        ("kvm:ide", {"intelide", "atapi"}),
        ("vmware:lsisas1068", {"LSI_SAS"}),
        ("hyperv:gen2", {"vmbus", "storvsc"}),
        ("hyperv:gen1", {"intelide", "atapi", "storflt"}),
    ],
)
def test_windows_10_starts_from_what_it_has_once_no_override_is_in_the_way(
    target: str, services: set[str], build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    machine, windows = uefi_machine(WINDOWS_10, "win10"), UEFI_WINDOWS
    if target == "hyperv:gen1":  # which has a BIOS
        machine, windows = bios_machine(WINDOWS_10, "win10-bios"), BIOS_WINDOWS
    after = cell(build_machine(machine), windows, target, bootgraft)
    for number in (1, 2):
        overrides = {
            path.split("\\")[2]: values["0"]
            for path, values in after.items()
            if path.startswith(f"ControlSet{number:03d}\\Services\\") and path.endswith("\\StartOverride")
        }
        lifted = {name for name, value in overrides.items() if value == "dword:00000000"}
        assert lifted == services
        assert len(overrides) > len(services)


def test_windows_7_starts_from_ahci_once_msahci_starts_at_boot(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    after = cell(build_machine(bios_machine(WINDOWS_7, "win7")), BIOS_WINDOWS, "kvm:ahci", bootgraft)
    assert after[r"ControlSet001\Services\msahci"]["Start"] == "dword:00000000"
    assert after[r"ControlSet002\Services\msahci"]["Start"] == "dword:00000000"


def test_pvscsi_comes_from_a_donor_with_its_database_entries(build_machine: BuildMachine, bootgraft: Bootgraft) -> None:
    """Into Windows 10, under a name of our own, and into Windows 7, which takes CriticalDeviceDatabase keys."""
    donor = build_machine(pvscsi_donor())
    target = "vmware:pvscsi"
    assert bootgraft("check", donor.disk, "--target", target).status == 0
    machine = build_machine(uefi_machine(WINDOWS_10, "win10"))
    after = cell(machine, UEFI_WINDOWS, target, bootgraft, "--drivers", donor.disk)
    ids = after[r"DriverDatabase\DeviceIds\PCI\VEN_15AD&DEV_07C0"]
    assert ids == {"bootgraft_pvscsi.inf": "hex(3):01,ff,00,00"}
    package = next(path for path in after if path.startswith(r"DriverDatabase\DriverPackages\bootgraft_pvscsi.inf_"))
    blob = version_blob(SCSI_ADAPTER, 9, 0x01D73A2F19B6C000, (1, 3, 17, 0), inbox=False)
    assert after[package]["Version"] == "hex(3):" + ",".join(f"{byte:02x}" for byte in blob)
    assert "Tag" not in after[r"ControlSet001\Services\pvscsi"]
    assert r"ControlSet001\Services\pvscsi\StartOverride" not in after

    machine = build_machine(bios_machine(WINDOWS_7, "win7"))
    after = cell(machine, BIOS_WINDOWS, target, bootgraft, "--drivers", donor.disk)
    assert r"ControlSet002\Control\CriticalDeviceDatabase\pci#ven_15ad&dev_07c0" in after
    assert not any(path.startswith("DriverDatabase") for path in after)


def test_virtio_comes_from_its_package(
    shared_testdata: Path, build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    """Red Hat's driver of Windows 7, in folders as virtio-win has them: that of 8.1 is self-signed."""
    packages = shared_testdata / "drivers" / "virtio-win-old-drivers"
    if not packages.is_dir():
        pytest.skip("these driver packages are not among the shared test data")
    machine = build_machine(uefi_machine(WINDOWS_8_1, "win81"))
    after = cell(machine, UEFI_WINDOWS, "kvm:virtio-blk", bootgraft, "--drivers", packages)
    assert any(r"DeviceIds\PCI\VEN_1AF4&DEV_1001" in path for path in after)
    assert not any("CriticalDeviceDatabase" in path for path in after)


def test_a_generation_2_machine_cannot_start_a_disk_with_an_mbr(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    machine = build_machine(bios_machine(WINDOWS_7, "win7"))
    repaired = bootgraft("repair", machine.disk, "--target", "hyperv:gen2", "--json")
    assert repaired.status == 1
    assert repaired.json["before"][0]["findings"][0]["id"] == "target-firmware"


def test_the_boot_chain_of_windows_10_is_repaired_along_with_its_drivers(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    """A store that names a disk which is gone, and a driver that is overridden: one repair, one journal."""
    store: Hive = vista.uefi_store(device=bcd.gpt_device("6F1C1B64-3E21-4A1F-9A3C-0B7C5D0E8AFF", vista.WINDOWS_GUID))
    installation = vista.installation(loader="winload.efi", release=WINDOWS_10)
    machine = build_machine(replace(vista.uefi(store, name="moved", files=installation)))
    before = hashes(machine.disk.parent)
    target = ("--target", "vmware:nvme")
    assert bootgraft("check", machine.disk, *target).status == 1
    repaired = bootgraft("repair", machine.disk, *target, "--json")
    assert repaired.status == 0, repaired
    changed = {each["hive"].rpartition("\\")[2] for each in repaired.json["changes"] if "hive" in each}
    assert {name.upper() for name in changed} == {"BCD", "SYSTEM"}
    assert bootgraft("check", machine.disk, *target).status == 0
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


def test_a_disk_service_that_was_deleted_comes_back_without_a_donor(
    build_machine: BuildMachine, bootgraft: Bootgraft
) -> None:
    machine = build_machine(bios_machine(WINDOWS_7, "lost"))
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\disk"
    assert bootgraft("reg", "delete", machine.disk, key).status == 0
    checked = bootgraft("check", machine.disk, "--target", "vmware:lsisas1068")
    assert "[boot-service-missing]" in checked.stdout
    assert "--drivers" not in checked.stdout
    after = cell(machine, BIOS_WINDOWS, "vmware:lsisas1068", bootgraft)
    service = next(values for path, values in after.items() if path.casefold().endswith(r"controlset001\services\disk"))
    assert (service["Start"], service["Type"]) == ("dword:00000000", "dword:00000001")
