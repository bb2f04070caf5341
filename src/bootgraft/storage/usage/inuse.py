"""In use means in use: whether anybody else has an image open, by whatever means Linux has to tell.

qemu's locks (``locks``) keep off only who asks for them. A lease (``lease``) tells of everybody else: a loop device, an
editor, a copy under way. Where Linux grants none, the signs are loop devices, mounts and what is built on a block
device. Whoever it is is named; what could not be asked is returned, to be said.
"""

import os
import stat
import time
from pathlib import Path

from bootgraft.errors import ImageInUseError
from bootgraft.storage.usage import lease
from bootgraft.storage.usage.lease import Others

TRIES = 6
PAUSE = 0.02
"""Seconds between tries: what is opened may be looked at for a moment by a virus scanner or by another bootgraft."""

_ASK_SERVERS = ("nfs", "nfs4", "cifs", "smb3")
"""File systems that refuse a lease for want of a promise from their server, whoever has the file open."""

_ONE_OF_SEVERAL_WAYS = ("fuse", "overlay", "virtiofs", "vboxsf")
"""File systems over files that can be opened past them without their notice."""


def require_unused(descriptor: int, path: Path, *, writing: bool) -> tuple[str, ...]:
    """Refuse a file or block device that others use, and return what could not be asked, as sentences.

    Where ``writing``, every other opener counts: who only reads it, as a read-only mount does, relies on its content.
    Else only openers that may write count, and ``descriptor`` was opened for reading only.

    Raises:
        ImageInUseError: somebody uses it; the message names who.
    """
    status = os.fstat(descriptor)
    if stat.S_ISBLK(status.st_mode):
        return _require_unused_device(path, status, writing=writing)
    kind = _file_system(status)
    is_certain = kind not in _ASK_SERVERS
    others = _ask(descriptor, writing=writing, tries=TRIES if is_certain else 1)
    if others is Others.SOME and is_certain:
        raise _opened(path, status)
    if others is Others.NONE:
        if kind.partition(".")[0] in _ONE_OF_SEVERAL_WAYS:
            return (f"its file system ({kind}) tells only of programs that have it open through this mount",)
        return ()
    require_no_signs(path, writing=writing)
    if others is Others.NOT_FOR_US:
        what = "only its owner or root may ask Linux whether another program has it open"
    else:
        what = f"its file system{f' ({kind})' if kind else ''} does not report whether another program has it open"
    return (f"{what}; locks, loop devices and mounts were looked at",)


def require_no_signs(path: Path, *, writing: bool) -> None:
    """Refuse a file that a loop device or a mount uses, where Linux cannot be asked for all openers.

    Raises:
        ImageInUseError: as for :func:`require_unused`.
    """
    from bootgraft.storage.usage.blockuse import file_uses

    try:
        status = path.stat()
    except OSError:  # reading or writing it will tell
        return
    if any(writing or use.writes for use in file_uses(path, status)):
        raise _opened(path, status)


def named_users(path: Path) -> str:
    """Return ``: `` and who uses a file or block device, for the end of a sentence; '' where nobody can be seen."""
    from bootgraft.storage.usage.users import find_users

    users = find_users(path)
    return f": {users}" if users.names else ""


def _require_unused_device(path: Path, status: os.stat_result, *, writing: bool) -> tuple[str, ...]:
    from bootgraft.storage.usage.blockuse import device_uses

    uses = device_uses(status.st_rdev)
    if any(writing or use.writes for use in uses):
        from bootgraft.storage.usage.users import put_into_words

        users = put_into_words(uses, path, status)
        raise ImageInUseError(f"the block device is in use: {users}", where=str(path), advice=users.advice)
    unsure = (f"{use.what}: whether that writes to it cannot be determined" for use in uses if use.writes is None)
    return (*unsure, "Linux does not report who has a block device open; locks, mounts and holders were looked at")


def _ask(descriptor: int, *, writing: bool, tries: int) -> Others:
    others = lease.ask(descriptor, writing=writing)
    for _ in range(tries - 1):
        if others is not Others.SOME:
            break
        time.sleep(PAUSE)
        others = lease.ask(descriptor, writing=writing)
    return others


def _file_system(status: os.stat_result) -> str:
    """Return the type of the file system that a file lies on; '' for one on a disk, which are all alike here."""
    if os.major(status.st_dev) != 0:
        return ""
    from bootgraft.storage.usage.mounts import read_mounts

    device = f"0:{os.minor(status.st_dev)}"
    return next((mount.type for mount in read_mounts() if mount.device == device), "")


def _opened(path: Path, status: os.stat_result) -> ImageInUseError:
    from bootgraft.storage.usage.users import find_users

    users = find_users(path, status)
    if users.names:
        return ImageInUseError(f"another program has it open: {users}", where=str(path), advice=users.advice)
    if os.geteuid() != 0:
        whose, advice = "another user's or container's", "Run the command as root, which sees whose it is"
    else:
        whose, advice = "another container's", "Look for containers, NFS exports and iSCSI targets that serve it"
    return ImageInUseError(
        f"another program has it open that cannot be seen from here: {whose}, or the kernel itself (an NFS or iSCSI "
        "server)",
        where=str(path),
        advice=f"{advice}, end that, and try again",
    )
