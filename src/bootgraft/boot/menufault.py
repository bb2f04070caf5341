r"""What is wrong with a boot menu that leads nowhere, and the text that it should have: only where that can be proven.

The menu is ntldr's boot.ini or FreeLoader's freeldr.ini, which name a Windows alike.

A Windows is never taken by its name alone: it must be the only one in that directory on the given disks, and nothing
may speak for another; or of several the only one that last started from that very path, and the others must deny it.
What its own registry says (:mod:`.ntldr.laststart`) decides first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from bootgraft.boot import search
from bootgraft.boot.ntldr import bootini, menuedit
from bootgraft.boot.ntldr.arc import ArcKind, ArcPath, parse_arc
from bootgraft.boot.ntldr.bootini import BootEntry, BootIni
from bootgraft.boot.ntldr.laststart import last_start
from bootgraft.changes import FileId, WriteFile
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import Machine, Volume
from bootgraft.text import printable

_SHOWN = 40
"""Characters of a directory's name that fit into a title."""


class MenuFaultKind(StrEnum):
    """What boot.ini has wrong."""

    WRONG_PARTITION = "wrong-partition"
    NOT_IN_MENU = "default-not-in-menu"
    UNSUPPORTED_PATH = "unsupported-path"
    ANOTHER_WINDOWS = "another-windows"
    MISSING = "missing"
    NO_DEFAULT = "no-default"
    BOOTS_OTHER = "default-boots-other"


@dataclass(frozen=True, slots=True)
class MenuFault:
    """One fault of boot.ini: ``what`` in one line, the evidence, and the change that mends it; None where none can.

    ``advice`` is what to do by hand then, where more can be said of it than of other faults.
    """

    kind: MenuFaultKind
    what: str
    evidence: tuple[str, ...]
    change: WriteFile | None
    advice: str = ""
    file: str = "boot.ini"


@dataclass(frozen=True, slots=True)
class _Answer:
    """Which volume a path means, with the reasons; None where it cannot be told."""

    volume: Volume | None
    reasons: tuple[str, ...]


def find_fault(machine: Machine, system: Volume, menu: BootIni) -> MenuFault | None:
    """Judge the default of the ``menu`` on the ``system`` partition, whose volume is mounted.

    Returns None where it is good, and where it has a fault about which this module knows nothing.

    Raises FileSystemError where boot.ini cannot be read again.
    """
    return _Judge(machine, system, menu).fault()


def can_be_followed(arc: ArcPath) -> bool:
    """Whether it is a path through the BIOS, which tells disks apart by rdisk() only."""
    return arc.kind is ArcKind.MULTI and not arc.adapter and not arc.disk


class _Judge:
    """One look at one boot.ini."""

    def __init__(self, machine: Machine, system: Volume, menu: BootIni) -> None:
        self._machine = machine
        self._system = system
        self._menu = menu

    def fault(self) -> MenuFault | None:
        default = self._menu.default
        if not default or bootini.is_boot_sector_path(default):
            return None
        arc, directory = bootini.split_path(default)
        is_listed = self._menu.default_entry() is not None
        if arc is not None and self._windows_at(arc, directory) is not None:
            return self._displaced(default, arc, directory) if is_listed else self._unlisted(default, arc, directory)
        if not is_listed:
            fault = self._listed_instead(directory)
            if fault is not None:
                return fault
        return None if arc is None else self._misdirected(default, arc, directory)

    def _misdirected(self, default: str, arc: ArcPath, directory: str) -> MenuFault | None:
        """The default leads nowhere, or in a way that a virtual BIOS does not offer."""
        followed = can_be_followed(arc)
        if followed and self._has_directory(arc, directory):  # the right place, but its Windows is damaged
            return None
        answer = self._meant(default, arc, directory)
        if answer.volume is None and not answer.reasons:
            return None
        kind = MenuFaultKind.WRONG_PARTITION if followed else MenuFaultKind.UNSUPPORTED_PATH
        what = (
            f"{self._menu.file} points at disk {arc.rdisk} partition {arc.partition}, "
            f"where there is no {_short(directory)}"
            if followed
            else f"the default entry of {self._menu.file} has a {arc.kind.value}({_first(arc)}) path"
        )
        evidence = (f"{self._place}: {printable(default)}", *answer.reasons)
        if answer.volume is None:
            return MenuFault(kind, what, evidence, None, file=self._menu.file)
        change = self._change(self._redirected(default, answer.volume))
        return MenuFault(kind, what, evidence, change, file=self._menu.file)

    def _displaced(self, default: str, arc: ArcPath, directory: str) -> MenuFault | None:
        """The default leads to a Windows: to another one than it led to before the partitions were renumbered?

        Never changed: a boot.ini that somebody corrected since looks the same.
        """
        there = self._windows_at(arc, directory)
        volumes, _notes = search.volumes_with(self._machine, directory)
        answer = self._started_from(arc, directory, volumes)
        if there is None or answer.volume is None or answer.volume is there:
            return None
        what = f"{self._menu.file} leads to another {_short(directory)} than the one that last started from there"
        evidence = (f"{self._place}: {printable(default)} is {there.name}", *answer.reasons)
        advice = (
            f" Where {self._menu.file} was corrected since, all is well. Where not, its default should be "
            f"{_redirect(default, answer.volume).strip()}: change it and its entry by hand, and check again."
        )
        return MenuFault(MenuFaultKind.ANOTHER_WINDOWS, what, evidence, None, advice, file=self._menu.file)

    def _redirected(self, default: str, volume: Volume) -> dict[int, str]:
        """The lines to change: the default, every entry with its path, and others that can be told in the same way."""
        paths = self._line_of_default(_redirect(default, volume))
        for entry in self._menu.entries:
            if entry.arc is None:
                continue
            meant: Volume | None = volume
            if not bootini.same_path(entry.path, default):
                found = self._windows_at(entry.arc, entry.directory)
                meant = None if found else self._meant(entry.path, entry.arc, entry.directory).volume
            if meant is not None:
                paths[entry.line] = _redirect(entry.path, meant)
        return paths

    def _unlisted(self, default: str, arc: ArcPath, directory: str) -> MenuFault:
        """The default leads to a Windows, but no entry has its path, and so nothing gives it its switches."""
        what = "the default path of boot.ini is not among its entries"
        namesakes = [each for each in self._menu.entries if _same_directory(each, directory)]
        evidence = [f"{self._place}: default={printable(default)}", *self._entry_lines(namesakes)]
        volume = self._windows_at(arc, directory)
        paths: dict[int, str] = {}
        if len(namesakes) == 1 and volume is not None:
            (entry,) = namesakes
            if entry.arc is not None and self._windows_at(entry.arc, entry.directory) is None:
                answer = self._meant(entry.path, entry.arc, entry.directory)
                evidence += answer.reasons
                if answer.volume is volume:
                    paths = {entry.line: _redirect(entry.path, volume)}
        change = self._change(paths) if paths else None
        return MenuFault(MenuFaultKind.NOT_IN_MENU, what, tuple(evidence), change)

    def _listed_instead(self, directory: str) -> MenuFault | None:
        """The default leads nowhere and is no entry: is there one entry that it can only mean?"""
        what = "the default path of boot.ini leads nowhere and is not among its entries"
        working = [each for each in self._menu.entries if each.arc and self._windows_at(each.arc, each.directory)]
        if not working:
            return None
        shown = (f"{self._place}: default={printable(self._menu.default or '')}", *self._entry_lines(working))
        fitting = [each for each in working if _same_directory(each, directory)]
        if directory and fitting:
            volumes, notes = search.volumes_with(self._machine, directory)
            found = _listing(directory, volumes)
        else:
            fitting = working
            windows, notes = search.find_windows(self._machine)
            volumes = tuple(each.volume for each in windows)
            found = "; ".join(printable(str(each)) for each in windows)
        evidence = (*shown, f"on the given disks: {found or 'nothing that fits'}", *notes)
        if len(fitting) != 1 or len(volumes) != 1 or notes:
            return MenuFault(MenuFaultKind.NOT_IN_MENU, what, evidence, None)
        change = self._change(self._line_of_default(fitting[0].path))
        return MenuFault(MenuFaultKind.NOT_IN_MENU, what, evidence, change)

    def _meant(self, path: str, arc: ArcPath, directory: str) -> _Answer:
        """Find the volume whose Windows a path that leads nowhere means; no reasons where there is none at all."""
        if arc.kind is ArcKind.SIGNATURE:
            exact = self._by_signature(arc, directory)
            if exact is not None:
                return exact
        volumes, notes = search.volumes_with(self._machine, directory)
        if not volumes:
            return _Answer(None, ())
        if len(volumes) > 1:
            return self._started_from(arc, directory, volumes)
        (volume,) = volumes
        found = f"the only {printable(directory)} with a SYSTEM hive is on {volume.name}"
        last = last_start(volume, directory)
        if last == arc:
            return _Answer(
                volume, (found, f"its registry says that it last started from {last}, as {self._menu.file} does")
            )
        if last is not None and last.kind is arc.kind and last != _arc_of(volume):
            return _Answer(None, (found, f"but its registry says that it last started from {last}, which is neither"))
        doubts = (*notes, *self._doubts(path, arc, directory))
        return _Answer(None if doubts else volume, (found, *(f"but {doubt}" for doubt in doubts)))

    def _started_from(self, arc: ArcPath, directory: str, volumes: Sequence[Volume]) -> _Answer:
        """Of several, the one whose registry says that it last started from that path, if the others deny it."""
        several = f"more than one fits: {_listing(directory, list(volumes))}"
        last = {volume: last_start(volume, directory) for volume in volumes}
        same = [volume for volume, path in last.items() if path == arc]
        if len(same) != 1 or None in last.values():
            return _Answer(None, (several,))
        reason = f"the registry of the one on {same[0].name} says that it last started from {arc}, and no other does"
        return _Answer(same[0], (several, reason))

    def _by_signature(self, arc: ArcPath, directory: str) -> _Answer | None:
        """The volumes on disks with this signature that have the directory; None where none has."""
        disks = {disk.index for disk in self._machine.disks if arc.adapter and disk.table.signature == arc.adapter}
        named = [self._machine.volume(disk, arc.partition) for disk in sorted(disks)]
        here = [each for each in named if each is not None and _has_windows(each, directory)]
        if not here:
            return None
        if len(here) > 1:
            return _Answer(None, (f"more than one disk has that signature: {_listing(directory, here)}",))
        return _Answer(here[0], (f"disk {here[0].disk} has that signature: it is {here[0].name}",))

    def _doubts(self, path: str, arc: ArcPath, directory: str) -> Iterator[str]:
        """What speaks against taking the one Windows that is left for the one that the path meant."""
        for entry in self._menu.entries:
            if _same_directory(entry, directory) and not bootini.same_path(entry.path, path):
                yield f"line {entry.line} names the same directory on another partition: {printable(entry.path)}"
        if arc.kind is ArcKind.SIGNATURE:
            yield f"no given disk has the signature {arc.adapter:08x}, so that it may be on a disk that was not given"
        elif can_be_followed(arc):
            volume = self._machine.volume(arc.rdisk, arc.partition)
            if arc.rdisk >= len(self._machine.disks):
                yield f"rdisk({arc.rdisk}) may be a disk that was not given"
            elif volume is not None and volume.kind not in search.OPENABLE:
                yield f"{volume.name} cannot be read: it may be there"

    def _windows_at(self, arc: ArcPath, directory: str) -> Volume | None:
        volume = self._machine.volume(arc.rdisk, arc.partition) if can_be_followed(arc) else None
        return volume if volume is not None and _has_windows(volume, directory) else None

    def _has_directory(self, arc: ArcPath, directory: str) -> bool:
        volume = self._machine.volume(arc.rdisk, arc.partition)
        if volume is None or volume.kind not in search.OPENABLE:
            return False
        try:
            return search.find_entry(volume.filesystem(), directory) is not None
        except (FileSystemError, PartitionTableError):  # a damaged volume may well hold it
            return True

    def _line_of_default(self, path: str) -> dict[int, str]:
        return {} if self._menu.default_line is None else {self._menu.default_line: path}

    def _entry_lines(self, entries: list[BootEntry]) -> Iterator[str]:
        return (f"line {each.line}: {printable(self._menu.lines[each.line - 1].strip())}" for each in entries)

    @property
    def _place(self) -> str:
        return f"{self._system.name}: \\{self._menu.file}"

    @cached_property
    def _data(self) -> bytes:
        return self._system.filesystem().read(f"\\{self._menu.file}")

    def _change(self, paths: dict[int, str]) -> WriteFile:
        import hashlib

        new = menuedit.rewrite(self._data, self._menu, paths)
        system = self._system
        name = system.filesystem().stat(f"\\{self._menu.file}").name
        file = FileId(system.disk, system.partition.start, system.name, f"\\{name}")
        before = hashlib.sha256(self._data).hexdigest()
        return WriteFile(file, new, before, f"{self._menu.file} as it is, with other paths", old=self._data)


def _has_windows(volume: Volume, directory: str) -> bool:
    if volume.kind not in search.OPENABLE:
        return False
    try:
        return search.has_system_hive(volume.filesystem(), directory)
    except (FileSystemError, PartitionTableError):
        return False


def _same_directory(entry: BootEntry, directory: str) -> bool:
    return entry.arc is not None and entry.directory.casefold() == directory.casefold()


def _redirect(path: str, volume: Volume) -> str:
    parsed = parse_arc(path.strip(" \t"))
    if parsed is None:
        raise ValueError(path)
    return menuedit.respelled(path, parsed[0], _arc_of(volume))


def _arc_of(volume: Volume) -> ArcPath:
    if volume.number is None:
        raise ValueError(volume)
    return ArcPath(ArcKind.MULTI, 0, 0, volume.disk, volume.number)


def _listing(directory: str, volumes: tuple[Volume, ...] | list[Volume]) -> str:
    return ", ".join(f"{printable(directory)} on {each.name} ({_arc_of(each)})" for each in volumes)


def _first(arc: ArcPath) -> str:
    return f"{arc.adapter:08x}" if arc.kind is ArcKind.SIGNATURE else str(arc.adapter)


def _short(directory: str) -> str:
    shown = printable(directory)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
