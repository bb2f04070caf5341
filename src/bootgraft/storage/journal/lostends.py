"""A container whose end a power loss took: its tables name what lies behind the end of the file.

While a repair or an undo writes, a container grows: qemu writes a new part of the disk behind the end of the file, and
names it in a table inside. Between two flushes the storage may bring these there in any order. After a power loss the
table may thus be there without the part, and the file is too short (or a VHD lacks its footer, which moves along). qemu
would give the place to the next part that it writes, so that two parts of the disk shared it, or refuses the file.

Such a file is made longer by zeros before it is opened. That is right, and enough, because:

- Every file was on stable storage, at the length that the journal holds, before the first write. What lies behind that
  length is ours, and a file that is shorter lost something else: it is refused.
- A file is made longer only by as much as the journal's stretches can have made it grow. Whatever names more is not
  what qemu wrote under this journal, and is refused.
- Nobody loses a byte by it: what lies behind the end of a file reads as zeros before and after.
- The stretches of the journal are written again as a whole, by undo as by resume. The rest of a new part is zeros in an
  image that is built on no other; of one that is, the stretches are whole parts (``transaction``).

A VHD without its footer may also be too long, where the part arrived and the table did not: what lies behind both the
last part that the table names and the length before is cut off, because the footer has to follow that part.

Only an unfinished journal explains a lost end: one is sealed after all is on stable storage.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import DamagedImageError, JournalError
from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.durable import explained
from bootgraft.storage.fileidentity import open_identified
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.formats import reader_of
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import ImageInfo, Reach
from bootgraft.storage.images.opening import identify, require_unused
from bootgraft.storage.journal.head import Extent, JournalDisk, JournalState
from bootgraft.storage.journal.journaldisks import Journal, command, covered_files, match_disks
from bootgraft.storage.journal.journalfile import JournalFile


class _Lost(Struct, frozen=True):
    """A file of disk ``disk`` that is ``size`` bytes long, was ``length`` when journalled, and needs ``needed``."""

    info: ImageInfo
    path: Path
    disk: int
    size: int
    length: int
    needed: int
    reach: Reach

    @property
    def remedy(self) -> str:
        """What is going to be done about it, after the file's name."""
        if self.size < self.needed:
            return f"lost its end: it is put back as zeros, {self.needed - self.size} bytes"
        return f"ends in what no table names: it is cut off, {self.size - self.needed} bytes"


def restore_ends(
    journal: Journal,
    locations: Sequence[str],
    *,
    format: ImageFormat | None = None,  # noqa: A002 - the name the command line uses
    allow_paths: Sequence[Path] = (),
    dry_run: bool = False,
    monitor: Monitor,
) -> None:
    """Give the files of an unfinished journal's disks the length that their tables need; mostly there is nothing to do.

    ``locations`` are the disks as given on the command line.

    Raises:
        DamagedImageError: a file lacks more than this journal explains; nothing was written.
        JournalError: not all disks were given, or the journal is damaged; or ``dry_run``, and a file lacks its end.
        ImageInUseError: somebody has the file open, or another bootgraft works under this journal.
    """
    if journal.state is JournalState.SEALED or not any(disk.lengths for disk in journal.head.disks):
        return
    lost: list[_Lost] = []
    for number, place in enumerate(match_disks(journal, locations)):
        disk = journal.head.disks[number]
        if disk.lengths:
            info = identify(
                locations[place], format=format, allow_paths=allow_paths, pending_log_ok=True, end_may_lack=True
            )
            lost += _lost_of(number, disk, info)
    if not lost:
        return
    with JournalFile(journal.path, writable=True, about=covered_files(journal.head, locations)) as file:
        file.lock(exclusive=True)
        extents = [stored.extent for stored in file.verify()]
        for each in lost:
            _require_explained(each, extents, journal)
        if dry_run:
            raise _only_by_writing(lost[0], journal, locations)
        require_unused([each.path for each in lost], writable=True)
        for each in lost:
            monitor(Event(EventKind.NOTE, f"{each.path} {each.remedy}"))
            _set_length(each)


def _lost_of(number: int, disk: JournalDisk, info: ImageInfo) -> Iterator[_Lost]:
    """Yield the files of an image that have not the length they need."""
    reach_of = reader_of(info.format).reach if info.format.module else None
    if reach_of is None or info.format.value != disk.format or len(info.files) != len(disk.lengths):
        return
    for path, length in zip(info.files, disk.lengths, strict=True):
        with ContainerFile(path) as file:
            reach = None if file.is_block_device else reach_of(file)
            size = file.size
        if reach is None:
            continue
        # Without its footer the file ends where that begins: ``repair`` puts it there.
        needed = max(reach.end, length - reach.footer)
        if size < needed or (reach.footer and size > needed):
            yield _Lost(info, path, number, size, length, needed, reach)


def _require_explained(lost: _Lost, extents: Sequence[Extent], journal: Journal) -> None:
    """Raise DamagedImageError where a file lacks what was there before, or more than was written since."""
    reach = lost.reach
    # A stretch begins and ends inside a part; what is between are whole ones.
    parts = sum(extent.length // reach.unit + 2 for extent in extents if extent.disk == lost.disk)
    if lost.size + reach.footer >= lost.length and reach.end <= lost.size + parts * reach.stored:
        return
    raise DamagedImageError(
        f"the file is cut short: it has {lost.size} bytes and had {lost.length} when the repair began, and its tables "
        f"name parts of the disk up to byte {reach.end}: more is lost than what the repair was writing",
        where=str(lost.path),
        advice=kept_advice(journal),
    )


def kept_advice(journal: Journal) -> str:
    """What to do about a damaged image that a journal covers: a new copy would not be what the journal is about."""
    if journal.state is JournalState.SEALED:
        return (
            f"Its undo journal {journal.path} is of the repaired image: put that back, from where it was repaired or "
            "from a backup, and not the image before the repair"
        )
    return (
        f"Do not copy it anew: a new copy would not fit its undo journal {journal.path}. Copy both elsewhere as they "
        "are, look for disk or network errors (dmesg), and run the command again; where that does not help, restore "
        "the machine from a backup"
    )


def _only_by_writing(lost: _Lost, journal: Journal, locations: Sequence[str]) -> JournalError:
    return JournalError(
        "whether the undo is possible cannot be determined without writing: a power loss took the end of this file, "
        "which an undo first puts back as zeros",
        where=str(lost.path),
        advice=f"To undo it, run:\n    {command('undo', journal, locations)}",
    )


def _set_length(lost: _Lost) -> None:
    """Make a file as long as it needs to be, and return when that is on stable storage."""
    with explained(lost.path, action="putting back the end of the container's file"):
        identity = lost.info.identities[lost.info.files.index(lost.path)]
        descriptor = open_identified(lost.path, identity, os.O_RDWR)
        try:
            os.ftruncate(descriptor, lost.needed)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
