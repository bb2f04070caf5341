"""Which given disk is which of a journal's, which are missing, and the command that names them all."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.errors import ImageError, JournalError
from bootgraft.storage.confine import exists, resolve
from bootgraft.text import counted

if TYPE_CHECKING:  # most disks have no journal
    from bootgraft.storage.journal.head import EditedFile, JournalDisk, JournalHead, JournalState

KIND = "undo journal"
"""What ``ownership`` calls such a file."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Journal(Struct, frozen=True):
    """A journal that was found, its head checked; ``explicit`` where only ``--journal`` surely finds it.

    ``stray`` says that no name led to it (``strayjournals``); ``known`` tells by number which of its disks was given
    how on the command line, where their names do not tell.
    """

    path: Path
    head: "JournalHead"
    state: "JournalState"
    explicit: bool
    stray: bool = False
    known: tuple[tuple[int, str], ...] = ()


def is_uri(location: str) -> bool:
    """Whether a disk given on the command line is an export, not a path."""
    return _URI.match(location) is not None


def disk_file(location: str) -> Path | None:
    """Return the resolved path of a disk given on the command line, None for a URI or a block device.

    Raises:
        ImageError: there can be no such path, or this user may not look at it.
    """
    if is_uri(location):
        return None
    path = resolve(Path(location))
    try:
        return None if path.is_block_device() else path
    except OSError as error:
        raise ImageError(
            f"it cannot be looked at ({error.strerror})", where=location, advice="Check the path and the permissions"
        ) from error


def _is_same(disk: "JournalDisk | EditedFile", location: str) -> bool:
    """Whether a journal's disk is the one given on the command line: the same path or URI."""
    if disk.path is None or is_uri(location):
        return disk.location == location
    return disk.path == resolve(Path(location))


def _has_same_name(disk: "JournalDisk | EditedFile", location: str) -> bool:
    """Whether a journal's disk may be the one given, moved to another folder together with its journal."""
    if disk.path is None or is_uri(location):
        return False
    return disk.path.name == resolve(Path(location)).name


def command(verb: str, journal: Journal, locations: Sequence[str], *options: str) -> str:
    """Return the command line for all disks that a journal covers, as the user would type it."""
    return command_for(verb, [journal], locations, *options)


def command_for(verb: str, journals: Sequence[Journal], locations: Sequence[str], *options: str) -> str:
    """Return the command line for all disks that any of some journals covers; ``--journal`` is that of the first."""
    import shlex

    disks = [
        dict(journal.known).get(number) or _shown(disk, journal, locations)
        for journal in journals
        for number, disk in enumerate(journal.head.disks)
    ]
    words = ["bootgraft", verb, *dict.fromkeys(disks)]
    edited = [(journal.head.edited, journal) for journal in journals if journal.head.edited is not None]
    if edited:
        words += ["--vm", _shown(*edited[0], locations)]
    words += options
    if journals[0].explicit:
        words += ["--journal", str(journals[0].path)]
    return shlex.join(words)


def _shown(disk: "JournalDisk | EditedFile", journal: Journal, locations: Sequence[str]) -> str:
    """Return the name of a disk: as given now, or where the journal says, or beside the journal."""
    for rule in (_is_same, _has_same_name):
        for location in locations:
            if rule(disk, location):
                return location
    if disk.path is not None and not exists(disk.path):
        moved = journal.path.with_name(disk.path.name)
        if exists(moved):
            return str(moved)
        disks = [each for each in locations if not _is_description(journal, each)]
        if [disk] == list(journal.head.disks) and len(disks) == 1:
            return disks[0]  # renamed or converted: what led from it to this journal was a pointer, or the user
    return disk.location if disk.path is None else str(disk.path)


def _is_description(journal: Journal, location: str) -> bool:
    edited = journal.head.edited
    return edited is not None and (_is_same(edited, location) or _has_same_name(edited, location))


def covered_files(head: "JournalHead", locations: Sequence[str]) -> tuple[Path, ...]:
    """Return the files that a journal is about: those it names, and those given now that it may be applied to.

    Where none is there that it names, that is any: they may be renamed. None at all where it names a URI, of which
    nobody knows the owner.
    """
    from bootgraft.storage.journal.head import JournalDisk

    items = (*head.disks, *(() if head.edited is None else (head.edited,)))
    files: list[Path] = []
    for item in items:
        if item.path is None:
            return ()
        files.append(item.path)
        if isinstance(item, JournalDisk):
            files += [item.path.parent / name for name in item.files]
        files += [resolve(Path(each)) for each in locations if _is_same(item, each) or _has_same_name(item, each)]
    if not any(map(exists, files)):
        files += [resolve(Path(each)) for each in locations if not is_uri(each)]
    return tuple(dict.fromkeys(files))


def match_description(journal: Journal, locations: Sequence[str], vm: str | None) -> None:
    """Return where ``vm`` is the description that the journal covers, or it covers none.

    Raises:
        JournalError: it covers one, and that was not given.
    """
    edited = journal.head.edited
    if edited is None or (vm is not None and _is_description(journal, vm)):
        return
    raise JournalError(
        f"this undo journal covers the machine's description too, {edited.path}, and "
        + ("that was not given" if vm is None else f"{vm} is another one"),
        where=str(journal.path),
        advice=f"Give it too:\n    {command('undo', journal, locations)}",
    )


def match_disks(journal: Journal, locations: Sequence[str]) -> tuple[int, ...]:
    """Return, for each disk of the journal, its place in ``locations``.

    A disk is known by its path or URI, else by its file name where the folder was moved. A journal named by
    ``--journal``, or of a single disk, covers the rest in the order given, for URIs and renamed files; the content
    decides in the end.

    Raises:
        JournalError: some of the disks that the journal covers were not given; it says which.
    """
    disks = journal.head.disks
    places = {number: locations.index(given) for number, given in journal.known if given in locations}
    for rule in (_is_same, _has_same_name):
        for index, disk in enumerate(disks):
            if index not in places:
                fitting = [place for place in _free(places, locations) if rule(disk, locations[place])]
                places.update(zip((index,), fitting, strict=False))
    open_disks = [index for index in range(len(disks)) if index not in places]
    free = _free(places, locations)
    if (
        (journal.explicit or len(disks) == 1)
        and len(open_disks) == len(free)
        and not any(_is_there(disks[i]) for i in open_disks)
    ):
        places.update(zip(open_disks, free, strict=True))
    missing = [_shown(disks[index], journal, ()) for index in range(len(disks)) if index not in places]
    if missing:
        raise JournalError(
            f"this undo journal covers {counted(len(disks), 'disk')}, and not all were given: "
            f"missing {', '.join(missing)}",
            where=str(journal.path),
            advice=f"Give them all: {command('undo', journal, locations)}",
        )
    return tuple(places[index] for index in range(len(disks)))


def _free(places: dict[int, int], locations: Sequence[str]) -> list[int]:
    """Return the places in ``locations`` that no disk has taken."""
    return [place for place in range(len(locations)) if place not in places.values()]


def _is_there(disk: "JournalDisk") -> bool:
    """Whether the file that the journal names is still there."""
    return disk.path is not None and exists(disk.path)
