"""The command that a finding names for programs: it can be run as it is, with what it says that it needs."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.conftest import CommandResult
from tests.machines.build import BuiltMachine
from tests.report.test_target_table import DRIVER, IMAGES, NEVER, NOTE, row

from bootgraft.checks.controller.target import FIRMWARE
from bootgraft.checks.finding import FaultPlace, Finding, Remedy, Severity
from bootgraft.report.next_steps import Given
from bootgraft.report.programs.remediation import RepairContext

OFFERED = replace(NOTE, id="offered", remedy=Remedy.OFFERED, severity=Severity.INFO)
CONSENT = replace(DRIVER, id="unclean", remedy=Remedy.CONSENT, consent="--reset-journal")
REPAIR = ("bootgraft", "repair", "a disk.raw")


def context(*findings: Finding, given: Given | None = None) -> RepairContext:
    return RepairContext((row("vmware:ide", *findings).diagnosis,), IMAGES, given or Given())


def test_what_a_repair_needs_is_listed_and_not_put_into_the_command() -> None:
    found = context(DRIVER, CONSENT).remediation(DRIVER)
    assert found.argv == (*REPAIR, "--target", "vmware:ide")
    assert (found.needs, found.consents, found.reason) == (("--drivers",), ("--reset-journal",), None)


def test_what_is_only_offered_is_asked_for_where_it_is_this_finding_or_matters() -> None:
    blocker = replace(DRIVER, id="matters", remedy=Remedy.OFFERED)
    of = context(OFFERED, blocker)
    assert of.remediation(blocker).argv == (*REPAIR, "--target", "vmware:ide", "--fix", "matters")
    assert of.remediation(OFFERED).argv == (*REPAIR, "--target", "vmware:ide", "--fix", "matters", "--fix", "offered")


def test_what_was_said_is_said_again_word_by_word() -> None:
    given = Given(("--vm 'my vm.vmx'", "--windows 0"), has_target=True)
    found = context(DRIVER, given=given).remediation(DRIVER)
    assert found.argv == (*REPAIR, "--vm", "my vm.vmx", "--windows", "0")


def test_a_partition_that_is_added_needs_nothing_from_outside() -> None:
    added = replace(NOTE, id="added", remedy=Remedy.ADD_PARTITION)
    assert context(added).remediation(added).argv == (*REPAIR, "--target", "vmware:ide", "--add-system-partition")


@pytest.mark.parametrize(
    ("finding", "reason"),
    [
        (NEVER, "bootgraft cannot repair it"),
        (replace(NOTE, severity=Severity.INFO), "there is nothing to repair"),
        (replace(NEVER, fault_in=FaultPlace.OUTSIDE), "the fault lies outside the image, in the new machine"),
        (replace(NEVER, remedy=Remedy.SKIPPED), "it is left as it is, as --skip asks for"),
    ],
)
def test_where_no_command_fixes_it_the_reason_is_said(finding: Finding, reason: str) -> None:
    found = context(finding, DRIVER).remediation(finding)
    assert (found.argv, found.needs, found.consents, found.reason) == (None, (), (), reason)


def test_a_firmware_that_cannot_start_this_windows_leaves_nothing_to_run() -> None:
    firmware = replace(NEVER, id=FIRMWARE)
    assert context(firmware, DRIVER).remediation(DRIVER).argv is None


def test_without_a_target_there_is_no_command() -> None:
    assert RepairContext((), IMAGES).remediation(DRIVER).reason == "the command needs a target, and none was given"


def test_the_command_of_a_dead_server_repairs_it(
    bootgraft: Callable[..., CommandResult], server1: BuiltMachine, donor: BuiltMachine
) -> None:
    check = bootgraft("check", server1.disk, "--target", "vmware:lsilogic", "--json").json
    found, other = (each for each in check["findings"] if each["id"] == "device-binding-missing")
    assert found["link"] == "docs/findings.md#device-binding-missing"
    assert found["volume"] == check["windows"]["volume"]
    assert (found["control_sets"], other["control_sets"]) == ([1], [2])
    program, *words = found["remediation"]["argv"]
    assert (program, found["remediation"]["needs"]) == ("bootgraft", ["--drivers"])
    assert bootgraft(*words, "--drivers", donor.disk).status == 0
    assert bootgraft("check", server1.disk, "--target", "vmware:lsilogic").status == 0
