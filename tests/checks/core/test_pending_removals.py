"""Files of boot drivers that the next start is to remove."""

import pytest
from tests.checks.core.cases_pending_removals import PARTMGR, pending
from tests.core_windows import core_windows, guest, repaired
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core import pending_removals
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.windows.leftovers.servicing import read_file_operations

OTHER = r"\??\C:\Config.Msi\a014fa5.rbf"


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(pending_removals.find(guest(windows)))


def test_it_is_named_with_its_driver() -> None:
    (finding,) = find(pending(OTHER, "", PARTMGR, ""))
    assert (finding.severity, finding.remedy) == (Severity.WARNING, Remedy.OFFERED)
    assert finding.title.endswith(": partmgr")
    assert len(finding.evidence) == 1


def test_exactly_that_operation_is_taken_out() -> None:
    windows = pending(OTHER, "", PARTMGR, "", OTHER, rf"!{OTHER}.old", PARTMGR, OTHER)
    fixed = repaired(windows, find(windows))
    assert find(fixed)  # the last of the two on that file; the other one is the next to be seen
    fixed = repaired(fixed, find(fixed))
    assert find(fixed) == ()
    left = read_file_operations(fixed.installation, fixed.hive, 1)
    assert left is not None
    assert left.names == (OTHER, "", OTHER, rf"!{OTHER}.old")


@pytest.mark.parametrize(
    "names",
    [
        (OTHER, ""),
        (PARTMGR, "", OTHER, rf"!{PARTMGR}"),
        (OTHER, rf"!{PARTMGR}"),
        (r"\??\C:\WINDOWS\system32\drivers\vmci.sys", ""),
        (),
    ],
    ids=["another file", "replaced", "updated", "no such driver", "empty"],
)
def test_what_leaves_the_file_in_its_place_is_as_it_should_be(names: tuple[str, ...]) -> None:
    assert find(pending(*names)) == ()


def test_no_list_is_none() -> None:
    assert find(core_windows()) == ()


def test_a_list_that_no_installer_leaves_is_not_read() -> None:
    windows = pending(*(("x", "") * 20_001), PARTMGR, "")
    assert find(windows) == ()
