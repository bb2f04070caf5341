"""What is promised for which controller: never that a machine boots without the evidence for it."""

from pathlib import Path

import pytest
from tests.endtoend.story import (
    LSI_LOGIC,
    WINDOWS,
    Bootgraft,
    Build,
    findings,
    grafting,
    hashes,
    require_grafted,
    system_hive,
)
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import Architecture

from bootgraft.targets.controllers import CONTROLLERS

FIRMWARE = "target-firmware"


def _rows(bootgraft: Bootgraft) -> dict[str, dict[str, object]]:
    return {row["target"]: row for row in bootgraft("targets", "--json").json["targets"]}


def test_the_table_covers_every_hypervisor(bootgraft: Bootgraft) -> None:
    rows = _rows(bootgraft)
    assert {target.partition(":")[0] for target in rows} == {
        "vmware", "kvm", "hyperv", "azure", "virtualbox", "xen", "aws", "google",
    }  # fmt: skip
    assert rows.keys() == {each.target for each in CONTROLLERS}
    printed = bootgraft("targets")
    assert printed.status == 0
    assert [line.split()[0] for line in printed.stdout.splitlines() if line][: len(rows)] == [*rows]


@pytest.mark.parametrize("target", [each.target for each in CONTROLLERS])
def test_a_machine_is_said_to_boot_from_the_one_controller_it_has_the_driver_for(
    target: str, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    controller = next(each for each in CONTROLLERS if each.target == target)
    has_driver = target.endswith(":lsilogic") or controller.main_id.endswith("VEN_8086&DEV_7111")
    checked = bootgraft("check", donor.disk, "--target", target, "--json")
    assert (checked.json["target"], checked.json["verdict"]) == (target, "boots" if has_driver else "blocked")
    assert checked.status == (0 if has_driver else 1)
    if not has_driver:
        assert checked.json["stop_code"] == (None if controller.is_uefi_only else "0x7b")
        assert ("blocker", FIRMWARE if controller.is_uefi_only else "device-binding-missing") in findings(checked)


def test_nothing_is_written_for_a_target_whose_firmware_cannot_start_this_windows(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    before = hashes(server1.disk.parent)
    repaired = bootgraft("repair", server1.disk, "--target", "hyperv:gen2", "--drivers", donor.disk, "--json")
    assert repaired.status == 1
    assert (repaired.json["committed"], repaired.json["changes"]) == (False, [])
    assert repaired.json["before"][0]["findings"][0]["id"] == FIRMWARE
    assert hashes(server1.disk.parent) == before


def test_ide_needs_no_source_as_windows_has_it_all(server1: BuiltMachine, bootgraft: Bootgraft) -> None:
    """The PIIX3 of KVM is new to it: intelide, atapi and their files are there, only the binding is not."""
    before = hashes(server1.disk.parent)
    ide = ("--target", "kvm:ide")
    checked = bootgraft("check", server1.disk, *ide)
    assert checked.status == 1
    assert checked.stdout.endswith(f"bootgraft repair {server1.disk} --target kvm:ide\n")
    assert bootgraft("repair", server1.disk, *ide).status == 0
    assert bootgraft("check", server1.disk, *ide).status == 0
    keys = oracles.export_hive_of(server1.disk, server1.span(WINDOWS), r"\WINDOWS\system32\config\system")
    for number in (1, 2):
        key = rf"ControlSet{number:03d}\Control\CriticalDeviceDatabase\pci#ven_8086&dev_7010"
        assert keys[key] == keys[key.replace("dev_7010", "dev_7111")]
    assert bootgraft("undo", server1.disk).status == 0
    assert hashes(server1.disk.parent) == before


def test_without_a_target_nothing_is_promised(donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    checked = bootgraft("check", donor.disk, "--json")
    assert (checked.status, checked.json["verdict"], checked.json["target"]) == (1, "unknown", None)
    assert findings(checked) == [("info", "target-not-given")]
    refused = bootgraft("repair", donor.disk)
    assert refused.status == 2
    assert refused.stderr.endswith(f"\n      bootgraft check {donor.disk}\n")


@pytest.mark.parametrize("command", ["check", "repair"])
@pytest.mark.parametrize(
    ("target", "listed"),
    [("vmware:lsilogik", "vmware:lsilogic"), ("bochs:lsilogic", "virtualbox:…"), ("adaptec", "vmware:…")],
)
def test_an_unknown_target_is_answered_with_those_there_are(
    command: str, target: str, listed: str, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    """Before any image is opened: this one does not exist."""
    refused = bootgraft(command, tmp_path / "none.vmdk", "--target", target)
    assert refused.status == 2
    assert f"no such target: '{target}'" in refused.stderr
    assert listed in refused.stderr
    assert "bootgraft targets" in refused.stderr


def test_proxmox_means_kvm_and_clouds_have_no_description(donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    checked = bootgraft("check", donor.disk, "--target", "proxmox:virtio-scsi", "--json")
    assert (checked.status, checked.json["target"]) == (1, "kvm:virtio-scsi")
    for words in (("--target", "azure:gen1", "--recommend"), ("--target", "azure:gen1", "--recommend", "--json")):
        checked = bootgraft("check", donor.disk, *words)
        assert checked.status == 0
        assert checked.stderr == (
            "bootgraft: --recommend: there is no description to write for azure:gen1: Azure makes the machine itself "
            "when it imports the disk\n"
        )
    assert checked.json["fragments"] == []


def test_targets_are_found_without_regard_to_case(donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    checked = bootgraft("check", donor.disk, "--target", "VMware:LSILogic", "--json")
    assert (checked.status, checked.json["target"]) == (0, "vmware:lsilogic")


def test_virtualbox_presents_the_same_controller(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    """A binding without a subsystem id serves VMware's and VirtualBox's LSI Logic alike."""
    target = ("--target", "virtualbox:lsilogic")
    for_vmware, for_virtualbox = (
        bootgraft("repair", server1.disk, *which, "--drivers", donor.disk, "--dry-run", "--json")
        for which in (LSI_LOGIC, target)
    )
    assert for_vmware.json["changes"] == for_virtualbox.json["changes"]
    assert bootgraft("repair", server1.disk, *target, "--drivers", donor.disk).status == 0
    for which in (target, LSI_LOGIC):
        assert bootgraft("check", server1.disk, *which).status == 0
    require_grafted(system_hive(server1.disk, server1.span(WINDOWS), tmp_path))


def test_two_targets_at_once(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    """One plan for both, under one journal; a target that is not met leaves everything as it was."""
    before = hashes(server1.disk.parent)
    unmet = ("--target", "vmware:buslogic")
    refused = bootgraft("repair", server1.disk, *LSI_LOGIC, *unmet, "--drivers", donor.disk)
    assert refused.status == 3
    assert "PCI\\VEN_104B&DEV_1040" in refused.stderr
    never = bootgraft("repair", server1.disk, *grafting(donor), "--target", "hyperv:gen2", "--json")
    assert never.status == 1
    assert never.json["committed"] is False
    assert hashes(server1.disk.parent) == before

    both = (*LSI_LOGIC, "--target", "virtualbox:lsilogic")
    repaired = bootgraft("repair", server1.disk, *both, "--drivers", donor.disk, "--json")
    assert repaired.status == 0
    assert [each["target"] for each in repaired.json["after"]] == ["vmware:lsilogic", "virtualbox:lsilogic"]
    assert {each["verdict"] for each in repaired.json["before"]} == {"blocked"}
    assert {each["verdict"] for each in repaired.json["after"]} == {"boots"}
    assert bootgraft("undo", server1.disk).status == 0
    assert hashes(server1.disk.parent) == before


def test_another_installation_by_its_id(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    """The ids of ``inspect`` choose an installation that is not the default; a wrong one is answered with them."""
    machine = build_server1(second_installation=True)
    before = hashes(machine.disk.parent)
    ids = [each["id"] for each in bootgraft("inspect", machine.disk, "--json").json["windows"]]
    assert ids == ["disk0-partition2-W2", "disk0-partition2-WINDOWS"]
    refused = bootgraft("check", machine.disk, *LSI_LOGIC, "--windows", "disk0-partition2-W3")
    assert refused.status == 2
    assert all(each in refused.stderr for each in ids)

    chosen = ("--windows", "DISK0-partition2-windows")
    assert bootgraft("repair", machine.disk, *grafting(donor), *chosen).status == 0
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, *chosen, "--json")
    assert (checked.status, checked.json["windows"]["root"]) == (0, r"\WINDOWS")
    assert bootgraft("check", machine.disk, *LSI_LOGIC).status == 1  # the default one is as it was
    require_grafted(system_hive(machine.disk, machine.span(WINDOWS), tmp_path))
    assert oracles.hashes(machine.disk, machine.span(WINDOWS)).keys() >= {r"\WINDOWS\system32\drivers\symmpi.sys"}
    assert bootgraft("undo", machine.disk).status == 0
    assert hashes(machine.disk.parent) == before


def test_an_x64_windows_is_judged_by_its_own_architecture(
    build_server1: Build, build_donor: Build, bootgraft: Bootgraft
) -> None:
    machine = build_server1(arch=Architecture.X64)
    refused = bootgraft("repair", machine.disk, *grafting(build_donor()))
    assert refused.status == 3
    assert "built for x86" in refused.stderr
    donor = build_donor(name="donor64", arch=Architecture.X64)
    assert bootgraft("repair", machine.disk, *grafting(donor)).status == 0
    assert bootgraft("check", machine.disk, *LSI_LOGIC).status == 0


def test_where_the_firmware_is_wrong_another_target_is_advised_and_no_repair(
    server1: BuiltMachine, bootgraft: Bootgraft
) -> None:
    told = bootgraft("check", server1.disk, "--target", "hyperv:gen2").stdout
    assert "bootgraft repair" not in told
    assert f"\n    bootgraft explain {FIRMWARE}\n" in told
    assert f"\n    bootgraft check {server1.disk}\n" in told
    both = bootgraft("check", server1.disk, "--target", "kvm:ide", "--target", "hyperv:gen2").stdout
    assert f"\n    bootgraft repair {server1.disk} --target kvm:ide\n" in both


def test_a_disk_that_may_be_the_donor_is_said_to_be_a_source(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    for command in ("check", "repair"):
        told = bootgraft(command, server1.disk, donor.disk, "--target", "vmware:lsilogic").stdout
        advised = f"bootgraft repair {server1.disk} --target vmware:lsilogic --drivers {donor.disk}"
        assert f"\n    {advised}\n" in told
    assert bootgraft(*advised.split()[1:]).status == 0
