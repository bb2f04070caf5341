r"""A session that Windows saved in ``hiberfil.sys``, and what has to change so that nothing wakes it up.

The loader resumes what it finds there, whatever happened to the disk meanwhile. The first four bytes of the file tell
(see :mod:`bootgraft.filesystems.ntfs.state`); with its first page zero there is no session, and Windows starts as after
a power failure. The file lies on the volume of Windows, or on the system partition. A file shorter than a page is
ntldr's, on the system partition, and only names the volume that has the session.

What bootmgr's store says of it besides is :mod:`bootgraft.repair.resume`'s.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.changes import WriteSectors
from bootgraft.errors import FileSystemError, PartitionTableError
from bootgraft.filesystems.base import FileSystem, FileSystemKind
from bootgraft.machine import Machine, Volume

PATH = "\\hiberfil.sys"
_PAGE = 4096
_SLEEPING = frozenset({b"hibr", b"HIBR", b"rstr", b"RSTR"})
_LINK = frozenset({b"link", b"LINK"})


class SavedSession(Struct, frozen=True):
    """A saved session: its volume, the ``signature`` found, and the changes that drop it.

    ``obstacle`` says why they cannot be made; there are none then.
    """

    volume: Volume
    signature: str
    changes: tuple[WriteSectors, ...]
    obstacle: str | None = None


def saved_sessions(machine: Machine, volumes: Iterable[Volume]) -> tuple[SavedSession, ...]:
    """Find the sessions on these volumes, the active partition and the first volume of disk 0, each once."""
    first = machine.disks[0].volumes[:1] if machine.disks else ()
    active = [volume for volume in machine.volumes() if volume.partition.active]
    places = dict.fromkeys((*volumes, *active, *first))
    found = (_session(volume) for volume in places if volume.kind in search.OPENABLE)
    return tuple(session for session in found if session is not None)


def _session(volume: Volume) -> SavedSession | None:
    try:
        filesystem = volume.filesystem()
        entry = search.find_entry(filesystem, PATH)
        if entry is None or entry.is_directory:
            return None
        signature = filesystem.read(PATH, 0, 4)
        if entry.size < _PAGE and (filesystem.kind is FileSystemKind.NTFS or signature in _SLEEPING | _LINK):
            return SavedSession(volume, _text(signature), (), "its hiberfil.sys only names the volume that has it")
        return _on(volume, filesystem, signature) if signature in _SLEEPING else None
    except (FileSystemError, PartitionTableError):  # what cannot be read is told where the chain meets it
        return None


def _on(volume: Volume, filesystem: FileSystem, signature: bytes) -> SavedSession:
    page = filesystem.read(PATH, 0, _PAGE)
    changes = tuple(_cleared(volume, filesystem.extents(PATH)))
    if b"".join(change.before for change in changes) != page:
        return SavedSession(volume, _text(signature), (), "its hiberfil.sys is compressed or sparse")
    return SavedSession(volume, _text(signature), changes)


def _cleared(volume: Volume, extents: tuple[tuple[int, int], ...]) -> Iterator[WriteSectors]:
    """The first page as zeros, in as many pieces as it lies in."""
    left = _PAGE
    for offset, length in extents:
        take = min(length, left)
        if not take:
            return
        before = volume.device.read(offset, take)
        what = f"the first page of {PATH} on {volume.name}"
        yield WriteSectors(volume.disk, volume.partition.start + offset, bytes(take), before, what)
        left -= take


def _text(signature: bytes) -> str:
    return signature.decode("ascii", "replace")
