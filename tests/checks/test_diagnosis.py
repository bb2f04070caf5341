"""Every finding has its three machines; the verdict never says more than is known."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.checks.cases import CASES
from tests.checks.controller.control_sets import facts
from tests.checks.guests import guest_of
from tests.checks.subjects import LSI_LOGIC, chain, installation
from tests.core_windows import core_windows, without_values
from tests.core_windows import guest as core_guest
from tests.fakes import FakeFileSystem
from tests.machines.hives import make_hive
from tests.machines.spec import Architecture
from tests.machines.spec import Hive as HiveSpec
from tests.machines.windows_hives import WINDOWS_10
from tests.registry.support import open_bytes

from bootgraft.boot.chain import BootChain
from bootgraft.checks.catalogue import checks, documentation
from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import CONTROLLERS, Controller, find_controller

MISSING, UNSIGNED = "device-binding-missing", "driver-signature-missing"
_STOPS_NOTHING_BY_ITSELF = (
    "device-binding-only-in-enum",
    "device-binding-by-detection",
    "boot-service-path-not-relative",
    "boot-service-group-unknown",
    "boot-service-bus-type-wrong",
    "critical-device-database-unused",
    "device-binding-class-wrong",
    UNSIGNED,
    "driver-signature-refused",
    "driver-signature-secure-boot",
    "driver-signature-uncertain",
    "driver-signature-catalog",
    "boot-driver-signature",
    "filter-driver-not-boot-start",
)
IDS = [doc.id for doc in documentation()]
SYMPTOMS = {doc.id: doc.symptoms for doc in documentation()}
FIXES = {doc.id: doc.fix for doc in documentation()}


def test_every_finding_has_its_machines_and_no_machine_is_without_one() -> None:
    assert set(CASES) == set(IDS)


@pytest.mark.parametrize("finding_id", IDS)
def test_a_broken_machine_is_found_out(finding_id: str) -> None:
    found = CASES[finding_id].broken
    assert found
    assert {each.id for each in found} == {finding_id}
    require_symptoms(found, SYMPTOMS[finding_id])


def require_symptoms(found: Sequence[Finding], declared: Sequence[Symptom]) -> None:
    """What stops a start is seen on the screen, and the STOP that a finding names is one that its page tells."""
    assert declared or not any(each.severity is Severity.BLOCKER for each in found)
    assert {each.stop_code for each in found if each.stop_code} <= set(declared)
    assert Symptom.LOG_ON_LOOP in declared or not any(each.ends_log_on for each in found)


@pytest.mark.parametrize("finding_id", IDS)
def test_a_repaired_machine_is_clear(finding_id: str) -> None:
    assert CASES[finding_id].repaired == ()


@pytest.mark.parametrize("finding_id", IDS)
def test_a_healthy_machine_is_clear(finding_id: str) -> None:
    assert CASES[finding_id].healthy == ()


@pytest.mark.parametrize("finding_id", IDS)
def test_a_finding_says_what_it_is_first_and_shows_it(finding_id: str) -> None:
    for finding in CASES[finding_id].broken:
        assert finding.title
        assert "\n" not in finding.title
        assert len(finding.title) < 120
        assert not finding.title.endswith(".")
        assert finding.explanation.endswith(".")
        assert finding.evidence or finding_id == "target-not-given"


@pytest.mark.parametrize("finding_id", IDS)
def test_what_is_promised_in_the_documentation_is_what_repair_does(finding_id: str) -> None:
    for finding in CASES[finding_id].broken:
        assert finding.fixable is not FIXES[finding_id].startswith(("None", "Give "))
        assert bool(finding.changes) is (finding.remedy in (Remedy.CHANGES, Remedy.CONSENT, Remedy.OFFERED))


@pytest.mark.parametrize("finding_id", IDS)
def test_the_default_control_set_decides(finding_id: str) -> None:
    found = CASES[finding_id].broken
    if len(found) != 2 or finding_id in _STOPS_NOTHING_BY_ITSELF:
        return  # not a lack of a control set, or one that stops no start by itself
    assert [each.severity for each in found] == [Severity.BLOCKER, Severity.WARNING]
    assert "ControlSet001" in found[0].title + found[0].explanation
    assert "ControlSet002" in found[1].title + found[1].explanation
    assert "stops with 0x7B" in found[0].explanation
    assert "not the default control set" in found[1].explanation
    assert found[0].stop_code == "0x7b"


def diagnosis_of(*findings: Finding, followed: BootChain | None = None, judged: bool = True) -> Verdict:
    return made_of(*findings, followed=followed, judged=judged).verdict


def made_of(*findings: Finding, followed: BootChain | None = None, judged: bool = True) -> Diagnosis:
    """The diagnosis of a good machine, had its checks found this."""
    guest = guest_of(followed or chain(), installation(), None, LSI_LOGIC)
    guest.gathered[LSI_LOGIC] = facts() if judged else None
    guest.found = {(stage, LSI_LOGIC): () for stage in Stage}
    guest.found[Stage.MACHINE, LSI_LOGIC] = findings
    return diagnose(guest)


BLOCKER = CASES["device-binding-missing"].broken[0]
WARNING = CASES["device-binding-missing"].broken[1]


def test_no_finding_on_judged_ground_boots() -> None:
    assert diagnosis_of() is Verdict.BOOTS


def test_a_warning_does_not_stop_the_boot() -> None:
    assert diagnosis_of(WARNING) is Verdict.BOOTS


@pytest.mark.parametrize(
    ("finding_id", "sets"),
    [("device-binding-only-in-enum", 2), ("boot-service-path-not-relative", 2), ("hibernated-session", 1)],
)
def test_what_cannot_be_told_from_the_disk_is_unknown(finding_id: str, sets: int) -> None:
    found = CASES[finding_id].broken
    assert [each.severity for each in found] == [Severity.WARNING] * sets
    assert diagnosis_of(found[0]) is Verdict.UNKNOWN
    assert diagnosis_of(found[0], BLOCKER) is Verdict.BLOCKED
    if sets == 2:
        assert diagnosis_of(found[1]) is Verdict.BOOTS, "only the default control set decides"


def test_a_blocker_does() -> None:
    assert diagnosis_of(WARNING, BLOCKER) is Verdict.BLOCKED


OUTSIDE = CASES["vm-firmware"].broken[0]


def test_what_lies_outside_the_image_is_not_held_against_it() -> None:
    made = made_of(OUTSIDE, WARNING)
    assert (made.verdict, made.image_verdict, made.outside) == (Verdict.BLOCKED, Verdict.BOOTS, (OUTSIDE,))
    made = made_of(replace(OUTSIDE, severity=Severity.WARNING, leaves_open=True))
    assert (made.verdict, made.image_verdict) == (Verdict.UNKNOWN, Verdict.BOOTS)
    made = made_of(OUTSIDE, BLOCKER)
    assert (made.verdict, made.image_verdict) == (Verdict.BLOCKED, Verdict.BLOCKED)
    assert made_of(OUTSIDE, judged=False).image_verdict is Verdict.UNKNOWN
    made = made_of(WARNING).with_findings([OUTSIDE])
    assert (made.verdict, made.image_verdict, made.outside) == (Verdict.BLOCKED, Verdict.BOOTS, (OUTSIDE,))
    assert made.with_findings([BLOCKER]).image_verdict is Verdict.BLOCKED


@pytest.mark.parametrize("doc", documentation(), ids=lambda doc: doc.id)
def test_a_fault_lies_where_its_documentation_says(doc: FindingDoc) -> None:
    assert {each.fault_in for each in CASES[doc.id].broken} == {doc.fault_in}
    if doc.fault_in is FaultPlace.OUTSIDE:
        assert not any(each.fixable for each in CASES[doc.id].broken)


def test_what_is_not_judged_is_unknown() -> None:
    assert diagnosis_of(judged=False) is Verdict.UNKNOWN


def test_a_chain_that_leads_nowhere_known_is_unknown() -> None:
    lost = chain(holds=False, understood=False)
    assert diagnosis_of(followed=lost) is Verdict.UNKNOWN


def test_a_broken_chain_is_blocked_without_a_stop_code() -> None:
    found = diagnose(guest_of(chain(holds=False), None, None, LSI_LOGIC))
    assert (found.verdict, found.stop_code) == (Verdict.BLOCKED, None)
    assert [each.id for each in found.blockers] == ["boot-chain-broken"]


def empty_hive(tmp_path: Path) -> Hive:
    make_hive(HiveSpec(text=""), tmp_path / "hive")
    return open_bytes((tmp_path / "hive").read_bytes())


@pytest.mark.parametrize("version", [(4, 0), (5, 0), (6, 0), (6, 1)])
def test_a_windows_with_no_driver_at_all_never_boots(version: tuple[int, int], tmp_path: Path) -> None:
    hive = empty_hive(tmp_path)
    for controller in CONTROLLERS:
        found = diagnose(guest_of(chain(), installation(version=version), hive, controller))
        assert found.verdict is Verdict.BLOCKED
        assert {each.id for each in found.blockers} & {MISSING, "boot-service-missing", "target-firmware"}


@pytest.mark.parametrize("version", [(0, 0), (3, 51), (6, 2), (10, 0)])
def test_a_windows_that_is_not_judged_is_never_called_bootable(version: tuple[int, int], tmp_path: Path) -> None:
    hive, windows = empty_hive(tmp_path), installation(version=version)
    filesystem = windows.volume.filesystem()
    assert isinstance(filesystem, FakeFileSystem)
    filesystem.files = dict.fromkeys(filesystem.files, (tmp_path / "hive").read_bytes())
    found = diagnose(guest_of(chain(), windows, hive, LSI_LOGIC))
    assert found.verdict is Verdict.UNKNOWN
    assert [each.id for each in found.findings] == ["target-not-judged"]
    assert found.facts is None


def test_a_good_machine_passes_every_storage_check() -> None:
    good = guest_of(chain(), installation())
    good.gathered[good.controller] = facts()
    found = [tuple(check.find(good)) for check in checks(Stage.CONTROLLER) if check.find is not None]
    assert found == [()] * len(found)
    assert len(found) > 7


def test_the_stop_code_is_the_blockers() -> None:
    made = Diagnosis(chain(), None, LSI_LOGIC, None, (WARNING, BLOCKER), Verdict.BLOCKED, Verdict.BLOCKED)
    assert made.stop_code == "0x7b"
    assert replace(made, findings=(WARNING,)).stop_code is None


def test_a_check_that_asks_for_no_controller_is_run_once_for_all() -> None:
    asked: list[Controller | None] = []
    guest = guest_of(chain(), installation())

    def indifferent(_guest: Guest) -> tuple[Finding, ...]:
        asked.append(None)
        return (BLOCKER,)

    def picky(guest: Guest) -> tuple[Finding, ...]:
        asked.append(guest.controller)
        return ()

    for controller in (*CONTROLLERS[:3], CONTROLLERS[0]):
        assert guest.on(controller).look("indifferent", indifferent) == (BLOCKER,)
        assert guest.on(controller).look("picky", picky) == ()
    assert asked == [None, *CONTROLLERS[:3]]


def test_what_is_found_on_one_controller_is_not_taken_for_another() -> None:
    """Hyper-V's second generation has no PCI bus whose driver would have to start."""
    windows = core_windows(without_values(r"Services\pci", "Start"), release=WINDOWS_10, arch=Architecture.X64)
    guest = core_guest(windows)
    with_pci, without = (find_controller(each) for each in ("kvm:nvme", "hyperv:gen2"))
    for controllers in ((with_pci, without), (without, with_pci)):
        found = {each: {finding.id for finding in diagnose(guest.on(each)).findings} for each in controllers}
        assert "core-service-not-boot-start" in found[with_pci] - found[without]
        guest = core_guest(windows)


def test_what_is_shared_between_controllers_asks_for_none() -> None:
    guest = core_guest(core_windows())
    shared = [name for name, each in vars(Guest).items() if type(each).__name__ == "_Shared"]
    assert len(shared) > 5
    read: list[str] = []
    for name in shared:

        def look(guest: Guest, name: str = name) -> tuple[Finding, ...]:
            read.append(name)
            getattr(guest, name)
            return ()

        for controller in CONTROLLERS[:2]:
            guest.on(controller).look(name, look)
    assert read == shared
