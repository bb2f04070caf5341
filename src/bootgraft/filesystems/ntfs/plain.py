"""A file's content put on the volume as it is, whatever it was compressed with: what boot code reads a loader from.

The DATA attribute is taken off and made anew: libntfs-3g does not turn a compressed one into another. Of a file that
WOF compressed (wof.py) the reparse point and the stream with the compressed content go too, as Windows does it. The
file keeps its record, names and security.
"""

from typing import Any

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs import content as ntfs_content
from bootgraft.filesystems.ntfs import wof
from bootgraft.filesystems.ntfs.entries import COMPRESSED
from bootgraft.filesystems.ntfs.handles import DATA, REPARSE_POINT, Handles

_SPARSE_FILE = 0x200  # FILE_ATTRIBUTE_SPARSE_FILE


def store(handles: Handles, inode: Any, path: str, content: bytes) -> None:
    """Replace the content of an open inode.

    Raises:
        FileSystemError: the content is kept elsewhere or encrypted; it is a directory; or the volume has no room.
    """
    if ntfs_content.wof_algorithm(handles, inode) is None:
        ntfs_content.refuse_unreadable(handles, inode, path)
    else:
        _drop_wof(handles, inode, path)
    _remove(handles, inode, path, handles.lib.AT_UNNAMED, 0)
    # The library compresses what it makes for a file that has this bit.
    inode.flags &= ~(COMPRESSED | _SPARSE_FILE)
    handles.ffi.errno = 0
    if handles.lib.ntfs_attr_add(inode, DATA, handles.lib.AT_UNNAMED, 0, handles.ffi.NULL, 0):
        raise _failed(handles, path)
    with handles.attribute(inode, DATA) as data:
        ntfs_content.write(handles, inode, data, path, 0, content)


def _drop_wof(handles: Handles, inode: Any, path: str) -> None:
    handles.ffi.errno = 0
    with handles.in_any_case():  # else libntfs-3g 2022.10.3 does not find $Extend\\$Reparse, and returns success
        failed = handles.lib.ntfs_remove_ntfs_reparse_data(inode)
    if failed or handles.has(inode, REPARSE_POINT):
        raise _failed(handles, path)
    _remove(
        handles, inode, path, handles.ffi.from_buffer("uint16_t[]", wof.STREAM.encode("utf-16-le")), len(wof.STREAM)
    )


def _remove(handles: Handles, inode: Any, path: str, name: Any, length: int) -> None:
    handles.ffi.errno = 0
    if handles.lib.ntfs_attr_remove(inode, DATA, name, length):
        raise _failed(handles, path)


def _failed(handles: Handles, path: str) -> FileSystemError:
    return handles.failed(f"the compressed content of {path} cannot be replaced")
