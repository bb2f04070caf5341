"""The machine's description as part of a transaction: a small text that is replaced as a whole, so it is never torn.

The new content is written beside it and renamed over it. Its owner and mode are kept, and where it is a link, the file
that it leads to is replaced.
"""

import os
from pathlib import Path

from bootgraft.errors import ImageError, JournalError
from bootgraft.storage.confine import resolve
from bootgraft.storage.durable import explained, open_regular, read_all, sync_folder, write_all
from bootgraft.storage.journal.head import MAX_EDITED, EditedFile, is_plain
from bootgraft.storage.newfile import create_new, make_way

_PARTIAL = ".bootgraft-partial"


def current_content(path: Path) -> bytes:
    """Return what is in the file now.

    Raises:
        JournalError: it cannot be read.
    """
    with explained(path, action="reading the machine's description"):
        descriptor = open_regular(resolve(path), os.O_RDONLY)
        try:
            return read_all(descriptor, 0, MAX_EDITED + 1)
        finally:
            os.close(descriptor)


def draft_edit(location: str, old: bytes, new: bytes) -> EditedFile:
    """Return what a journal says of an edit: ``old`` is what the plan was made for.

    Raises:
        ImageError: the file was changed meanwhile, or has a name that a journal does not take.
        JournalError: it cannot be read.
    """
    path = resolve(Path(location))
    if not is_plain(location) or not is_plain(str(path)):
        raise ImageError(
            "its name has control characters, which an undo journal does not take",
            where=repr(location),
            advice="Rename the file or the folder",
        )
    if current_content(path) != old:
        raise ImageError(
            "it was changed by another program just now",
            where=location,
            advice="Close the machine in every management program, and run the command again",
        )
    return EditedFile(location, path, old, new)


def make_way_for(path: Path) -> None:
    """Remove what is in the way of replacing the file, so that it is told before anything is written.

    Raises:
        JournalError: it cannot be removed.
    """
    path = resolve(path)
    with explained(path, action="writing the machine's description"):
        make_way(_partial(path))


def replace_content(path: Path, data: bytes) -> None:
    """Make ``data`` what is in the file; on return it is on stable storage.

    It is replaced even where it reads so already: the flush of an earlier replacement may have failed.

    Raises:
        JournalError: the folder is full or read-only, or the file's owner cannot be kept.
    """
    path = resolve(path)
    partial = _partial(path)
    with explained(path, action="writing the machine's description"):
        _write_beside(partial, path, data)
        partial.rename(path)
        sync_folder(path.parent)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + _PARTIAL)


def _write_beside(partial: Path, path: Path, data: bytes) -> None:
    status = path.stat()
    make_way(partial)
    descriptor = create_new(partial)
    try:
        own = os.fstat(descriptor)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            try:
                os.fchown(descriptor, status.st_uid, status.st_gid)
            except PermissionError as error:
                raise JournalError(
                    "it belongs to another user, who would lose it",
                    where=str(path),
                    advice="Run the command as that user or as root",
                ) from error
        os.fchmod(descriptor, status.st_mode & 0o777)  # set-user-ID on a text is nothing to hand on
        write_all(descriptor, data, 0)
        os.fsync(descriptor)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
