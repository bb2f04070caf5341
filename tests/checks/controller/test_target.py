"""What can be judged, what is only said to be unknown, and what the target itself rules out."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.checks.subjects import chain, gpt_installation, installation
from tests.machines.hives import make_hive
from tests.machines.spec import Hive as HiveSpec
from tests.registry.support import open_bytes

from bootgraft.checks.controller.facts import reasons_not_judged
from bootgraft.checks.controller.target import CHECK, check, no_target, not_judged
from bootgraft.checks.finding import Finding, Severity
from bootgraft.checks.guest import DescribedVm, Guest
from bootgraft.machine import Firmware, Machine
from bootgraft.targets.controllers import CONTROLLERS, Attachment, Controller, find_controller
from bootgraft.windows.installation import Architecture, Installation

LSI = find_controller("vmware:lsilogic")
GENERATION_2 = find_controller("hyperv:gen2")


@pytest.mark.parametrize(
    ("version", "has_database", "judged"),
    [
        ((0, 0), False, False), ((3, 51), False, False), ((4, 0), False, True), ((5, 0), False, True),
        ((5, 2), False, True), ((6, 1), False, True), ((6, 2), False, False), ((6, 2), True, True),
        ((10, 0), False, False), ((10, 0), True, True),
    ],
)  # fmt: skip
def test_which_windows_are_judged(version: tuple[int, int], has_database: bool, judged: bool) -> None:
    reasons = reasons_not_judged(installation(version=version), has_database=has_database)
    assert (reasons == ()) is judged


def unjudged(windows: Installation, *, has_database: bool) -> Finding:
    return not_judged(windows, LSI, reasons_not_judged(windows, has_database=has_database))


def test_why_it_cannot_be_judged() -> None:
    found = unjudged(installation(version=(6, 3)), has_database=False)
    assert found.severity is Severity.INFO
    assert found.leaves_open
    assert found.title == "bootgraft cannot tell whether Microsoft Windows Server 2003 starts on vmware:lsilogic"
    assert "no DriverDatabase, by which NT 6.3 binds" in found.evidence[0]
    assert "NT 3.51 is older" in unjudged(installation(version=(3, 51)), has_database=False).evidence[0]


def test_what_could_not_be_read_is_the_reason() -> None:
    lost = replace(installation(version=(0, 0)), notes=("the product and version are unknown: SOFTWARE: damaged",))
    assert unjudged(lost, has_database=True).evidence == (f"{lost.volume.name}: {lost.notes[0]}",)
    odd = replace(installation(), arch=Architecture.UNKNOWN)
    assert "architecture is unknown" in unjudged(odd, has_database=False).evidence[0]


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda each: each.target)
def test_only_the_synthetic_controllers_rule_anything_out(controller: Controller) -> None:
    found = [(each.id, each.severity, each.leaves_open) for each in check(installation(), controller)]
    for_uefi = [("target-firmware", Severity.BLOCKER, False)]
    expected = {
        Attachment.VMBUS: for_uefi,
        Attachment.VPCI: for_uefi,
        Attachment.XEN: [("target-not-judged", Severity.INFO, True)],
    }
    assert found == expected.get(controller.attachment, [])


def test_a_generation_2_machine_starts_a_later_64_bit_windows_from_gpt() -> None:
    assert check(gpt_installation(version=(6, 2)), GENERATION_2) == ()
    assert check(gpt_installation(version=(10, 0)), GENERATION_2) == ()
    (of_7,) = check(gpt_installation(version=(6, 1)), GENERATION_2)
    assert [each.partition(": ")[2] for each in of_7.evidence] == [
        "it is NT 6.1; Hyper-V supports NT 6.2 and later there"
    ]
    (of_2003,) = check(installation(), GENERATION_2)
    assert len(of_2003.evidence) == 3
    assert "disk with an MBR" in of_2003.evidence[0]
    assert "32-bit" in of_2003.evidence[2]


@pytest.mark.parametrize("name", ["hyperv:gen1", "azure:gen1", "aws:xen"])
def test_a_machine_with_a_bios_only_starts_no_disk_for_uefi(name: str) -> None:
    windows, controller = gpt_installation(version=(10, 0)), find_controller(name)
    ids = [each.id for each in check(windows, controller, Firmware.UEFI)]
    assert ids[0] == "target-firmware"
    assert "target-firmware" not in [each.id for each in check(windows, controller, Firmware.BIOS)]
    assert "target-firmware" not in [each.id for each in check(windows, controller, Firmware.UEFI, Firmware.BIOS)]


def test_other_machines_have_either() -> None:
    either = [each for each in CONTROLLERS if not each.is_bios_only and not each.is_uefi_only]
    assert {each.target for each in either} >= {
        "virtualbox:ahci",
        "xen:pv",
        "xen:ide",
        "vmware:ide",
        "aws:nvme",
        "kvm:ide",
    }
    for controller in either:
        found = check(gpt_installation(version=(10, 0)), controller, Firmware.UEFI)
        assert "target-firmware" not in [each.id for each in found]


def test_what_the_description_has_is_not_said_twice() -> None:
    assert check(replace(installation(version=(6, 2)), arch=Architecture.X64), GENERATION_2, None, Firmware.UEFI) == ()
    (of_7,) = check(gpt_installation(version=(6, 1)), GENERATION_2, Firmware.UEFI, Firmware.UEFI)
    assert "NT 6.1" in of_7.evidence[0]


def test_synthetic_scsi_of_a_generation_1_machine_is_no_generation_2_machine(tmp_path: Path) -> None:
    """Its description has a BIOS and says which controller the disk is on; a target that is asked for counts."""
    make_hive(HiveSpec(text=""), tmp_path / "hive")
    hive = open_bytes((tmp_path / "hive").read_bytes())

    def ids(*given: Controller) -> list[str]:
        guest = Guest(
            Machine(()),
            chain(),
            installation(version=(6, 1)),
            hive,
            controller=GENERATION_2,
            described=DescribedVm("server1.xml", Firmware.BIOS),
            disk_controllers=given,
        )
        assert CHECK.find is not None
        return [each.id for each in CHECK.find(guest)]

    assert ids(GENERATION_2) == []
    assert ids() == ["target-firmware"]


def test_no_target() -> None:
    assert "--target" in no_target().explanation
