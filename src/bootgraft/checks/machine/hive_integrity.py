"""Is the hive that a repair would edit sound, and above all where it would be edited?"""

from collections.abc import Collection, Sequence

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.registry.integrity.defects import Defect, DefectKind, DefectSeverity
from bootgraft.registry.upcase import upcase

ID = "hive-defects"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows; `repair` and `reg` look for it before they write, `reg verify` whenever it is asked",
    cause="A registry hive breaks the rules of its format: a write that was cut short, a bad disk, or a tool that "
    "writes hives wrongly. Windows refuses such a hive (0x74, 0xC0000218), throws parts of it away, or does not find "
    "what is there.",
    evidence="Each defect with the key it belongs to and the offset of its cell.",
    fix="None: bootgraft does not guess what was there. Restore the hive from a backup. A blocker is a defect in what "
    "the repair would have to walk or change; elsewhere it is a warning, and the repair goes on.",
    limits="Only the hives that would be changed are read, and only when something would be changed.",
    references=("https://github.com/msuhanov/regf",),
)
_IN_PARENTS_LIST = frozenset({DefectKind.SUBKEY_ORDER, DefectKind.SUBKEY_TWICE})
"""Told of a sub-key, but they mislead whoever looks for a place in its parent's list."""
SHOWN = 5
"""Defects that are told in full; the rest are counted."""
_EVERYWHERE = frozenset(
    {
        DefectKind.BIN_HEADER,  # room for new cells is looked for in every bin
        DefectKind.CELL_SIZE,
        DefectKind.SHARED_CELL,  # changing one owner's cell changes the other's
        DefectKind.ROOT_KEY,
        DefectKind.SECURITY_RECORD,  # new keys join the ring of descriptors
        DefectKind.SECURITY_RING,
        DefectKind.TOO_MANY,
    }
)


def check(
    place: str, defects: Sequence[Defect], walked: Collection[str], deleted: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Findings for the hive ``place``: what is wrong in ``walked`` keys blocks, and below ``deleted`` ones too.

    Both are paths from the hive's root; harmless defects are left out.
    """
    keys = {upcase(path) for path in walked}
    trees = tuple(upcase(path) + "\\" for path in deleted)
    blocking: list[Defect] = []
    others: list[Defect] = []
    for defect in defects:
        if defect.severity is not DefectSeverity.HARMLESS:
            (blocking if _in_the_way(defect, keys, trees) else others).append(defect)
    findings = []
    if blocking:
        explanation = "The repair would have to change what is damaged; whatever it wrote could be lost or do harm."
        findings.append(_finding(Severity.BLOCKER, place, blocking, explanation))
    if others:
        explanation = (
            "The repair does not touch these parts. Windows may refuse the hive or lose them, as it would without it."
        )
        findings.append(_finding(Severity.WARNING, place, others, explanation))
    return tuple(findings)


def _in_the_way(defect: Defect, keys: set[str], trees: tuple[str, ...]) -> bool:
    if defect.kind in _EVERYWHERE:
        return True
    if defect.key is None:
        return False
    key = upcase(defect.key)
    if defect.kind in _IN_PARENTS_LIST and key.rpartition("\\")[0] in keys:
        return True
    return key in keys or key.startswith(trees)


def _finding(severity: Severity, place: str, defects: Sequence[Defect], explanation: str) -> Finding:
    count = f"{len(defects)} defect{'' if len(defects) == 1 else 's'}"
    evidence = [f"{place}: {defect}" for defect in defects[:SHOWN]]
    if len(defects) > SHOWN:
        evidence.append(f"and {len(defects) - SHOWN} more; `bootgraft reg verify` tells all")
    where = "where it must be edited" if severity is Severity.BLOCKER else "in parts that are not edited"
    return Finding(ID, severity, f"the registry hive {place} has {count} {where}", explanation, tuple(evidence))


CHECK = Check(Stage.MACHINE, 100, (DOC,), None)
