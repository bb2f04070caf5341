"""What it takes to start on each target: the same as is said of it alone, and the least of it first."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.checks.test_diagnosis import made_of
from tests.checks.test_verdicts import RELEASES, diagnosis, guest, machine
from tests.core_windows import core_windows, without_keys
from tests.core_windows import guest as core_guest
from tests.machines.windows_hives import WINDOWS_XP

from bootgraft.boot.chain import BootChain
from bootgraft.checks.diagnosis import diagnose
from bootgraft.checks.finding import FaultPlace, Finding, Prospect, Remedy, Severity
from bootgraft.checks.guest import Guest
from bootgraft.checks.prospects import alternatives, outlook, outlooks
from bootgraft.machine import Firmware
from bootgraft.targets.controllers import CONTROLLERS, find_controller

BLOCKER = Finding("blocker", Severity.BLOCKER, "", "", ())


def broken_core() -> Guest:
    """An XP without one of its own drivers, and with a driver for few controllers."""
    return core_guest(core_windows(without_keys(r"Services\PartMgr"), release=WINDOWS_XP))


def uefi() -> Guest:
    """A Windows 10 that UEFI firmware starts."""
    windows = core_windows(release=RELEASES["10"][0], arch=RELEASES["10"][1])
    followed = chain()
    by_uefi = BootChain(followed.steps, followed.default, (), firmware=Firmware.UEFI)
    return guest_of(by_uefi, windows.installation, windows.hive)


def of_release(name: str) -> Callable[[Path], Guest]:
    """A machine that has what Setup leaves."""
    return lambda cache: guest(machine(name, cache), find_controller("vmware:ide"))


@pytest.mark.parametrize(
    "make",
    [of_release("NT 4"), of_release("2003"), of_release("7"), lambda _: broken_core(), lambda _: uefi()],
    ids=["NT 4", "NT 5", "BIOS", "broken", "UEFI"],
)
def test_each_row_is_what_is_said_of_that_target_alone(make: Callable[[Path], Guest], machine_cache: Path) -> None:
    subject = make(machine_cache)
    rows = outlooks(subject)
    assert [each.controller for each in rows] == list(CONTROLLERS)
    looked_at = (*rows[::5], *(each for each in rows if each.controller.target == "hyperv:gen2"))
    for row in looked_at:
        alone = Guest(subject.machine, subject.chain, subject.installation, subject.hive, controller=row.controller)
        alone.identity = subject.identity
        expected = diagnose(alone)
        assert row.diagnosis.verdict is expected.verdict
        assert row.diagnosis.findings == expected.findings


@pytest.mark.parametrize(
    ("findings", "prospect"),
    [
        ((), Prospect.BOOTS),
        ((replace(BLOCKER, severity=Severity.WARNING),), Prospect.BOOTS),
        ((replace(BLOCKER, remedy=Remedy.CHANGES),), Prospect.FIXABLE),
        ((replace(BLOCKER, remedy=Remedy.OWN_DRIVER),), Prospect.FIXABLE),
        ((replace(BLOCKER, remedy=Remedy.OFFERED),), Prospect.OPTION),
        ((replace(BLOCKER, remedy=Remedy.ADD_PARTITION),), Prospect.OPTION),
        ((replace(BLOCKER, remedy=Remedy.CONSENT, consent="--discard-hibernation"),), Prospect.OPTION),
        ((replace(BLOCKER, remedy=Remedy.DRIVER), replace(BLOCKER, remedy=Remedy.OFFERED)), Prospect.DRIVER),
        ((replace(BLOCKER, remedy=Remedy.DRIVER), replace(BLOCKER, remedy=Remedy.CHANGES)), Prospect.DRIVER),
        ((replace(BLOCKER, remedy=Remedy.BOOT_CODE),), Prospect.BOOT_CODE),
        ((replace(BLOCKER, fault_in=FaultPlace.OUTSIDE),), Prospect.OUTSIDE),
        ((replace(BLOCKER, remedy=Remedy.DRIVER), BLOCKER), Prospect.CANNOT),
        ((replace(BLOCKER, severity=Severity.INFO, leaves_open=True),), Prospect.UNKNOWN),
        ((replace(BLOCKER, severity=Severity.WARNING, leaves_open=True, remedy=Remedy.CHANGES),), Prospect.FIXABLE),
    ],
)
def test_the_worst_that_is_in_the_way_decides(findings: tuple[Finding, ...], prospect: Prospect) -> None:
    found = outlook(made_of(*findings), CONTROLLERS[0])
    assert found.prospect is prospect
    assert (found.decided_by is None) is (prospect is Prospect.BOOTS)


def test_the_options_that_a_repair_needs_are_named_once_whatever_else_it_takes() -> None:
    offered = replace(BLOCKER, remedy=Remedy.OFFERED)
    lost = replace(BLOCKER, remedy=Remedy.CONSENT, consent="--discard-hibernation", leaves_open=True)
    note = replace(BLOCKER, id="note", severity=Severity.INFO, remedy=Remedy.OFFERED)
    driver = replace(BLOCKER, remedy=Remedy.DRIVER)
    found = outlook(made_of(driver, offered, replace(offered, title="again"), lost, note), CONTROLLERS[0])
    assert (found.prospect, found.options) == (Prospect.DRIVER, ("--fix blocker", "--discard-hibernation"))
    assert outlook(made_of(driver, note), CONTROLLERS[0]).options == ()


@pytest.mark.parametrize(("followed", "judged"), [(chain(holds=False), True), (None, False)])
def test_what_lies_behind_a_fault_is_not_promised(followed: BootChain | None, judged: bool) -> None:
    fixable = replace(BLOCKER, remedy=Remedy.CHANGES)
    assert outlook(made_of(fixable, followed=followed, judged=judged), CONTROLLERS[0]).prospect is Prospect.UNKNOWN


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("XP", "vmware:lsilogic", ["vmware:ide"]),
        ("XP", "kvm:virtio-blk", ["kvm:ide after a repair"]),
        ("7", "vmware:pvscsi", ["vmware:lsilogic", "vmware:lsisas1068", "vmware:ide", "vmware:ahci after a repair"]),
        ("10", "xen:pv", ["xen:ide after a repair"]),
        ("10", "vmware:ahci", []),  # it lacks no driver
        ("7", "vmware:ide", []),  # it boots
    ],
)
def test_what_to_choose_instead(name: str, target: str, expected: list[str], machine_cache: Path) -> None:
    here = guest(machine(name, machine_cache), find_controller(target))
    repaired = {Prospect.BOOTS: "", Prospect.FIXABLE: " after a repair"}
    found = alternatives(diagnose(here), here)
    assert [f"{each.controller.target}{repaired[each.prospect]}" for each in found] == expected


def test_without_a_windows_there_is_nothing_to_choose(machine_cache: Path) -> None:
    lacking = diagnosis(machine("XP", machine_cache), find_controller("vmware:lsilogic"))
    assert alternatives(lacking, guest_of(chain())) == ()
