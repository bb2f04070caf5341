"""What the user wants repaired, and what not."""

from tests.core_windows import DISK, core_windows, driver_file, guest, in_sets, without_keys
from tests.machines.registry_text import Multi, RegistryValue

from bootgraft.checks.diagnosis import Diagnosis, Verdict, diagnose
from bootgraft.checks.finding import Remedy
from bootgraft.checks.fix_choice import FixChoice

LATE: dict[str, dict[str, RegistryValue]] = {
    DISK: {"LowerFilters": Multi(("own",))},
    r"Services\own": {"Type": 1, "Start": 3, "ErrorControl": 1},
}
ID = "filter-driver-not-boot-start"


def looked_at(fix: str = "", skip: str = "") -> Diagnosis:
    windows = core_windows(in_sets(LATE), files={r"system32\drivers\own.sys": driver_file()})
    looked = guest(windows)
    looked.choice = FixChoice(frozenset(fix.split()), frozenset(skip.split()))
    return diagnose(looked)


def test_what_is_only_offered_has_no_changes_unless_it_is_asked_for() -> None:
    found = looked_at()
    assert [(each.id, each.remedy, each.changes) for each in found.findings] == [(ID, Remedy.OFFERED, ())] * 2
    asked = looked_at(fix=ID)
    assert [each.remedy for each in asked.findings] == [Remedy.CHANGES] * 2
    assert all(each.changes for each in asked.findings)


def test_what_is_skipped_has_no_changes_and_does_not_decide_about_the_image() -> None:
    found = looked_at(skip=ID)
    assert [(each.remedy, each.changes) for each in found.findings] == [(Remedy.SKIPPED, ())] * 2
    assert (found.verdict, found.image_verdict) == (Verdict.UNKNOWN, Verdict.BOOTS)


def test_a_blocker_that_is_skipped_is_still_one() -> None:
    looked = guest(core_windows(without_keys(r"Services\PartMgr")))
    looked.choice = FixChoice(skip=frozenset({"core-service-missing"}))
    found = diagnose(looked)
    assert (found.verdict, found.image_verdict) == (Verdict.BLOCKED, Verdict.BOOTS)
    assert [each.id for each in found.outside] == ["core-service-missing"]
