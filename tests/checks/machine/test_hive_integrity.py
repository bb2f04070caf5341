"""Which defects of a hive stand in a repair's way."""

import struct
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.checks.test_verdicts import RELEASES, diagnosis
from tests.machines.spec import File
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.checks.diagnosis import Verdict
from bootgraft.checks.finding import Severity
from bootgraft.checks.machine.hive_facts import HiveFacts, gather
from bootgraft.checks.machine.hive_integrity import SHOWN, check, judge
from bootgraft.registry.baseblock import PAGE
from bootgraft.registry.integrity.survey import Defect, DefectKind, DefectSeverity
from bootgraft.targets.controllers import find_controller

WALKED = {"", "ControlSet001", r"ControlSet001\Services"}


def defect(kind: DefectKind, key: str | None, severity: DefectSeverity = DefectSeverity.REJECTS) -> Defect:
    return Defect(kind, severity, 0x120, key, "it is wrong")


@pytest.mark.parametrize(
    ("kind", "key", "severity"),
    [
        (DefectKind.VALUE_DATA, r"controlset001\SERVICES", Severity.BLOCKER),
        (DefectKind.VALUE_DATA, r"ControlSet001\Services\atapi", Severity.WARNING),
        (DefectKind.SUBKEY_ORDER, r"ControlSet001\Services\atapi", Severity.BLOCKER),
        (DefectKind.SUBKEY_HASH, r"ControlSet001\Services\atapi", Severity.WARNING),
        (DefectKind.SUBKEY_TWICE, r"ControlSet001\Enum\PCI", Severity.WARNING),
        (DefectKind.SUBKEY_COUNT, r"ControlSet002\Enum", Severity.WARNING),
        (DefectKind.SUBKEY_COUNT, r"Doomed\below", Severity.BLOCKER),
        (DefectKind.SUBKEY_COUNT, "Doomed2", Severity.WARNING),
        (DefectKind.BIN_HEADER, None, Severity.BLOCKER),
        (DefectKind.SHARED_CELL, r"ControlSet002\Enum", Severity.BLOCKER),
        (DefectKind.SECURITY_RING, None, Severity.BLOCKER),
        (DefectKind.SECURITY_COUNT, None, Severity.WARNING),
    ],
)
def test_what_is_in_the_way(kind: DefectKind, key: str | None, severity: Severity) -> None:
    (finding,) = check("SYSTEM", [defect(kind, key)], WALKED, {"doomed"})
    assert finding.severity is severity
    assert not finding.fixable


def test_harmless_defects_are_not_told() -> None:
    assert check("SYSTEM", [defect(DefectKind.MAXIMUM, "", DefectSeverity.HARMLESS)], WALKED) == ()


def test_both_sorts_are_told_apart_and_counted() -> None:
    many = [defect(DefectKind.VALUE_DATA, f"Other\\{number}") for number in range(SHOWN + 3)]
    blocker, warning = check("SYSTEM", [defect(DefectKind.VALUE_DATA, ""), *many], WALKED)
    assert (blocker.severity, warning.severity) == (Severity.BLOCKER, Severity.WARNING)
    assert blocker.title == "the registry hive SYSTEM has 1 defect where it must be edited"
    assert blocker.evidence == ("SYSTEM: it is wrong (at 0x120, key (root))",)
    assert len(warning.evidence) == SHOWN + 1
    assert warning.evidence[-1].startswith("and 3 more")


REJECTS, DROPS, LOSES = DefectSeverity.REJECTS, DefectSeverity.DROPS, DefectSeverity.LOSES
START_KEYS = ("SELECT", r"CONTROLSET001\SERVICES")


@pytest.mark.parametrize(
    ("kind", "key", "severity", "expected", "leaves_open"),
    [
        (DefectKind.VALUE_DATA, r"ControlSet002\Enum", REJECTS, Severity.BLOCKER, False),
        (DefectKind.VALUE_DATA, r"ControlSet002\Enum", DROPS, Severity.WARNING, False),
        (DefectKind.VALUE_DATA, r"ControlSet001\Services\atapi", DROPS, Severity.WARNING, True),
        (DefectKind.VALUE_DATA, r"ControlSet001\ServicesActive", DROPS, Severity.WARNING, False),
        (DefectKind.KEY_RECORD, "controlset001", DROPS, Severity.WARNING, True),
        (DefectKind.SUBKEY_LIST, "", DROPS, Severity.WARNING, True),
        (DefectKind.BIN_HEADER, None, DROPS, Severity.WARNING, True),
        (DefectKind.SECURITY_COUNT, None, LOSES, Severity.WARNING, False),
        (DefectKind.SUBKEY_HASH, "Select", LOSES, Severity.WARNING, True),
        (DefectKind.SUBKEY_COUNT, "Select", DefectSeverity.TOLERATES, Severity.WARNING, False),
    ],
)
def test_what_windows_makes_of_it_decides(
    kind: DefectKind, key: str | None, severity: DefectSeverity, expected: Severity, *, leaves_open: bool
) -> None:
    (finding,) = judge(HiveFacts("SYSTEM", (defect(kind, key, severity),), start_keys=START_KEYS))
    assert (finding.severity, finding.leaves_open) == (expected, leaves_open)
    assert not finding.fixable


def test_nothing_in_another_hive_is_needed_by_the_start() -> None:
    (finding,) = judge(HiveFacts("SAM", (defect(DefectKind.KEY_RECORD, "", DROPS),)))
    assert not finding.leaves_open


def test_what_was_not_read_is_not_judged() -> None:
    (finding,) = judge(HiveFacts("SAM", unread="transactions are pending"))
    assert (finding.severity, finding.leaves_open) == (Severity.WARNING, True)


def damaged(windows: MemoryWindows) -> MemoryWindows:
    """The same with a value in the second control set whose data lies nowhere."""
    path = next(each for each in windows.filesystem.files if each.casefold().endswith("config\\system"))
    data = bytearray(windows.filesystem.files[path])
    key = windows.hive.key(r"ControlSet002\Control")
    assert key is not None
    node = key.node()
    for index in range(node.value_count):
        (value,) = struct.unpack_from("<I", data, PAGE + node.value_list + 4 + 4 * index)
        size, place = struct.unpack_from("<II", data, PAGE + value + 8)
        if not size & 0x80000000:
            struct.pack_into("<I", data, PAGE + value + 12, 0x00FFFFF8)
            break
    assert place
    windows.filesystem.files[path] = bytes(data)
    return windows.reread()


@pytest.mark.parametrize(
    ("name", "service_pack", "severity", "verdict"),
    [
        ("2000", "Service Pack 4", Severity.BLOCKER, Verdict.BLOCKED),
        ("XP", "", Severity.BLOCKER, Verdict.BLOCKED),
        ("XP", "Service Pack 1", Severity.WARNING, Verdict.BOOTS),
        ("2003", "", Severity.WARNING, Verdict.BOOTS),
        ("7", "", Severity.WARNING, Verdict.BOOTS),
    ],
)
def test_a_broken_and_a_healthy_machine(
    name: str, service_pack: str, severity: Severity, verdict: Verdict, machine_cache: Path
) -> None:
    release, arch = RELEASES[name]
    release = replace(release, service_pack=service_pack)
    windows = memory_windows(machine_cache, directory=release.directory, release=release, arch=arch)
    ide = find_controller("vmware:ide")
    assert diagnosis(windows, ide).findings == ()
    found = diagnosis(damaged(windows), ide)
    assert [(each.id, each.severity) for each in found.findings] == [("hive-defects", severity)]
    assert found.verdict is verdict


@pytest.mark.parametrize("name", ["XP", "7"])
def test_a_hive_beside_system_that_is_none(name: str, machine_cache: Path) -> None:
    release, arch = RELEASES[name]
    sam = File(f"\\{release.directory}\\system32\\config\\SAM", b"no hive at all".ljust(8192, b"\0"))
    windows = memory_windows(machine_cache, directory=release.directory, release=release, arch=arch, extra=(sam,))
    wrong = [each for each in gather(windows.installation, windows.hive) if each.error]
    (finding,) = (each for one in wrong for each in judge(one))
    assert (finding.severity, finding.stop_code) == (Severity.BLOCKER, "0xc0000218")
    assert finding.evidence[0].endswith("this is not a registry hive: it does not begin with 'regf'")
