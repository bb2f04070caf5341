"""Gate 2 on NT 4 to Server 2003: does boot.ini name the Windows that is there, in a way that the BIOS can follow?

FreeLoader's freeldr.ini is judged alike. The text that the file should have is told only where it can be proven
(:mod:`.moved_windows`).
"""

from collections.abc import Iterator
from functools import cached_property

from bootgraft.boot import search
from bootgraft.boot.ntldr import bootini, menuedit
from bootgraft.boot.ntldr.arc import ArcKind, ArcPath, parse_arc
from bootgraft.boot.ntldr.bootini import BootIni
from bootgraft.boot.ntldr.laststart import last_start
from bootgraft.boot.steps import BootChain, BootTarget
from bootgraft.changes import WriteFile
from bootgraft.checks.chain.ntldr.menu_file import entry_lines, report, write
from bootgraft.checks.chain.ntldr.moved_windows import (
    MovedWindows,
    arc_of,
    can_be_followed,
    listing,
    same_directory,
)
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Machine, Volume
from bootgraft.text import printable

WRONG_PARTITION = "boot-ini-wrong-partition"
NOT_IN_MENU = "boot-ini-default-not-in-menu"
UNSUPPORTED_PATH = "boot-ini-unsupported-path"
ANOTHER_WINDOWS = "boot-ini-another-windows"
FREELDR_WRONG_PARTITION = "freeldr-ini-wrong-partition"
FREELDR_UNSUPPORTED_PATH = "freeldr-ini-unsupported-path"

_REFERENCES = ("https://learn.microsoft.com/troubleshoot/windows-server/performance/edit-boot-ini",)
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
        limits="Repaired only where exactly one Windows in that directory is on the given disks and no evidence is for "
        "another: another entry with the same directory, a disk that was not given (unless --these-are-all-disks), a "
        "volume that cannot be read. Of several, the one that alone says that it last started from that very path "
        "(Windows XP and later), if the others say that they did not.",
        symptoms=(Symptom.FILE_MISSING, Symptom.DISK_CONFIGURATION),
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
        symptoms=(Symptom.OTHER_SYSTEM,),
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
        limits="Repaired only where one entry fits and only one such Windows is on the given disks. A blocker where "
        "the default leads nowhere, else a warning.",
        symptoms=(Symptom.FILE_MISSING, Symptom.DISK_CONFIGURATION),
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
        "signature changes with the next conversion. Otherwise, as scsi(), it is repaired only if exactly one Windows "
        "of that directory is on the given disks. scsi() without ntbootdd.sys beside ntldr is a blocker.",
        symptoms=(Symptom.FILE_MISSING, Symptom.DISK_CONFIGURATION),
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
        symptoms=(Symptom.FILE_MISSING,),
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
        symptoms=(Symptom.FILE_MISSING,),
        references=_FREELDR,
    ),
)
_IDS = {
    "boot.ini": (WRONG_PARTITION, UNSUPPORTED_PATH),
    "freeldr.ini": (FREELDR_WRONG_PARTITION, FREELDR_UNSUPPORTED_PATH),
}
_LEADS_NOWHERE = (
    "The loader stops before any driver is loaded: 'Windows could not start because the following file is missing or "
    "corrupt', or because of a disk hardware configuration problem."
)
_WITHOUT_SWITCHES = "Windows starts without the switches that its entry would give it, as /noexecute, /pae or /3gb."
_OLD_PATH = "Whether that leads anywhere in the new machine is not certain; a multi() path does."
_BOOTS_BY_SIGNATURE = (
    "It leads to its Windows as long as no other disk has that signature and nothing writes a new one, as another "
    "conversion may; a multi() path does in any case."
)
_SHOWN = 40
"""Characters of a directory's name that fit into a title."""


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the default path of the menu is not what it should be, in a way that is understood."""
    chain = guest.chain
    if chain.system is None or chain.menu is None or chain.unsupported_volume is not None:
        return
    default = chain.menu.default
    if not chain.menu.entries or not default or bootini.is_boot_sector_path(default):
        return  # :mod:`.boot_menu_missing` knows of these
    if chain.default is not None and chain.menu.default_entry() is not None and _leads_home(default, chain.default):
        return
    finding = _Judge(guest.machine, chain, chain.system, chain.menu).finding(default)
    if finding is not None:
        yield finding


def _leads_home(path: str, default: BootTarget) -> bool:
    """Whether a path of boot.ini goes by the numbers of disk and partition, and its Windows last started from there.

    A Windows that does not say where it last started from has nothing against it.
    """
    arc, _ = bootini.split_path(path)
    if arc is None or arc.kind is not ArcKind.MULTI:
        return False
    return last_start(default.volume, default.directory) in (None, arc)


class _Judge:
    """One look at one menu. Its methods raise FileSystemError where the file cannot be read again."""

    def __init__(self, machine: Machine, chain: BootChain, system: Volume, menu: BootIni) -> None:
        self._machine = machine
        self._chain = chain
        self._system = system
        self._menu = menu
        self._moved = MovedWindows(machine, menu)

    def finding(self, default: str) -> Finding | None:
        """What is wrong with the default path; None where it is good, or wrong in a way that is not known here."""
        arc, directory = bootini.split_path(default)
        is_listed = self._menu.default_entry() is not None
        if arc is not None and self._moved.windows_at(arc, directory) is not None:
            return self._displaced(default, arc, directory) if is_listed else self._unlisted(default, arc, directory)
        if not is_listed:
            finding = self._listed_instead(directory)
            if finding is not None:
                return finding
        return None if arc is None else self._misdirected(default, arc, directory)

    def _misdirected(self, default: str, arc: ArcPath, directory: str) -> Finding | None:
        """The default leads nowhere, or in a way that a virtual BIOS does not offer."""
        followed = can_be_followed(arc)
        if followed and self._moved.has_directory(arc, directory):  # the right place, but its Windows is damaged
            return None
        answer = self._moved.meant(default, arc, directory)
        if answer.volume is None and not answer.reasons:
            return None
        wrong, unsupported = _IDS[self._menu.file]
        what = (
            f"{self._menu.file} points at disk {arc.rdisk} partition {arc.partition}, "
            f"where there is no {_short(directory)}"
            if followed
            else f"the default entry of {self._menu.file} has a {arc.kind.value}({_first(arc)}) path"
        )
        evidence = (f"{self._place}: {printable(default)}", *answer.reasons)
        change = None if answer.volume is None else self._change(self._redirected(default, answer.volume))
        if followed:
            return report(self._chain, wrong, what, _LEADS_NOWHERE, evidence, change)
        meaning = _OLD_PATH if self._chain.default is None else _BOOTS_BY_SIGNATURE
        return report(self._chain, unsupported, what, meaning, evidence, change)

    def _displaced(self, default: str, arc: ArcPath, directory: str) -> Finding | None:
        """The default leads to a Windows: to another one than it led to before the partitions were renumbered?

        Never changed: a boot.ini that somebody corrected since looks the same.
        """
        there = self._moved.windows_at(arc, directory)
        volumes, _notes = search.volumes_with(self._machine, directory)
        answer = self._moved.started_from(arc, directory, volumes)
        if there is None or answer.volume is None or answer.volume is there:
            return None
        what = f"{self._menu.file} leads to another {_short(directory)} than the one that last started from there"
        evidence = (f"{self._place}: {printable(default)} is {there.name}", *answer.reasons)
        advice = (
            f" Where {self._menu.file} was corrected since, all is well. Where not, its default should be "
            f"{_redirect(default, answer.volume).strip()}: change it and its entry by hand, and check again."
        )
        identifier = ANOTHER_WINDOWS if self._menu.file == "boot.ini" else FREELDR_WRONG_PARTITION
        meaning = "The machine starts another Windows than it did before it was moved."
        return report(self._chain, identifier, what, meaning, evidence, None, advice)

    def _redirected(self, default: str, volume: Volume) -> dict[int, str]:
        """The lines to change: the default, every entry with its path, and others that are decided in the same way."""
        paths = self._line_of_default(_redirect(default, volume))
        for entry in self._menu.entries:
            if entry.arc is None:
                continue
            meant: Volume | None = volume
            if not bootini.same_path(entry.path, default):
                found = self._moved.windows_at(entry.arc, entry.directory)
                meant = None if found else self._moved.meant(entry.path, entry.arc, entry.directory).volume
            if meant is not None:
                paths[entry.line] = _redirect(entry.path, meant)
        return paths

    def _unlisted(self, default: str, arc: ArcPath, directory: str) -> Finding:
        """The default leads to a Windows, but no entry has its path, and so nothing gives it its switches."""
        what = "the default path of boot.ini is not among its entries"
        namesakes = [each for each in self._menu.entries if same_directory(each, directory)]
        evidence = [f"{self._place}: default={printable(default)}", *entry_lines(self._menu, namesakes)]
        volume = self._moved.windows_at(arc, directory)
        paths: dict[int, str] = {}
        if len(namesakes) == 1 and volume is not None:
            (entry,) = namesakes
            if entry.arc is not None and self._moved.windows_at(entry.arc, entry.directory) is None:
                answer = self._moved.meant(entry.path, entry.arc, entry.directory)
                evidence += answer.reasons
                if answer.volume is volume:
                    paths = {entry.line: _redirect(entry.path, volume)}
        change = self._change(paths) if paths else None
        return self._not_in_menu(what, tuple(evidence), change)

    def _listed_instead(self, directory: str) -> Finding | None:
        """The default leads nowhere and is no entry: is there one entry that it can only mean?"""
        what = "the default path of boot.ini leads nowhere and is not among its entries"
        working = [each for each in self._menu.entries if each.arc and self._moved.windows_at(each.arc, each.directory)]
        if not working:
            return None
        shown = (f"{self._place}: default={printable(self._menu.default or '')}", *entry_lines(self._menu, working))
        fitting = [each for each in working if same_directory(each, directory)]
        if directory and fitting:
            volumes, notes = search.volumes_with(self._machine, directory)
            found = listing(directory, volumes)
        else:
            fitting = working
            windows, notes = search.find_windows(self._machine)
            volumes = tuple(each.volume for each in windows)
            found = "; ".join(printable(str(each)) for each in windows)
        evidence = (*shown, f"on the given disks: {found or 'nothing that fits'}", *notes)
        if len(fitting) != 1 or len(volumes) != 1 or notes:
            return self._not_in_menu(what, evidence, None)
        change = self._change(self._line_of_default(fitting[0].path))
        return self._not_in_menu(what, evidence, change)

    def _not_in_menu(self, what: str, evidence: tuple[str, ...], change: WriteFile | None) -> Finding:
        meaning = _LEADS_NOWHERE if self._chain.default is None else _WITHOUT_SWITCHES
        return report(self._chain, NOT_IN_MENU, what, meaning, evidence, change)

    def _line_of_default(self, path: str) -> dict[int, str]:
        return {} if self._menu.default_line is None else {self._menu.default_line: path}

    @property
    def _place(self) -> str:
        return f"{self._system.name}: \\{self._menu.file}"

    @cached_property
    def _data(self) -> bytes:
        return self._system.filesystem().read(f"\\{self._menu.file}")

    def _change(self, paths: dict[int, str]) -> WriteFile:
        new = menuedit.rewrite(self._data, self._menu, paths)
        return write(self._system, self._menu, new, self._data, f"{self._menu.file} as it is, with other paths")


def _redirect(path: str, volume: Volume) -> str:
    parsed = parse_arc(path.strip(" \t"))
    if parsed is None:
        raise ValueError(path)
    return menuedit.respelled(path, parsed[0], arc_of(volume))


def _first(arc: ArcPath) -> str:
    return f"{arc.adapter:08x}" if arc.kind is ArcKind.SIGNATURE else str(arc.adapter)


def _short(directory: str) -> str:
    shown = printable(directory)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


CHECK = Check(Stage.CHAIN, 30, DOCS, find)
