"""A new file or directory on NTFS, with the security of its neighbours.

Windows 2000 and later keep security descriptors once for the volume, in ``$Secure``; a file's STANDARD_INFORMATION
names its own by a security id. A new driver gets the id that most drivers beside it have, so that it is owned and
guarded as Windows set them up. On NTFS 1.2 (NT 4), and where a neighbour has no id, the descriptor is copied.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import split
from bootgraft.filesystems.ntfs import content as ntfs_content
from bootgraft.filesystems.ntfs import directory as ntfs_directory
from bootgraft.filesystems.ntfs.entries import COMPRESSED, DIRECTORY, REPARSE_POINT, IndexEntry
from bootgraft.filesystems.ntfs.freespace import skip_full
from bootgraft.filesystems.ntfs.handles import DATA, SECURITY_DESCRIPTOR, STANDARD_INFORMATION, Handles

_REGULAR, _DIRECTORY = 0o100000, 0o040000  # S_IFREG, S_IFDIR
_SECURITY_ID = slice(0x34, 0x38)  # in STANDARD_INFORMATION since NTFS 3.0
_NEIGHBOURS = 16  # files that are asked
_NAME_UNITS = 255


class Security(Struct, frozen=True):
    """How a file is guarded: an id into ``$Secure``, or (id 0) a descriptor of its own."""

    identifier: int
    descriptor: bytes


def create(handles: Handles, parent: int, path: str, content: bytes, *, filetime: int | None = None) -> None:
    """Create the file ``path`` in the directory whose file reference is ``parent``.

    ``filetime`` is its creation, modification and access time in 100 ns since 1601, now where None.

    Raises:
        FileSystemError: an entry of that name, in any case, is there; Windows does not allow the name; or the volume
            has no room.
    """
    with ExitStack() as stack:
        with handles.inode(parent) as directory:
            inode = stack.enter_context(handles.owned(_insert(handles, directory, path)))
        # Closed in this order: with both open, libntfs-3g writes the directory twice or (ntfs_inode_close_in_dir, on
        # a damaged index) frees it twice.
        _fill(handles, inode, path, content)
        if filetime is not None:
            _set_times(handles, inode, filetime)


def create_directory(handles: Handles, parent: int, path: str) -> None:
    """Create the empty directory ``path`` in the directory whose file reference is ``parent``. Raises as create()."""
    with ExitStack() as stack, handles.inode(parent) as directory:
        stack.enter_context(handles.owned(_insert(handles, directory, path, _DIRECTORY)))


def _insert(handles: Handles, directory: Any, path: str, kind: int = _REGULAR) -> Any:
    """Return the open inode of a new, empty file (or directory) in an open directory."""
    name = split(path)[1]
    if handles.lookup(directory, name) is not None:
        raise FileSystemError(
            "a file or directory of that name is there already",
            where=f"{handles.where} {path}",
            advice="Write to the existing file instead of creating it",
        )
    units = name.encode("utf-16-le", "surrogatepass")
    text = handles.ffi.from_buffer("uint16_t[]", units)
    length = len(units) // 2
    if not 0 < length <= _NAME_UNITS or handles.lib.ntfs_forbidden_names(handles.volume, text, length, 1):
        raise FileSystemError(
            f"Windows does not allow the file name {name!r}", where=handles.where, advice="Choose another name"
        )
    security = _security(handles, directory, name, kind)
    skip_full(handles)
    inode = _uncompressed(handles, directory, security.identifier, text, length, kind)
    if not inode:
        raise handles.failed(
            f"{path} cannot be created", advice="Check that the volume has free space; if it has, run chkdsk /f"
        )
    if not security.identifier and security.descriptor:
        _set_descriptor(handles, inode, security.descriptor)
    return inode


def _fill(handles: Handles, inode: Any, path: str, content: bytes) -> None:
    with handles.attribute(inode, DATA) as data:
        ntfs_content.write(handles, inode, data, path, 0, content)


def _uncompressed(handles: Handles, directory: Any, identifier: int, text: Any, length: int, kind: int) -> Any:
    """Return a new inode; in a compressed directory too it is not compressed, as boot code needs it."""
    flags = int(directory.flags)
    directory.flags = flags & ~COMPRESSED
    try:
        handles.ffi.errno = 0
        return handles.lib.ntfs_create(directory, identifier, text, length, kind)
    finally:
        directory.flags = flags


def _set_times(handles: Handles, inode: Any, filetime: int) -> None:
    times = filetime.to_bytes(8, "little") * 3  # creation, modification, access
    if handles.lib.ntfs_inode_set_times(inode, times, len(times), 0):
        raise handles.failed("the new file's times cannot be set")


def _set_descriptor(handles: Handles, inode: Any, descriptor: bytes) -> None:
    """Put ``descriptor`` in the place of the one (full access for everyone) that a file without an id was given."""
    if handles.has(inode, SECURITY_DESCRIPTOR) and handles.lib.ntfs_attr_remove(
        inode, SECURITY_DESCRIPTOR, handles.lib.AT_UNNAMED, 0
    ):
        raise handles.failed("the new file's security descriptor cannot be replaced")
    memory = handles.ffi.from_buffer("uint8_t[]", descriptor)
    if handles.lib.ntfs_attr_add(inode, SECURITY_DESCRIPTOR, handles.lib.AT_UNNAMED, 0, memory, len(memory)):
        raise handles.failed("the new file's security descriptor cannot be set")


def _security(handles: Handles, directory: Any, name: str, kind: int) -> Security:
    """Return what most neighbours of the same kind have, else any neighbour, else the directory itself.

    A directory's neighbours are directories: what they pass on to files made in them later belongs to it too.

    This reads the whole index, strictly, before the library inserts into it: a block that lies about its room has
    made libntfs-3g 2022.10.3 write past its buffer.
    """
    alike = [entry for entry in ntfs_directory.entries(handles, directory) if _is_like(entry, kind)]
    extension = name.rpartition(".")[2].upper()
    same = [entry for entry in alike if entry.name.name.rpartition(".")[2].upper() == extension]
    neighbours = _most_common(handles, (same or alike)[:_NEIGHBOURS])
    return neighbours or _security_of(handles, directory)


def _is_like(entry: IndexEntry, kind: int) -> bool:
    attributes = entry.name.entry().attributes
    return not attributes & REPARSE_POINT and bool(attributes & DIRECTORY) == (kind == _DIRECTORY)


def _most_common(handles: Handles, entries: Iterable[IndexEntry]) -> Security | None:
    found: Counter[Security] = Counter()
    for entry in entries:
        with handles.inode(entry.reference) as inode:
            security = _security_of(handles, inode)
        if security.identifier or security.descriptor:
            found[security] += 1
    return found.most_common(1)[0][0] if found else None


def _security_of(handles: Handles, inode: Any) -> Security:
    identifier = int.from_bytes(handles.value(inode, STANDARD_INFORMATION)[_SECURITY_ID], "little")
    return Security(identifier, b"" if identifier else handles.value(inode, SECURITY_DESCRIPTOR))
