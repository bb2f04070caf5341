"""Where a machine's undo journals lie: beside disk 0, where ``--journal`` says, or where a pointer file says.

``<disk 0>.bootgraft-1.journal`` is the first repair's, ``-2`` the second's, and ``undo`` takes the newest. A repair's
number counts up over all disks of the machine, wherever their journals lie.

Journals and pointers that do not count because of their owner (``ownership``) end a command, unless that only reads: it
gives a ``monitor``, which is told of them, and the search goes on without them.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from bootgraft.errors import ForeignFileError, ImageError, JournalError, UsageError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.confine import exists, resolve
from bootgraft.storage.durable import explained, sync_folder
from bootgraft.storage.journal.journaldisks import Journal, command, covered_files, disk_file
from bootgraft.storage.journal.nearbyjournals import NearbyJournals
from bootgraft.storage.journal.pointers import pointer_beside, remove_journal
from bootgraft.storage.ownership import name_passed_over


def find_journal(
    locations: Sequence[str], journal: Path | None = None, *, strays: Sequence[Journal] = ()
) -> Journal | None:
    """Return the newest journal that covers any of these disks, None where there is none.

    ``locations`` are paths and URIs as given on the command line, ``journal`` what ``--journal`` named, ``strays`` what
    no name leads to.

    Raises:
        JournalError: one of them is damaged or not where a pointer says; a newer one than ``journal`` exists; or two
            are newest, because the disks were repaired separately.
    """
    found = find_journals(locations, journal, strays=strays)
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
            advice=f"To undo that, run:\n    {command('undo', newest[0], locations)}",
        )
    return newest[0]


def require_journal(
    locations: Sequence[str], journal: Path | None = None, *, strays: Sequence[Journal] = ()
) -> Journal:
    """Return what find_journal finds; raise JournalError where that is nothing, ImageError where a disk is not."""
    found = find_journal(locations, journal, strays=strays)
    if journal is not None and not exists(journal):
        raise JournalError(
            "there is no such undo journal", where=str(journal), advice="Check the path", id="journal-missing"
        )
    if found is None:
        for location in locations:
            require_disk(location)
        raise JournalError(
            "no undo journal lies beside these disks" if len(locations) > 1 else "no undo journal lies beside it",
            where=", ".join(locations),
            advice="If it was repaired with --journal PATH, give that again; otherwise nothing was repaired, and there "
            "is nothing to undo or to resume",
            id="journal-missing",
        )
    return found


def require_disk(location: str) -> None:
    """Raise ImageError where there is no such disk: then it is the name that is wrong."""
    disk = disk_file(location)
    if disk is not None and not exists(disk):
        raise ImageError("there is no such file", where=location, advice="Check the path", id="image-missing")


def require_no_unfinished(
    locations: Sequence[str], journal: Path | None = None, *, monitor: Monitor | None = None
) -> None:
    """Return where no repair and no undo of any of these disks was interrupted. Reads only.

    Raises:
        JournalError: one was; the error names the command that repairs it. Or a journal is damaged or does not count.
        ImageInUseError: one is at work just now.
    """
    for item in unfinished_journals(locations, journal, monitor=monitor):
        require_idle(item, locations)
        raise interrupted(item, locations)


def unfinished_journals(
    locations: Sequence[str],
    journal: Path | None = None,
    *,
    monitor: Monitor | None = None,
    strays: Sequence[Journal] = (),
) -> tuple[Journal, ...]:
    """Return what find_journals returns, as far as it is not sealed."""
    found = find_journals(locations, journal, monitor=monitor, strays=strays)
    if not found:
        return ()
    from bootgraft.storage.journal.head import JournalState

    return tuple(item for item in found if item.state is not JournalState.SEALED)


def require_idle(journal: Journal, locations: Sequence[str]) -> None:
    """Raise ImageInUseError where a bootgraft is at work under a journal just now."""
    from bootgraft.storage.journal.journalfile import JournalFile

    with JournalFile(journal.path, about=covered_files(journal.head, locations)) as file:
        file.lock(exclusive=False)


def interrupted(journal: Journal, locations: Sequence[str]) -> JournalError:
    """Return the error for a journal whose work was interrupted."""
    from bootgraft.storage.journal.head import JournalState

    undo = command("undo", journal, locations)
    if journal.state is JournalState.UNDOING:
        return JournalError(
            "an undo of this machine's repair was interrupted, and its disks hold old and new content mixed",
            where=str(journal.path),
            advice=f"Do not start the machine. To finish the undo, run:\n    {undo}",
            id="repair-unfinished",
        )
    resume = command("repair", journal, locations, "--resume")
    return JournalError(
        "a repair of this machine was interrupted, and its disks hold old and new content mixed",
        where=str(journal.path),
        advice=f"Do not start the machine. To go back, run:\n    {undo}\nTo finish the repair, run:\n    {resume}",
        id="repair-unfinished",
    )


def find_journals(
    locations: Sequence[str],
    journal: Path | None = None,
    *,
    monitor: Monitor | None = None,
    strays: Sequence[Journal] = (),
) -> tuple[Journal, ...]:
    """Return all journals that cover any of these disks and count, the oldest first; ``strays`` among them.

    Raises:
        JournalError: one is damaged, does not count, or is not where a pointer says.
        ForeignFileError: the owner of one does not count, and there is no ``monitor``, or ``--journal`` named it.
        UsageError: ``journal`` is a folder.
    """
    given = resolve(journal) if journal is not None and exists(journal) else None
    if given is not None and given.is_dir():
        raise UsageError("this is a folder", where=f"--journal {journal}", advice="Give the name of a file in it")
    nearby = NearbyJournals(locations)
    nearby.look_beside(tolerate_missing=given is not None)
    if given is not None:
        try:
            nearby.take_given(given)
        except ForeignFileError as error:
            _tell([error], None)
    if nearby.foreign:
        _tell(nearby.foreign, monitor)
    found = nearby.found
    for stray in strays:
        same = found.get(stray.path)
        found[stray.path] = stray if same is None else replace(same, known=stray.known)
    return tuple(sorted(found.values(), key=lambda item: item.head.serial))


def _tell(foreign: Sequence[ForeignFileError], monitor: Monitor | None) -> None:
    """Tell of the foreign files; without a monitor, raise the first of them."""
    if monitor is None:
        first, more = foreign[0], len(foreign) - 1
        what = f"{first.what}{f' ({more} more are like it)' if more else ''}; nothing was written"
        raise ForeignFileError(what, where=first.where, advice=first.advice)
    for text in name_passed_over(foreign):
        monitor(Event(EventKind.WARNING, text))


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
                id="journal-exists",
            )
        return path
    for location in locations:
        if disk_file(location) is None:
            raise UsageError(
                "the undo journal cannot lie beside a block device or an NBD export",
                where=location,
                advice="Say where to put it: --journal PATH",
                id="journal-path-needed",
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
