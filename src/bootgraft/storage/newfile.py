"""Files of ours that are created beside an image: always new ones, never what somebody put there before.

Each is written under a temporary name and renamed. What lies at that name, left by a run that was killed or put there
by somebody else, is removed, never opened: its owner would own what is written to it, a hard link or a symbolic link
would lead it into another file.
"""

import os
from pathlib import Path

from bootgraft.errors import JournalError
from bootgraft.storage.ownership import user_name


def make_way(path: Path, *, advice: str = "Have it removed, and run the command again") -> None:
    """Remove what lies at a name where a file of ours is to be created.

    Raises:
        JournalError: it cannot be removed, as another user's in a sticky folder; ``advice`` says what to do.
    """
    try:
        owner = path.lstat().st_uid
    except OSError:  # nothing is there, or creating the file will say what is wrong
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise in_the_way(path, owner, error, advice=advice) from error


def in_the_way(path: Path, owner: int, error: OSError, *, advice: str) -> JournalError:
    """Return the error for a file that cannot be removed from where one of ours is to be created."""
    return JournalError(
        f"this name is needed, and what is there cannot be removed ({error.strerror}): it belongs to "
        f"{user_name(owner)}",
        where=str(path),
        advice=advice,
    )


def create_new(path: Path) -> int:
    """Create a file that only its owner may read, and return it open for reading and writing.

    Raises:
        FileExistsError: there is something at this name; it was not touched.
        OSError: the file system refused.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is still the one of this name: in another's folder it may have been exchanged."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
