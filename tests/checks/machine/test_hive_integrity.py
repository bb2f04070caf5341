"""Which defects of a hive stand in a repair's way."""

import pytest

from bootgraft.checks.finding import Severity
from bootgraft.checks.machine.hive_integrity import SHOWN, check
from bootgraft.registry.integrity.survey import Defect, DefectKind, DefectSeverity

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
