"""Does the boot chain need a volume whose file system, or whose pool, only Windows itself can open?"""

from bootgraft.boot.unsupported_volume import UnsupportedKind, UnsupportedVolume
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Need, Stage
from bootgraft.checks.machine.unsupported import UNREAD, findings_of
from bootgraft.checks.symptom import Symptom

REFS = "refs-volume"
STORAGE_SPACES = "storage-spaces-volume"
DOCS = (
    FindingDoc(
        id=REFS,
        applies_to="Windows 11 and Server 2022 and later",
        cause="The volume is formatted with ReFS.",
        evidence="The signature in its boot sector.",
        fix="None: if Windows boots from it, install the driver with pnputil before the conversion, and convert again.",
        limits="Whether it starts cannot be determined: the verdict is unknown; `repair` and `reg` end with exit "
        "status 3.",
        symptoms=(Symptom.STOP_7B,),
        references=("https://learn.microsoft.com/windows-server/storage/refs/refs-overview",),
    ),
    FindingDoc(
        id=STORAGE_SPACES,
        applies_to="Windows 8 and later",
        cause="The partition is part of a Storage Spaces pool, from which no Windows starts.",
        evidence="Its type GUID in the GPT.",
        fix="None: point the boot entry at the right partition.",
        limits="",
        symptoms=(Symptom.STOP_7B, Symptom.C000000E),
        references=("https://learn.microsoft.com/windows/win32/api/winioctl/ns-winioctl-partition_information_gpt",),
    ),
)
_IDS = {UnsupportedKind.REFS: REFS, UnsupportedKind.STORAGE_SPACES: STORAGE_SPACES}


def check(cause: UnsupportedVolume | None) -> tuple[Finding, ...]:
    """One finding where the cause is a file system or a pool that bootgraft cannot open."""
    return findings_of(cause, _IDS, UNREAD)


CHECK = Check(Stage.MACHINE, 30, DOCS, lambda guest: check(guest.unsupported_volume), needs=Need.NOTHING)
