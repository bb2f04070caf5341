"""Gate 2 on NT 4 to Server 2003: does boot.ini name the Windows that is there, in a way that the BIOS can follow?"""

from bootgraft.boot.chain import BootChain
from bootgraft.boot.menufault import MenuFaultKind
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage

WRONG_PARTITION = "boot-ini-wrong-partition"
NOT_IN_MENU = "boot-ini-default-not-in-menu"
UNSUPPORTED_PATH = "boot-ini-unsupported-path"
ANOTHER_WINDOWS = "boot-ini-another-windows"
MISSING = "boot-ini-missing"
NO_DEFAULT = "boot-ini-no-default"
BOOTS_OTHER = "boot-ini-default-boots-other"
FREELDR_WRONG_PARTITION = "freeldr-ini-wrong-partition"
FREELDR_UNSUPPORTED_PATH = "freeldr-ini-unsupported-path"

_REFERENCES = ("https://learn.microsoft.com/troubleshoot/windows-server/performance/edit-boot-ini",)
_NT_DEFAULT = (
    "https://www.itprotoday.com/compute-engines/jsi-tip-2745-windows-nt-could-not-start-ntoskrnlexe-missing-or-corrupt"
)
_FREELDR = ("https://github.com/reactos/reactos/blob/master/boot/freeldr/FREELDR.INI",)
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
        "another: another entry with the same directory, a disk that was not given, a volume that cannot be read. Of "
        "several, the one that alone says that it last started from that very path (Windows XP and later), if the "
        "others say that they did not.",
        references=_REFERENCES,
    ),
    FindingDoc(
        id=ANOTHER_WINDOWS,
        applies_to="Windows XP and Server 2003 on MBR disks",
        cause="Several Windows have the same directory, and the partitions were renumbered since: boot.ini's path now "
        "leads to another one than it did.",
        evidence="What each of them says about where it last started from (Control\\SystemBootDevice).",
        fix="None: a boot.ini that somebody corrected since looks the same. The path that would lead to the other one "
        "is named.",
        limits="Only where every Windows of that directory says where it last started from, and exactly one says from "
        "there. A warning: the machine boots.",
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
        limits="signature() is followed where exactly one given disk has that signature, and is a warning then: the "
        "signature changes with the next conversion. Otherwise, as scsi(), it is mended only where exactly one Windows "
        "of that directory is on the given disks. scsi() without ntbootdd.sys beside ntldr is a blocker.",
        references=_REFERENCES,
    ),
    FindingDoc(
        id=MISSING,
        applies_to=_APPLIES_TO,
        cause="boot.ini is not on the active partition, or lists no operating system. ntldr says 'Invalid BOOT.INI "
        "file' and tries \\WINDOWS (NT 4 and 2000: \\WINNT) on the first partition of the first disk, without any "
        "switches.",
        evidence="The partition that should have it, and every Windows on the disks that ntldr could start.",
        fix="A boot.ini with one entry: the path of that Windows, its name from its registry, and /fastdetect from "
        "Windows 2000 on.",
        limits="Only where exactly one Windows NT 4 to Server 2003 is on the given disks, and every volume could be "
        "searched. The new file has no hidden and system attributes, which ntldr does not ask for. A warning where "
        "ntldr finds its way without.",
        references=(*_REFERENCES, "https://neosmart.net/wiki/invalid-boot-ini-file/"),
    ),
    FindingDoc(
        id=NO_DEFAULT,
        applies_to=_APPLIES_TO,
        cause="boot.ini has entries, but [boot loader] has no line default=. ntldr then has an entry of its own for "
        "the first partition of the first disk, which is the one that it starts.",
        evidence="The entries, and every Windows on the disks that ntldr could start.",
        fix="default= is added below [boot loader], with the path of the entry that leads to the only Windows.",
        limits="Only where exactly one Windows NT 4 to Server 2003 is on the given disks and an entry leads to it.",
        references=(
            *_REFERENCES,
            _NT_DEFAULT,
        ),
    ),
    FindingDoc(
        id=BOOTS_OTHER,
        applies_to=_APPLIES_TO,
        cause="default= is a boot sector in a file (C:\\BOOTSECT.DOS, C:\\CMDCONS\\BOOTSECT.DAT): DOS, the recovery "
        "console, Setup or another system starts, if nobody chooses otherwise from the menu.",
        evidence="The default, the file, what its boot sector looks for, and the entries that are a Windows.",
        fix="None: it may be what is wanted. The line to change is named.",
        limits="A blocker where the file is not there; else a warning, and the verdict is unknown.",
        references=_REFERENCES,
    ),
    FindingDoc(
        id=FREELDR_WRONG_PARTITION,
        applies_to="ReactOS on MBR disks",
        cause="freeldr.ini names the partition of its ReactOS by disk order and partition number, as boot.ini does: a "
        "partition that went missing, or disks in another order, change the numbers but not the file.",
        evidence="The path of the default entry, where a directory of that name is, and what its registry says about "
        "where it last started from.",
        fix="rdisk() and partition() are rewritten in the SystemPath= of the default entry and of every entry that "
        "pointed there; all other bytes stay.",
        limits="As for boot-ini-wrong-partition.",
        references=_FREELDR,
    ),
    FindingDoc(
        id=FREELDR_UNSUPPORTED_PATH,
        applies_to="ReactOS on MBR disks",
        cause="The SystemPath= of the default entry is no multi(0)disk(0) path: FreeLoader reaches disks through the "
        "BIOS only.",
        evidence="The path, and the partition that it means.",
        fix="The path becomes multi(0)disk(0)rdisk(n)partition(n).",
        limits="As for boot-ini-unsupported-path.",
        references=_FREELDR,
    ),
)
_IDS = {
    MenuFaultKind.WRONG_PARTITION: WRONG_PARTITION,
    MenuFaultKind.NOT_IN_MENU: NOT_IN_MENU,
    MenuFaultKind.UNSUPPORTED_PATH: UNSUPPORTED_PATH,
    MenuFaultKind.ANOTHER_WINDOWS: ANOTHER_WINDOWS,
    MenuFaultKind.MISSING: MISSING,
    MenuFaultKind.NO_DEFAULT: NO_DEFAULT,
    MenuFaultKind.BOOTS_OTHER: BOOTS_OTHER,
}
_FREELDR_IDS = {
    MenuFaultKind.ANOTHER_WINDOWS: FREELDR_WRONG_PARTITION,
    MenuFaultKind.WRONG_PARTITION: FREELDR_WRONG_PARTITION,
    MenuFaultKind.UNSUPPORTED_PATH: FREELDR_UNSUPPORTED_PATH,
}
_LEADS_NOWHERE = (
    "The loader stops before any driver is loaded: 'Windows could not start because the following file is missing or "
    "corrupt', or because of a disk hardware configuration problem."
)
_BUILT_IN = (
    "ntldr then starts what it has built in, \\WINDOWS (NT 4 and 2000: \\WINNT) on the first partition of the first "
    "disk, without any switches."
)
_MEANING = {
    MenuFaultKind.WRONG_PARTITION: _LEADS_NOWHERE,
    MenuFaultKind.NOT_IN_MENU: _LEADS_NOWHERE,
    MenuFaultKind.UNSUPPORTED_PATH: "Whether that leads anywhere in the new machine is not certain; a multi() path "
    "does.",
    MenuFaultKind.ANOTHER_WINDOWS: "The machine starts another Windows than it did before it was moved.",
    MenuFaultKind.MISSING: _BUILT_IN,
    MenuFaultKind.NO_DEFAULT: _BUILT_IN,
    MenuFaultKind.BOOTS_OTHER: "Unless somebody chooses a Windows from the menu in time, no Windows starts.",
}
_WHERE_IT_BOOTS = {
    MenuFaultKind.NOT_IN_MENU: "Windows starts without the switches that its entry would give it, as /noexecute, /pae "
    "or /3gb.",
    MenuFaultKind.UNSUPPORTED_PATH: "It leads to its Windows as long as no other disk has that signature and nothing "
    "writes a new one, as another conversion may; a multi() path does in any case.",
}
_BY_HAND = (
    " bootgraft does not guess which Windows is meant: correct the file by hand, or give all disks in BIOS order, and "
    "check again."
)


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding where boot.ini has a fault that is understood."""
    fault = chain.menu_fault
    if fault is None:
        return ()
    boots = chain.default is not None
    severity = Severity.BLOCKER if not boots and chain.understood else Severity.WARNING
    meaning = _WHERE_IT_BOOTS.get(fault.kind, _MEANING[fault.kind]) if boots else _MEANING[fault.kind]
    evidence = fault.evidence
    step = chain.steps[-1]
    if not step.holds:
        evidence = (*evidence, step.evidence if step.what == fault.what else f"{step.where}: {step.what}")
    identifier = _IDS[fault.kind] if fault.file == "boot.ini" else _FREELDR_IDS[fault.kind]
    if fault.change is None:
        return (Finding(identifier, severity, fault.what, meaning + (fault.advice or _BY_HAND), evidence),)
    return (Finding(identifier, severity, fault.what, meaning, evidence, Remedy.CHANGES, (fault.change,)),)


CHECK = Check(Stage.CHAIN, 30, DOCS, lambda guest: check(guest.chain))
