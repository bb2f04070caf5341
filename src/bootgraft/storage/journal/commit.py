"""Commit a proven repair: journal first, image second, seal last.

The order, each step on stable storage before the next begins: the containers as they are; the whole journal under a
temporary name; its real name; the pointers beside the other disks; its entries in the index of this host; the machine's
description; the new content in the images; the containers' descriptors; the seal. Killed before the journal has its
name, the images are untouched, and the temporary file is removed by the next commit; killed after, ``undo`` or
``repair --resume`` repairs it.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from bootgraft.errors import BootgraftError, JournalError
from bootgraft.events import Event, EventKind, Monitor, Progress, silent
from bootgraft.storage.devices.patience import begin_to_write
from bootgraft.storage.durable import FULL, explained
from bootgraft.storage.journal.editedfile import make_way_for, replace_content
from bootgraft.storage.journal.head import decode_head, encode_head
from bootgraft.storage.journal.hostindex import forget_entries, remember
from bootgraft.storage.journal.journaldisks import Journal, covered_files, disk_file
from bootgraft.storage.journal.journalfile import (
    JournalFile,
    Mark,
    Stored,
    layout,
    version_of,
    write_journal,
)
from bootgraft.storage.journal.journalsearch import (
    forget,
    interrupted,
    next_serial,
    pointer_places,
    require_no_unfinished,
)
from bootgraft.storage.journal.partialjournal import discard_partial, open_partial, publish_partial
from bootgraft.storage.journal.pointers import PointerChange, add_journal
from bootgraft.storage.journal.transaction import Draft, Transaction, contents, draft_journal
from bootgraft.storage.journal.writeback import bring_to_storage, write_back
from bootgraft.storage.newfile import is_at


def commit(transaction: Transaction, *, journal: Path, monitor: Monitor = silent) -> Path:
    """Write a transaction to its images under a journal at ``journal``, and return the journal's path.

    The images are open for writing, and stay locked until the seal; those that qemu writes are closed on return.
    ``journal`` comes from ``journalsearch.new_journal_path``.

    Raises:
        JournalError: the journal cannot be written (no space, a read-only folder), and nothing was written; or an
            image could not be written to its end, and the error names the command that repairs it.
        ImageError: an image cannot be read; nothing was written.
        ImageInUseError: another program has opened one since; nothing was written.
    """
    locations = transaction.locations
    require_no_unfinished(locations)
    for disk in transaction.disks:
        bring_to_storage(disk.image.info)
    draft = draft_journal(transaction, serial=next_serial(locations))
    places = pointer_places(locations, journal)
    begin_to_write()
    with _publish(draft, transaction, journal, places, monitor) as file:
        images = [disk.image for disk in transaction.disks]
        try:
            kept = [disk.kept for disk in file.head.disks]
            stretches = file.verify()
            _remember(file, stretches, transaction, places, monitor)
            # First: whoever starts a half-repaired machine after all shall at least not have it on the network.
            if transaction.edited is not None:
                replace_content(transaction.edited.path, transaction.edited.new)
            write_back(file, stretches, images, kept, new=True, reopen=False, monitor=monitor)
            file.mark(Mark.SEALED)
        except BootgraftError as error:
            written = Journal(journal, file.head, file.state, explicit=not any(map(disk_file, locations)))
            raise half_written(error, written, locations) from error
    forget_entries(journal, len(transaction.disks))
    monitor(Event(EventKind.NOTE, f"sealed the undo journal {journal}"))
    return journal


def _remember(
    file: JournalFile, stretches: Sequence[Stored], transaction: Transaction, places: Sequence[Path], monitor: Monitor
) -> None:
    """Enter the journal in the index of this host; who is stopped at that has written nothing yet."""
    try:
        remember(file, stretches, [disk.image for disk in transaction.disks], monitor)
    except KeyboardInterrupt:
        with contextlib.suppress(BootgraftError):
            forget(places, file.path)
        forget_entries(file.path, len(transaction.disks))
        raise


def half_written(error: BootgraftError, journal: Journal, locations: Sequence[str]) -> JournalError:
    """Return the error for images that could not be written to the end."""
    advice = interrupted(journal, locations).advice
    return JournalError(
        f"the write was interrupted: {error.what}",
        where=error.where,
        advice=f"{error.advice}. {advice}",
        id="write-interrupted",
    )


def _publish(
    draft: Draft, transaction: Transaction, journal: Path, places: Sequence[Path], monitor: Monitor
) -> JournalFile:
    """Write the journal and the pointers to it, and return the journal, open and locked.

    Leaves nothing behind where that fails.
    """
    changes = add_journal(places, journal)
    if transaction.edited is not None:
        make_way_for(transaction.edited.path)
    descriptor = open_partial(journal, covered_files(draft.head, transaction.locations))
    try:
        _write(descriptor, draft, transaction, journal, monitor)
        for disk in transaction.disks:
            disk.image.require_unused()
        for change in changes:
            change.prepare()
        publish_partial(descriptor, journal)
        for change in changes:
            change.publish()
    except (BootgraftError, KeyboardInterrupt):
        _withdraw(descriptor, journal, changes, places)
        os.close(descriptor)
        raise
    return JournalFile(journal, descriptor=descriptor)


def _withdraw(descriptor: int, journal: Path, changes: Sequence[PointerChange], places: Sequence[Path]) -> None:
    """Remove a journal before anything was written under it.

    Where even that fails, an unfinished journal over untouched images stays, which undo removes: the first fault is
    the one worth telling.
    """
    with contextlib.suppress(OSError, BootgraftError):
        discard_partial(descriptor, journal)
        for change in changes:
            change.discard()
        if is_at(journal, descriptor):
            forget(places, journal)


def _write(descriptor: int, draft: Draft, transaction: Transaction, journal: Path, monitor: Monitor) -> None:
    """Write the whole journal to its temporary file, its space claimed first."""
    head = encode_head(draft.head)
    decode_head(head, path=journal)  # better no journal than one that undo will not read
    plan = layout(head, draft.extents)
    progress = Progress(monitor, f"writing the undo journal {journal}", plan.contents)
    with explained(journal, action="writing the undo journal", movable=True):
        _claim_space(descriptor, plan.total, journal)
        parts = progress.counting(contents(transaction, draft.extents))
        write_journal(descriptor, head, draft.extents, parts, version=version_of(draft.head))
        os.fsync(descriptor)


def _claim_space(descriptor: int, needed: int, journal: Path) -> None:
    """Raise JournalError where the folder's file system has no room for ``needed`` bytes, else allocate them."""
    folder = os.fstatvfs(descriptor)
    free = folder.f_bavail * folder.f_frsize
    try:
        if free < needed:
            raise _no_space(needed, journal)
        os.posix_fallocate(descriptor, 0, needed)
    except OSError as error:
        if error.errno in FULL:
            raise _no_space(needed, journal) from error
        raise


def _no_space(needed: int, journal: Path) -> JournalError:
    """Return the error for a folder that is too full."""
    return JournalError(
        f"there is no space for the undo journal, which needs {-(-needed // 2**20)} MiB in {journal.parent}; "
        "nothing was written",
        where=str(journal),
        advice="Free some there, or give --journal PATH on another file system",
        id="journal-no-space",
    )
