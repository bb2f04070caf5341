r"""Which Windows a path of a boot menu means that leads nowhere: only where that can be proven.

The menu is ntldr's boot.ini or FreeLoader's freeldr.ini, which name a Windows alike.

A Windows is never taken by its name alone: it must be the only one in that directory on the given disks, and nothing
may speak for another; or of several the only one that last started from that very path, and the others must deny it.
What its own registry says (:mod:`bootgraft.boot.ntldr.laststart`) decides first.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.ntldr import bootini
from bootgraft.boot.ntldr.arc import ArcKind, ArcPath
from bootgraft.boot.ntldr.bootini import BootEntry, BootIni
from bootgraft.boot.ntldr.laststart import last_start
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.machine import IF_COMPLETE, Machine, Volume
from bootgraft.text import printable


class Answer(Struct, frozen=True):
    """Which volume a path means, with the reasons; None where it cannot be determined."""

    volume: Volume | None
    reasons: tuple[str, ...]


def can_be_followed(arc: ArcPath) -> bool:
    """Whether it is a path through the BIOS, which tells disks apart by rdisk() only."""
    return arc.kind is ArcKind.MULTI and not arc.adapter and not arc.disk


class MovedWindows:
    """Looks for what the paths of one menu mean on the disks of a machine."""

    def __init__(self, machine: Machine, menu: BootIni) -> None:
        self._machine = machine
        self._menu = menu

    def windows_at(self, arc: ArcPath, directory: str) -> Volume | None:
        """The volume that a path leads to through the BIOS, if a Windows is there."""
        volume = self._machine.volume(arc.rdisk, arc.partition) if can_be_followed(arc) else None
        return volume if volume is not None and _has_windows(volume, directory) else None

    def has_directory(self, arc: ArcPath, directory: str) -> bool:
        """Whether a path leads to a directory, or to a damaged volume that may hold it."""
        volume = self._machine.volume(arc.rdisk, arc.partition)
        if volume is None or volume.kind not in search.OPENABLE:
            return False
        try:
            return search.find_entry(volume.filesystem(), directory) is not None
        except (FileSystemError, PartitionTableError):  # a damaged volume may well hold it
            return True

    def meant(self, path: str, arc: ArcPath, directory: str) -> Answer:
        """Find the volume whose Windows a path that leads nowhere means; no reasons where there is none at all."""
        if arc.kind is ArcKind.SIGNATURE:
            exact = self._by_signature(arc, directory)
            if exact is not None:
                return exact
        volumes, notes = search.volumes_with(self._machine, directory)
        if not volumes:
            return Answer(None, ())
        if len(volumes) > 1:
            return self.started_from(arc, directory, volumes)
        (volume,) = volumes
        found = f"the only {printable(directory)} with a SYSTEM hive is on {volume.name}"
        last = last_start(volume, directory)
        if last == arc:
            return Answer(
                volume, (found, f"its registry says that it last started from {last}, as {self._menu.file} does")
            )
        if last is not None and last.kind is arc.kind and last != arc_of(volume):
            return Answer(None, (found, f"but its registry says that it last started from {last}, which is neither"))
        doubts = (*notes, *self._doubts(path, arc, directory))
        return Answer(None if doubts else volume, (found, *(f"but {doubt}" for doubt in doubts)))

    def started_from(self, arc: ArcPath, directory: str, volumes: Sequence[Volume]) -> Answer:
        """Of several, the one whose registry says that it last started from that path, if the others deny it."""
        several = f"more than one fits: {listing(directory, list(volumes))}"
        last = {volume: last_start(volume, directory) for volume in volumes}
        same = [volume for volume, path in last.items() if path == arc]
        if len(same) != 1 or None in last.values():
            return Answer(None, (several,))
        reason = f"the registry of the one on {same[0].name} says that it last started from {arc}, and no other does"
        return Answer(same[0], (several, reason))

    def _by_signature(self, arc: ArcPath, directory: str) -> Answer | None:
        """The volumes on disks with this signature that have the directory; None where none has."""
        disks = {disk.index for disk in self._machine.disks if arc.adapter and disk.table.signature == arc.adapter}
        named = [self._machine.volume(disk, arc.partition) for disk in sorted(disks)]
        here = [each for each in named if each is not None and _has_windows(each, directory)]
        if not here:
            return None
        if len(here) > 1:
            return Answer(None, (f"more than one disk has that signature: {listing(directory, here)}",))
        return Answer(here[0], (f"disk {here[0].disk} has that signature: it is {here[0].name}",))

    def _doubts(self, path: str, arc: ArcPath, directory: str) -> Iterator[str]:
        """The evidence against taking the one Windows that is left for the one that the path meant."""
        for entry in self._menu.entries:
            if same_directory(entry, directory) and not bootini.same_path(entry.path, path):
                yield f"line {entry.line} names the same directory on another partition: {printable(entry.path)}"
        if arc.kind is ArcKind.SIGNATURE:
            if not self._machine.is_complete:
                yield (
                    f"no given disk has the signature {arc.adapter:08x}, so that it may be on a disk that was not "
                    f"given; {IF_COMPLETE}"
                )
        elif can_be_followed(arc):
            volume = self._machine.volume(arc.rdisk, arc.partition)
            if arc.rdisk >= len(self._machine.disks):
                if not self._machine.is_complete:
                    yield f"rdisk({arc.rdisk}) may be a disk that was not given; {IF_COMPLETE}"
            elif volume is not None and volume.kind not in search.OPENABLE:
                yield f"{volume.name} cannot be read: it may be there"


def _has_windows(volume: Volume, directory: str) -> bool:
    if volume.kind not in search.OPENABLE:
        return False
    try:
        return search.has_system_hive(volume.filesystem(), directory)
    except (FileSystemError, PartitionTableError):
        return False


def same_directory(entry: BootEntry, directory: str) -> bool:
    """Whether an entry leads into this directory, of whatever volume."""
    return entry.arc is not None and entry.directory.casefold() == directory.casefold()


def arc_of(volume: Volume) -> ArcPath:
    """The path by which the BIOS reaches a volume that has a number."""
    if volume.number is None:
        raise ValueError(volume)
    return ArcPath(ArcKind.MULTI, 0, 0, volume.disk, volume.number)


def listing(directory: str, volumes: tuple[Volume, ...] | list[Volume]) -> str:
    """The directory on each of these volumes, for evidence."""
    return ", ".join(f"{printable(directory)} on {each.name} ({arc_of(each)})" for each in volumes)
