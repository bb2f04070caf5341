"""Attributes of the GPT entry of Windows' own partition that keep it from being mounted as it should be."""

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.identity.identity_facts import HIDDEN, NO_DRIVE_LETTER, READ_ONLY, IdentityFacts
from bootgraft.checks.symptom import Symptom

ID = "gpt-attributes-hide-volume"
_NAMES = {READ_ONLY: "read-only (bit 60)", HIDDEN: "hidden (bit 62)", NO_DRIVE_LETTER: "no drive letter (bit 63)"}
DOC = FindingDoc(
    id=ID,
    applies_to="Windows on GPT disks",
    cause="Backup programs set these bits on a snapshot's partition, and a restore from it leaves them set: Windows "
    "then mounts its own volume read-only or not at all, or gives it no letter.",
    evidence="The attributes of the partition of Windows in the GPT.",
    fix="The bits are cleared in both copies of the GPT, with new checksums. A copy whose checksums are wrong is left "
    "as it is.",
    limits="Only the partition of Windows; recovery and system partitions are meant to have such bits. Whether the "
    "start fails depends on the bit and the version.",
    symptoms=(Symptom.STOP_7B, Symptom.LOG_ON_LOOP),
    references=("https://learn.microsoft.com/windows/win32/api/winioctl/ns-winioctl-partition_information_gpt",),
)


def check(facts: IdentityFacts) -> tuple[Finding, ...]:
    """One finding where any of the bits is set for the volume of Windows."""
    windows = facts.windows
    if windows is None:
        return ()
    attributes = windows.volume.attributes
    found = [name for bit, name in _NAMES.items() if attributes & bit]
    if not found:
        return ()
    return (
        Finding(
            ID,
            Severity.WARNING,
            f"the partition of Windows is marked {', '.join(found)} in the GPT",
            "Windows may not be able to mount its own volume, or gives it no letter: the start or the log-on can fail.",
            (f"{windows.volume.name}: GPT attributes {attributes:#018x}",),
            Remedy.CHANGES if facts.unhiding else Remedy.NONE,
            facts.unhiding,
            leaves_open=True,
        ),
    )


CHECK = Check(Stage.IDENTITY, 20, (DOC,), lambda guest: check(guest.identity))
