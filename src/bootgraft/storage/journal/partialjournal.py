"""A journal before it has its name: a new file of ours beside that name, locked for as long as its commit works.

``<journal>.partial`` is left where a commit is killed, and the next commit removes it, unless a bootgraft at work holds
it locked. What a user put there whose word does not count (``ownership``) is removed in any case.
"""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from bootgraft.errors import BootgraftError, JournalError
from bootgraft.storage.durable import explained, open_regular, sync_folder
from bootgraft.storage.journal.journaldisks import KIND
from bootgraft.storage.journal.journalfile import lock_file
from bootgraft.storage.newfile import create_new, in_the_way, is_at, make_way
from bootgraft.storage.ownership import is_trusted_owner, require_trusted

_ACTION = "writing the undo journal"
_ADVICE = "Have it removed, or give --journal PATH in a folder of your own"
_TRIES = 8
"""Times that the place may be taken again while it is being cleared."""


def open_partial(journal: Path, about: Sequence[Path]) -> int:
    """Create the temporary file of a journal that is about these disks and files; return it open and locked.

    Raises:
        ImageInUseError: another bootgraft writes this journal.
        JournalError: the file cannot be created or locked, or would not count later; or the journal's name is taken.
    """
    partial = _partial(journal)
    descriptor = _create(partial, journal, about)
    try:
        _require_counts(descriptor, journal, about)
        lock_file(descriptor, journal, exclusive=True, movable=True)
        with explained(journal, action=_ACTION, movable=True):
            # Whoever found it before it was locked took it for a left one. And a journal may have its name by now.
            if os.path.lexists(journal) or not is_at(partial, descriptor):
                raise FileExistsError(errno.EEXIST, "there is something at this place already")
    except BootgraftError:
        discard_partial(descriptor, journal)
        os.close(descriptor)
        raise
    return descriptor


def publish_partial(descriptor: int, journal: Path) -> None:
    """Give the journal its name, which is on stable storage on return.

    Raises:
        JournalError: the file system refused, or another file took the place of the temporary one.
    """
    with explained(journal, action=_ACTION, movable=True):
        _partial(journal).rename(journal)
        if not is_at(journal, descriptor):
            raise FileExistsError(errno.EEXIST, "another program put its own file there")
        sync_folder(journal.parent)


def discard_partial(descriptor: int, journal: Path) -> None:
    """Remove the temporary file; nothing where it is there no more, or another file is."""
    partial = _partial(journal)
    if is_at(partial, descriptor):
        partial.unlink(missing_ok=True)


def _partial(journal: Path) -> Path:
    return journal.with_name(journal.name + ".partial")


def _create(partial: Path, journal: Path, about: Sequence[Path]) -> int:
    """Create the file, after what is left of a killed commit, or was put there by somebody else, was removed."""
    with explained(journal, action=_ACTION, movable=True):
        for _ in range(_TRIES):
            try:
                return create_new(partial)
            except FileExistsError:
                _clear(partial, journal, about)
        return create_new(partial)


def _clear(partial: Path, journal: Path, about: Sequence[Path]) -> None:
    """Remove the file that is in the way, unless another bootgraft holds it.

    Raises:
        ImageInUseError: one does.
        JournalError: the file cannot be removed.
    """
    try:
        status = partial.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode) or not is_trusted_owner(status.st_uid, about):
        make_way(partial, advice=_ADVICE)
        return
    try:
        descriptor = open_regular(partial, os.O_RDWR)  # NFS locks only what is open for writing
    except PermissionError as error:  # root's, for one: whether it is held cannot be found out
        raise in_the_way(partial, status.st_uid, error, advice=_ADVICE) from error
    try:
        lock_file(descriptor, journal, exclusive=True, movable=True)
        if is_at(partial, descriptor):
            make_way(partial, advice=_ADVICE)
    finally:
        os.close(descriptor)


def _require_counts(descriptor: int, journal: Path, about: Sequence[Path]) -> None:
    """Raise JournalError where a later undo would not trust what is created here."""
    try:
        require_trusted(descriptor, journal, about, kind=KIND)
    except JournalError as error:
        raise JournalError(
            "its file system gives new files to another user or lets others write to them, so that no undo could trust "
            "the undo journal; nothing was written",
            where=str(journal),
            advice="Give --journal PATH on another file system",
        ) from error
