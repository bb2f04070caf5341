"""Where a finding is said to be."""

from pathlib import Path

import pytest
from tests.memory_windows import memory_windows

from bootgraft.changes import Change, CreateKey, FileId, WriteSectors
from bootgraft.checks.finding import Finding, Severity
from bootgraft.report.programs.places import control_sets_of, volume_of

SYSTEM = FileId(0, 8192, "disk 0 partition 2", "\\WINDOWS\\system32\\config\\SYSTEM")
KEY = CreateKey(SYSTEM, "ControlSet003\\Services\\symmpi")
SECTORS = WriteSectors(0, 0, b"new", b"old", "the boot code")


def finding(title: str, *evidence: str, changes: tuple[Change, ...] = ()) -> Finding:
    return Finding("id", Severity.WARNING, title, "", evidence, changes=changes)


@pytest.mark.parametrize(
    ("found", "numbers"),
    [
        (finding("a is not in ControlSet002", "Select: ControlSet001"), (2,)),
        (finding("a differs", "ControlSet001\\Enum", changes=(KEY, SECTORS)), (3,)),
        (finding("a differs", f"{SYSTEM}: ControlSet002\\Enum", "ControlSet001\\Enum"), (1, 2)),
        (finding("the boot code is damaged", "disk 0: sector 0", changes=(SECTORS,)), ()),
    ],
)
def test_control_sets(found: Finding, numbers: tuple[int, ...]) -> None:
    assert control_sets_of(found) == numbers


@pytest.mark.parametrize(
    ("found", "volume"),
    [
        (finding("a", f"{SYSTEM}: ControlSet001"), "disk 0 partition 2"),
        (finding("a", "disk 0 partition 1: boot.ini", changes=(KEY,)), "disk 0 partition 2"),
        (finding("a", "disk 0 partition 1: x", "disk 0 partition 2: y"), None),
        (finding("a", "disk 0: sector 0", changes=(SECTORS,)), None),
        (finding("a", "disk 0 partition 1"), "disk 0 partition 1"),
        (finding("a", "a file called disk 0 partition 1: x"), None),
    ],
)
def test_volumes(found: Finding, volume: str | None) -> None:
    assert volume_of(found, None) == volume


def test_a_path_without_a_volume_is_of_the_windows(machine_cache: Path) -> None:
    home = memory_windows(machine_cache).machine.disks[0].volumes[0]
    assert volume_of(finding("a", "\\WINDOWS: x"), home) == home.name
    assert volume_of(finding("a", "\\WINDOWS: x"), None) is None
    assert volume_of(finding("a", "\\WINDOWS: x", "disk 7 partition 2: y"), home) is None
