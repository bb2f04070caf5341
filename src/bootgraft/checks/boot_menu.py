"""Gate 2 on NT 4 to Server 2003: does boot.ini name the Windows that is there, in a way that the BIOS can follow?"""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.menufault import MenuFaultKind
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity

WRONG_PARTITION = "boot-ini-wrong-partition"
NOT_IN_MENU = "boot-ini-default-not-in-menu"
UNSUPPORTED_PATH = "boot-ini-unsupported-path"

_REFERENCES = ("https://learn.microsoft.com/troubleshoot/windows-server/performance/edit-boot-ini",)
_APPLIES_TO = "Windows NT 4 to Server 2003 on MBR disks"
DOCS = (
    FindingDoc(
        id=WRONG_PARTITION,
        applies_to=_APPLIES_TO,
        cause="boot.ini names its Windows by disk order and partition number, rdisk(n)partition(n). A converter that "
        "drops a recovery or OEM partition, or disks in another order, change the numbers but not the file.",
        evidence="The default path, where a Windows of that directory is, and, since XP, what its registry says about "
        "where it last started from (Control\\SystemBootDevice).",
        fix="rdisk() and partition() are rewritten in the default line and in every entry that pointed there; all "
        "other bytes stay.",
        limits="Mended only where exactly one Windows in that directory is on the given disks and nothing speaks for "
        "another: another entry with the same directory, a disk that was not given, a volume that cannot be read. A "
        "partition number that leads to another Windows of the same directory is not noticed.",
        references=_REFERENCES,
    ),
    FindingDoc(
        id=NOT_IN_MENU,
        applies_to=_APPLIES_TO,
        cause="The line default= has a path that no line of [operating systems] has: one of the two was edited and the "
        "other forgotten. ntldr then starts the default path as it is, without the switches of any entry.",
        evidence="The default path and the entries that it may mean.",
        fix="Where the path leads nowhere, default= takes the path of the one entry that it can mean; where it leads "
        "to a Windows, the one entry of the same directory that leads nowhere takes its path.",
        limits="Mended only where one entry fits and only one such Windows is on the given disks. A blocker where the "
        "default leads nowhere, else a warning.",
        references=_REFERENCES,
    ),
    FindingDoc(
        id=UNSUPPORTED_PATH,
        applies_to=_APPLIES_TO,
        cause="The default entry names its disk by scsi() or signature(), which needs ntbootdd.sys, a driver of the "
        "old controller, or the old disk's signature; or by multi() with a first number other than 0.",
        evidence="The default path, and the partition that it means.",
        fix="The path becomes multi(0)disk(0)rdisk(n)partition(n), in the default line and in every entry with it: a "
        "virtual BIOS reaches every partition so.",
        limits="signature() is followed where exactly one given disk has that signature and the Windows on that "
        "partition; otherwise, as scsi(), only where exactly one Windows of that directory is on the given disks.",
        references=_REFERENCES,
    ),
)
_IDS = {
    MenuFaultKind.WRONG_PARTITION: WRONG_PARTITION,
    MenuFaultKind.NOT_IN_MENU: NOT_IN_MENU,
    MenuFaultKind.UNSUPPORTED_PATH: UNSUPPORTED_PATH,
}
_LEADS_NOWHERE = (
    "ntldr stops before any driver is loaded: 'Windows could not start because the following file is missing or "
    "corrupt', or because of a disk hardware configuration problem."
)
_MEANING = {
    MenuFaultKind.WRONG_PARTITION: _LEADS_NOWHERE,
    MenuFaultKind.NOT_IN_MENU: _LEADS_NOWHERE,
    MenuFaultKind.UNSUPPORTED_PATH: "Whether that leads anywhere in the new machine is not certain; a multi() path "
    "does.",
}
_WITHOUT_SWITCHES = "Windows starts without the switches that its entry would give it, as /noexecute, /pae or /3gb."
_BY_HAND = (
    " bootgraft does not guess which Windows is meant: correct boot.ini by hand, or give all disks in BIOS order, and "
    "check again."
)


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding where boot.ini has a fault that is understood."""
    fault = chain.menu_fault
    if fault is None:
        return ()
    severity = Severity.BLOCKER if chain.default is None and chain.understood else Severity.WARNING
    meaning = _MEANING[fault.kind] if chain.default is None else _WITHOUT_SWITCHES
    if fault.change is None:
        return (Finding(_IDS[fault.kind], severity, fault.what, meaning + _BY_HAND, fault.evidence),)
    mending = (fault.change,)
    return (Finding(_IDS[fault.kind], severity, fault.what, meaning, fault.evidence, Remedy.CHANGES, mending),)
