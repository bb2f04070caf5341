"""Are the hives sound that Windows loads, and above all where a repair would edit them?"""

from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.machine.hive_facts import HiveFacts
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.integrity.defects import Defect, DefectKind, DefectSeverity
from bootgraft.registry.upcase import upcase
from bootgraft.text import counted

ID = "hive-defects"
_CANNOT_LOAD = "0xc0000218"
"""Microsoft, "Bug Check 0xC0000218": a hive file that cannot be loaded."""
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="A registry hive breaks the rules of its format: a write that was cut short, a bad disk, or a tool that "
    "writes hives wrongly. NT 4, 2000 and XP without a service pack refuse a hive with nearly any defect (ntldr calls "
    "SYSTEM missing or corrupt; 0x74, 0xC0000218); XP SP1, Server 2003 and later take the damaged part away as they "
    "load it, and refuse only a hive without its root key. No Windows finds a key under a wrong hash. What each makes "
    "of a defect is what `reg verify` says too.",
    evidence="Each defect with the key it belongs to and the offset of its cell.",
    fix="None: bootgraft does not guess what was there. Restore the hive from a backup. A blocker is a defect for "
    "which this Windows refuses the hive, or one in what the repair would have to walk or change. What Windows takes "
    "away or does not find is a warning; where that lies in what the start depends on (Select, Setup, the "
    "DriverDatabase, Control and Services of the default control set), the verdict is unknown.",
    limits="SYSTEM is read whole, and of those that refuse a hive SOFTWARE, SAM, SECURITY and DEFAULT too. `reg "
    "verify` reads every hive. Whether these refuse a hive whose keys are not in order is not documented: "
    "that counts as keys that are not found.",
    symptoms=(Symptom.FILE_MISSING, Symptom.C000014C, Symptom.STOP_51, Symptom.STOP_74, Symptom.C0000218),
    references=(
        "https://github.com/msuhanov/regf",
        "https://support.microsoft.com/kb/815011",
        "https://github.com/reactos/reactos/blob/master/sdk/lib/cmlib/cmcheck.c",
        "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x74--bad-system-config-info",
    ),
)
_IN_PARENTS_LIST = frozenset({DefectKind.SUBKEY_ORDER, DefectKind.SUBKEY_TWICE})
"""Told of a sub-key, but they mislead whoever looks for a place in its parent's list."""
_VERIFY = ("reg", "verify")
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
_NEVER = frozenset({DefectKind.SUBKEY_LIST_KIND})
"""An edit leaves a list of the kind that it is."""
_SUBTREE = "\\"


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for what Windows refuses a hive for, and one for what it takes away or does not find."""
    for each in guest.hives:
        yield from judge(each)


def judge(facts: HiveFacts) -> Iterator[Finding]:
    """What the defects of one hive mean for the start."""
    if facts.error is not None:
        yield Finding(
            ID,
            Severity.BLOCKER,
            f"Windows cannot load the registry hive {facts.place}",
            "It loads this hive before anybody can log on, and stops where it cannot.",
            (f"{facts.place}: {facts.error}",),
            stop_code=_CANNOT_LOAD,
        )
    if facts.unread is not None:
        yield Finding(
            ID,
            Severity.WARNING,
            f"the registry hive {facts.place} could not be read to its end",
            "Whether Windows loads it cannot be determined from here.",
            (f"{facts.place}: {facts.unread}",),
            command=_VERIFY,
            leaves_open=True,
        )
    refused = [each for each in facts.defects if each.severity is DefectSeverity.REJECTS]
    others = [each for each in facts.defects if each.severity in (DefectSeverity.DROPS, DefectSeverity.LOSES)]
    tolerated = [each for each in facts.defects if each.severity is DefectSeverity.TOLERATES]
    if refused:
        explanation = "This Windows refuses a hive with such a defect."
        yield _finding(Severity.BLOCKER, facts.place, refused, explanation, "for which Windows refuses it")
    if others:
        is_open = any(_concerns_start(each, facts) for each in others)
        explanation = "Windows takes these parts away as it loads the hive, or does not find them. "
        explanation += "Whether the start needs them is unknown." if is_open else "The start does not need them."
        found = _finding(Severity.WARNING, facts.place, others, explanation, "that lose something of it")
        yield replace(found, leaves_open=is_open)
    if tolerated:
        explanation = "Windows loads the hive all the same, and finds all of it."
        yield _finding(Severity.WARNING, facts.place, tolerated, explanation, "that Windows puts up with")


def _concerns_start(defect: Defect, facts: HiveFacts) -> bool:
    """Whether it may take away, or hide, a key that the start depends on: one of those, below them, or above."""
    if not facts.start_keys:
        return False
    if defect.key is None:
        return defect.kind is not DefectKind.SECURITY_COUNT
    key = upcase(defect.key)
    return any(
        key == each or key.startswith(each + _SUBTREE) or not key or each.startswith(key + _SUBTREE)
        for each in facts.start_keys
    )


def check(
    place: str,
    defects: Sequence[Defect],
    walked: Collection[str],
    deleted: Collection[str] = (),
    *,
    elsewhere: bool = True,
) -> tuple[Finding, ...]:
    """Findings for the hive ``place``: what is wrong in ``walked`` keys blocks, and below ``deleted`` ones too.

    Both are paths from the hive's root; harmless defects are left out. Without ``elsewhere`` so are those that are not
    in the way, because :func:`find` tells of them.
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
        findings.append(_finding(Severity.BLOCKER, place, blocking, explanation, "where it must be edited"))
    if others and elsewhere:
        explanation = (
            "The repair does not touch these parts. Windows may refuse the hive or lose them, as it would without it."
        )
        findings.append(_finding(Severity.WARNING, place, others, explanation, "in parts that are not edited"))
    return tuple(findings)


def _in_the_way(defect: Defect, keys: set[str], trees: tuple[str, ...]) -> bool:
    if defect.kind in _EVERYWHERE:
        return True
    if defect.kind in _NEVER:
        return False
    if defect.key is None:
        return False
    key = upcase(defect.key)
    if defect.kind in _IN_PARENTS_LIST and key.rpartition("\\")[0] in keys:
        return True
    return key in keys or key.startswith(trees)


def _finding(severity: Severity, place: str, defects: Sequence[Defect], explanation: str, where: str) -> Finding:
    count = counted(len(defects), "defect")
    evidence = [f"{place}: {defect}" for defect in defects[:SHOWN]]
    if len(defects) > SHOWN:
        evidence.append(f"and {len(defects) - SHOWN} more")
    return Finding(
        ID, severity, f"the registry hive {place} has {count} {where}", explanation, tuple(evidence), command=_VERIFY
    )


CHECK = Check(Stage.MACHINE, 100, (DOC,), find)
