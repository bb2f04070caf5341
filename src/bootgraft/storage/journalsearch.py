"""Where a machine's undo journals lie: beside disk 0, where ``--journal`` says, or where a pointer file says.

``<disk 0>.bootgraft-1.journal`` is the first repair's, ``-2`` the second's, and ``undo`` takes the newest. A repair's
number counts up over all disks of the machine, wherever their journals lie.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootgraft.errors import ImageError, JournalError, UsageError
from bootgraft.storage.confine import exists, resolve
from bootgraft.storage.durable import explained, sync_folder
from bootgraft.storage.journal import JournalState
from bootgraft.storage.journaldisks import Journal, command, disk_file
from bootgraft.storage.journalfile import JournalFile
from bootgraft.storage.pointers import pointer_beside, read_pointer, remove_journal

_MAX_JOURNALS = 1024


def find_journal(locations: Sequence[str], journal: Path | None = None) -> Journal | None:
    """Return the newest journal that covers any of these disks, None where there is none.

    ``locations`` are paths and URIs as given on the command line, ``journal`` what ``--journal`` named.

    Raises:
        JournalError: one of them is damaged or not where a pointer says; a newer one than ``journal`` exists; or two
            are newest, because the disks were repaired separately.
    """
    found = find_journals(locations, journal)
    if not found:
        return None
    newest = [item for item in found if item.head.serial == found[-1].head.serial]
    if len(newest) > 1:
        names = " and ".join(str(item.path) for item in newest)
        raise JournalError(
            f"these disks were repaired separately, in {names}",
            where=", ".join(locations),
            advice="Run the command for each of them alone",
        )
    if journal is not None and exists(journal) and not newest[0].path.samefile(journal):
        raise JournalError(
            "a later repair of these disks is recorded elsewhere, and must be undone first",
            where=str(newest[0].path),
            advice=f"Type: {command('undo', newest[0], locations)}",
        )
    return newest[0]


def require_journal(locations: Sequence[str], journal: Path | None = None) -> Journal:
    """Return what find_journal finds; raise JournalError where that is nothing, ImageError where a disk is not."""
    found = find_journal(locations, journal)
    if journal is not None and not exists(journal):
        raise JournalError("there is no such undo journal", where=str(journal), advice="Check the path")
    if found is None:
        for location in locations:
            _require_disk(location)
        raise JournalError(
            "no undo journal lies beside these disks" if len(locations) > 1 else "no undo journal lies beside it",
            where=", ".join(locations),
            advice="If it was repaired with --journal PATH, give that again; otherwise nothing was repaired, and there "
            "is nothing to undo or to resume",
        )
    return found


def _require_disk(location: str) -> None:
    """Raise ImageError where there is no such disk: then it is the name that is wrong."""
    disk = disk_file(location)
    if disk is not None and not exists(disk):
        raise ImageError("there is no such file", where=location, advice="Check the path")


def require_no_unfinished(locations: Sequence[str], journal: Path | None = None) -> None:
    """Return where no repair and no undo of any of these disks was interrupted. Reads only.

    Raises:
        JournalError: one was; the error names the command that mends it. Or a journal is damaged.
        ImageInUseError: one is at work just now.
    """
    for item in find_journals(locations, journal):
        if item.state is JournalState.SEALED:
            continue
        with JournalFile(item.path) as file:
            file.lock(exclusive=False)
        raise interrupted(item, locations)


def interrupted(journal: Journal, locations: Sequence[str]) -> JournalError:
    """Return the error for a journal whose work was interrupted."""
    undo = command("undo", journal, locations)
    if journal.state is JournalState.UNDOING:
        return JournalError(
            "an undo of this machine's repair was interrupted, and its disks hold old and new content mixed",
            where=str(journal.path),
            advice=f"Do not start the machine. To finish it, type: {undo}",
        )
    resume = command("repair", journal, locations, "--resume")
    return JournalError(
        "a repair of this machine was interrupted, and its disks hold old and new content mixed",
        where=str(journal.path),
        advice=f"Do not start the machine. To go back, type: {undo}; to finish the repair, type: {resume}",
    )


def find_journals(locations: Sequence[str], journal: Path | None = None) -> tuple[Journal, ...]:
    """Return all journals that cover any of these disks, the oldest first."""
    given = resolve(journal) if journal is not None and exists(journal) else None
    beside = list(dict.fromkeys(_beside(locations, tolerate_missing=given is not None)))
    found = [_read(path, explicit=False) for path in beside]
    if given is not None and given not in beside:
        found.append(_read(given, explicit=True))
    return tuple(sorted(found, key=lambda item: item.head.serial))


def _read(path: Path, *, explicit: bool) -> Journal:
    """Read a journal's head."""
    with JournalFile(path) as file:
        return Journal(path, file.head, file.state, explicit)


def _beside(locations: Sequence[str], *, tolerate_missing: bool) -> Iterator[Path]:
    """Yield the journals that lie beside these disks or that a pointer beside them names."""
    for location in locations:
        disk = disk_file(location)
        if disk is None:
            continue
        for name in _names_of(disk):
            yield from _journals_of(name)
            yield from _pointed_at(pointer_beside(name), tolerate_missing=tolerate_missing)


def _names_of(disk: Path) -> Iterator[Path]:
    """Yield the disk's file and, for a flat VMDK's descriptor or bare extent, the other one: it is the same disk."""
    yield disk
    if disk.name.endswith("-flat.vmdk"):
        yield disk.with_name(disk.name.removesuffix("-flat.vmdk") + ".vmdk")
    elif disk.name.endswith(".vmdk"):
        yield disk.with_name(disk.name.removesuffix(".vmdk") + "-flat.vmdk")


def _journals_of(disk: Path) -> list[Path]:
    """Return the journals that lie beside a disk under its name."""
    name = re.compile(re.escape(disk.name) + r"\.bootgraft-[1-9][0-9]{0,9}\.journal")
    if not disk.parent.is_dir():
        return []
    with explained(disk, action="looking for undo journals beside the disk"), os.scandir(disk.parent) as entries:
        found = sorted(entry.name for entry in entries if name.fullmatch(entry.name))
    return [disk.with_name(entry) for entry in found[:_MAX_JOURNALS]]


def _pointed_at(pointer: Path, *, tolerate_missing: bool) -> Iterator[Path]:
    """Yield the journals that a pointer file names."""
    for path in read_pointer(pointer):
        if exists(path):
            yield resolve(path)
        elif not tolerate_missing:
            raise JournalError(
                f"the undo journal that this file names is not there: {path}",
                where=str(pointer),
                advice="Give --journal PATH where it is now; if it was deleted on purpose, remove this file",
            )


def new_journal_path(locations: Sequence[str], journal: Path | None = None) -> Path:
    """Return where the journal of a new repair of these disks is to lie.

    Raises:
        UsageError: ``--journal`` is needed and was not given.
        JournalError: there is something at that place already.
    """
    if journal is not None:
        path = resolve(journal.parent) / journal.name
        if os.path.lexists(path):
            raise JournalError(
                "there is something at this place already, perhaps an earlier repair's undo journal",
                where=str(path),
                advice="Give --journal the name of a file that does not exist yet",
            )
        return path
    for location in locations:
        if disk_file(location) is None:
            raise UsageError(
                "the undo journal cannot lie beside a block device or an NBD export",
                where=location,
                advice="Say where it is to lie: --journal PATH",
            )
    disk = resolve(Path(locations[0]))
    return disk.with_name(f"{disk.name}.bootgraft-{next_serial(locations)}.journal")


def next_serial(locations: Sequence[str]) -> int:
    """Return the number of the next repair of these disks."""
    return 1 + max((item.head.serial for item in find_journals(locations)), default=0)


def pointer_places(locations: Sequence[str], journal: Path) -> tuple[Path, ...]:
    """Return the pointer files that this journal needs, one beside each disk that would not find it otherwise."""
    disks = [disk for disk in map(disk_file, locations) if disk is not None]
    return tuple(dict.fromkeys(pointer_beside(disk) for disk in disks if not _lies_beside(journal, disk)))


def _lies_beside(journal: Path, disk: Path) -> bool:
    """Whether a journal has the name and place that the disk leads to."""
    name = re.escape(disk.name) + r"\.bootgraft-[1-9][0-9]{0,9}\.journal"
    return journal.parent == disk.parent and re.fullmatch(name, journal.name) is not None


def forget(places: Sequence[Path], journal: Path) -> None:
    """Remove a journal, the pointers to it first: whoever is interrupted in between still finds it beside disk 0.

    Raises:
        JournalError: the file system refused.
    """
    for change in remove_journal(places, journal):
        change.prepare()
        change.publish()
    with explained(journal, action="removing the undo journal"):
        journal.unlink(missing_ok=True)
        sync_folder(journal.parent)
