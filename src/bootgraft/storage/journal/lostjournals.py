"""An unfinished journal that the index of this host knows and that is not there: not mounted just now, moved, deleted.

Without it nobody can tell what of a disk is old and what is new. A disk that both its place and its content lead to it
is not written; one of which only the content does may be a clone, and is told. A place alone is no evidence: numbers
and addresses are given again.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import JournalError
from bootgraft.storage.journal.diskmarks import is_content_mark
from bootgraft.storage.journal.hostindex import UnfinishedEntry, entry_path


class LostJournal(Struct, frozen=True):
    """The ``entries`` of the index by which the disk at ``location`` leads to ``journal``, which is not there."""

    location: str
    journal: Path
    entries: tuple[UnfinishedEntry, ...]

    @property
    def is_sure(self) -> bool:
        """Whether it is about this disk, and not perhaps about a clone of it."""
        return len({is_content_mark(entry.mark) for entry in self.entries}) > 1


def lost_journals(entries: Sequence[tuple[str, UnfinishedEntry]]) -> tuple[LostJournal, ...]:
    """Return what entries that lead nowhere say of disks, each with the disk that led to it."""
    found: dict[tuple[str, Path], list[UnfinishedEntry]] = {}
    for location, entry in entries:
        found.setdefault((location, entry.journal), []).append(entry)
    return tuple(
        LostJournal(location, journal, tuple(its))
        for (location, journal), its in found.items()
        if any(is_content_mark(entry.mark) for entry in its)
    )


def lost_error(lost: LostJournal) -> JournalError:
    """Return what is said of one, and how to go on."""
    kind = "a repair of this disk" if lost.is_sure else "a repair of this disk, or of one that it is a clone of,"
    remove = shlex.join(["rm", *(str(entry_path(entry)) for entry in lost.entries)])
    return JournalError(
        f"{kind} was begun, and whether it was finished cannot be determined: its undo journal {lost.journal} is not "
        "there",
        where=lost.location,
        advice="Mount what it lies on, or name it where it is now: --journal PATH. If it was deleted on purpose, have "
        f"this host forget it:\n    {remove}",
        id="journal-missing",
    )
