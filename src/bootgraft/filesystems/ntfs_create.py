"""A new file on NTFS, with the security of its neighbours.

Windows 2000 and later keep security descriptors once for the volume, in ``$Secure``; a file's STANDARD_INFORMATION
names its own by a security id. A new driver gets the id that most drivers beside it have, so that it is owned and
guarded as Windows set them up. On NTFS 1.2 (NT 4), and where a neighbour has no id, the descriptor is copied.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bootgraft.errors import FileSystemError
from bootgraft.filesystems import ntfs_content, ntfs_directory
from bootgraft.filesystems.ntfs_entries import COMPRESSED, DIRECTORY, REPARSE_POINT, IndexEntry
from bootgraft.filesystems.ntfs_handles import DATA, SECURITY_DESCRIPTOR, STANDARD_INFORMATION, Handles

_REGULAR = 0o100000  # S_IFREG
_SECURITY_ID = slice(0x34, 0x38)  # in STANDARD_INFORMATION since NTFS 3.0
_NEIGHBOURS = 16  # files that are asked
_NAME_UNITS = 255


@dataclass(frozen=True, slots=True)
class Security:
    """How a file is guarded: an id into ``$Secure``, or (id 0) a descriptor of its own."""

    identifier: int
    descriptor: bytes


def create(handles: Handles, directory: Any, name: str, content: bytes, *, filetime: int | None = None) -> None:
    """Create ``name`` in an open directory that has no such entry in any case.

    ``filetime`` is its creation, modification and access time in 100 ns since 1601, now where None.

    Raises:
        FileSystemError: Windows does not allow the name, or the volume has no room.
    """
    units = name.encode("utf-16-le", "surrogatepass")
    text = handles.ffi.from_buffer("uint16_t[]", units)
    length = len(units) // 2
    if not 0 < length <= _NAME_UNITS or handles.lib.ntfs_forbidden_names(handles.volume, text, length, 1):
        raise FileSystemError(
            f"Windows does not allow the file name {name!r}", where=handles.where, advice="Choose another name"
        )
    security = _security(handles, directory, name)
    inode = _uncompressed(handles, directory, security.identifier, text, length)
    if not inode:
        raise handles.failed(
            f"{name} cannot be created", advice="Check that the volume has free space; if it has, run chkdsk /f"
        )
    try:
        _secure(handles, inode, security)
        with handles.attribute(inode, DATA) as data:
            ntfs_content.write(handles, inode, data, name, 0, content)
        if filetime is not None:
            _set_times(handles, inode, filetime)
    except BaseException:
        handles.lib.ntfs_inode_close_in_dir(inode, directory)
        raise
    if handles.lib.ntfs_inode_close_in_dir(inode, directory):
        raise handles.failed(f"{name} could not be written back")


def _uncompressed(handles: Handles, directory: Any, identifier: int, text: Any, length: int) -> Any:
    """Return the inode of a new file; in a compressed directory too it is not compressed, as boot code needs it."""
    flags = int(directory.flags)
    directory.flags = flags & ~COMPRESSED
    try:
        handles.ffi.errno = 0
        return handles.lib.ntfs_create(directory, identifier, text, length, _REGULAR)
    finally:
        directory.flags = flags


def _set_times(handles: Handles, inode: Any, filetime: int) -> None:
    times = filetime.to_bytes(8, "little") * 3  # creation, modification, access
    if handles.lib.ntfs_inode_set_times(inode, times, len(times), 0):
        raise handles.failed("the new file's times cannot be set")


def _secure(handles: Handles, inode: Any, security: Security) -> None:
    """Put a descriptor in the place of the one (full access for everyone) that a file without an id was given."""
    if security.identifier or not security.descriptor:
        return
    if handles.has(inode, SECURITY_DESCRIPTOR) and handles.lib.ntfs_attr_remove(
        inode, SECURITY_DESCRIPTOR, handles.lib.AT_UNNAMED, 0
    ):
        raise handles.failed("the new file's security descriptor cannot be replaced")
    memory = handles.ffi.from_buffer("uint8_t[]", security.descriptor)
    if handles.lib.ntfs_attr_add(inode, SECURITY_DESCRIPTOR, handles.lib.AT_UNNAMED, 0, memory, len(memory)):
        raise handles.failed("the new file's security descriptor cannot be set")


def _security(handles: Handles, directory: Any, name: str) -> Security:
    """Return what most neighbours of the same kind have, else any neighbour, else the directory itself.

    This reads the whole index, strictly, before the library inserts into it: a block that lies about its room has
    made libntfs-3g 2022.10.3 write past its buffer.
    """
    files = [entry for entry in ntfs_directory.entries(handles, directory) if _is_plain(entry)]
    extension = name.rpartition(".")[2].upper()
    same = [entry for entry in files if entry.name.name.rpartition(".")[2].upper() == extension]
    neighbours = _most_common(handles, (same or files)[:_NEIGHBOURS])
    return neighbours or _security_of(handles, directory)


def _is_plain(entry: IndexEntry) -> bool:
    listed = entry.name.entry()
    return not listed.attributes & (DIRECTORY | REPARSE_POINT)


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
