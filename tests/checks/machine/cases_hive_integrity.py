"""The three machines of each finding of ``hive_integrity``."""

from tests.checks.case import Case
from tests.checks.subjects import HIVE

from bootgraft.checks.machine import hive_integrity
from bootgraft.registry.integrity.survey import Defect, DefectKind, DefectSeverity


def _wrong_order() -> Defect:
    return Defect(DefectKind.SUBKEY_ORDER, DefectSeverity.LOSES, 0x1230, r"ControlSet001\Services", "not in order")


CASES = {
    hive_integrity.ID: Case(
        hive_integrity.check(str(HIVE), (_wrong_order(),), {"", "ControlSet001", r"ControlSet001\Services"}),
        hive_integrity.check(str(HIVE), (), {"", "ControlSet001", r"ControlSet001\Services"}),
        hive_integrity.check(str(HIVE), (), {""}),
    ),
}
