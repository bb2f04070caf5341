"""The content of files on NTFS: reading, writing in place, growing, and where it lies.

Content that libntfs-3g would misread is refused by name: an encrypted file reads as its cipher text, and one with a
reparse point keeps its content somewhere else. A WOF-compressed file, which the library would read as zeros and write
into, is decompressed (see wof.py), but never written.
"""

from typing import TYPE_CHECKING, Any

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs.entries import ENCRYPTED
from bootgraft.filesystems.ntfs.freespace import skip_full
from bootgraft.filesystems.ntfs.handles import DATA, REPARSE_POINT, STANDARD_INFORMATION, Handles

if TYPE_CHECKING:  # few files are compressed so
    from bootgraft.filesystems.ntfs import wof

READ_LIMIT = 256 * 1024 * 1024
"""Bytes that one read returns at most: more has to be asked for in pieces."""

MFT = 0
"""MFT record of ``$MFT`` itself."""

_PIECE = 1024 * 1024  # bytes given to the library at once
_COMPRESSED, _ENCRYPTED_DATA, _SPARSE = 0x00FF, 0x4000, 0x8000  # flags of an attribute (layout.h: ATTR_FLAGS)
_MODIFIED_AND_CHANGED = 6  # inode.h: NTFS_UPDATE_MTIME | NTFS_UPDATE_CTIME
_NON_RESIDENT = 2  # bit of ntfs_attr.state (attrib.h: NA_NonResident)

WOF = 0x80000017
"""IO_REPARSE_TAG_WOF"""

_TAGS = {
    0x80000013: "deduplicated (reparse tag IO_REPARSE_TAG_DEDUP)",
    WOF: "compressed with WOF, as compact /exe and Compact OS do it (reparse tag IO_REPARSE_TAG_WOF)",
    0xA0000003: "a junction or mount point (reparse tag IO_REPARSE_TAG_MOUNT_POINT)",
    0xA000000C: "a symbolic link (reparse tag IO_REPARSE_TAG_SYMLINK)",
}


def file_attributes(handles: Handles, inode: Any) -> int:
    """FILE_ATTRIBUTE_* bits of a file, from its STANDARD_INFORMATION."""
    return int.from_bytes(handles.value(inode, STANDARD_INFORMATION)[0x20:0x24], "little")


def reparse_tag(handles: Handles, inode: Any) -> int:
    """IO_REPARSE_TAG_* of a file, 0 where it has no reparse point."""
    return int.from_bytes(handles.value(inode, REPARSE_POINT)[:4], "little")


def wof_algorithm(handles: Handles, inode: Any) -> "wof.Algorithm | None":
    """How a WOF-compressed file is compressed; None for any other file, and where the content is in a WIM file."""
    if reparse_tag(handles, inode) != WOF:
        return None
    from bootgraft.filesystems.ntfs import wof

    return wof.algorithm(handles.value(inode, REPARSE_POINT))


def is_compressed(data: Any) -> bool:
    """Whether NTFS compressed what an open DATA attribute holds."""
    return bool(data.data_flags & _COMPRESSED)


def refuse_unreadable(handles: Handles, inode: Any, path: str) -> None:
    """Raise FileSystemError where the content of ``path`` is not what its DATA attribute holds."""
    tag = reparse_tag(handles, inode)
    if wof_algorithm(handles, inode) is not None:
        raise FileSystemError(
            f"the file is {_TAGS[WOF]}: it can be read but not changed here",
            where=f"{handles.where} {path}",
            advice="Uncompress it in Windows (compact /u /exe FILE), or replace it from another system",
        )
    if tag or file_attributes(handles, inode) & ENCRYPTED:
        how = _TAGS.get(tag, f"kept elsewhere (reparse tag {tag:#x})") if tag else "encrypted with EFS"
        raise FileSystemError(
            f"the file is {how}: its content cannot be reached offline",
            where=f"{handles.where} {path}",
            advice="Give the tool a plain copy of this file from another source, such as the installation media",
        )
    if not handles.has(inode, DATA):
        raise FileSystemError(
            "it has no content: it is a directory",
            where=f"{handles.where} {path}",
            advice="Name a file in that directory",
        )


def read(handles: Handles, data: Any, path: str, offset: int, length: int | None) -> bytes:
    """Return up to ``length`` bytes from ``offset`` of an open DATA attribute."""
    wanted = _wanted(int(data.data_size), offset, length, f"{handles.where} {path}")
    pieces = range(offset, offset + wanted, _PIECE)
    return b"".join(handles.read(data, start, min(_PIECE, offset + wanted - start)) for start in pieces)


def _wanted(size: int, offset: int, length: int | None, where: str) -> int:
    """How many bytes a read from ``offset`` of a file of ``size`` gives."""
    if offset < 0 or (length is not None and length < 0):
        raise ValueError("offset and length count from 0")
    wanted = max(0, size - offset) if length is None else max(0, min(length, size - offset))
    if wanted > READ_LIMIT:
        raise FileSystemError(
            f"the file has {size} bytes, more than can be read at once ({READ_LIMIT})",
            where=where,
            advice="No driver or configuration file is that long: check that this is the right file, or run chkdsk",
        )
    return wanted


def read_compressed(
    handles: Handles, inode: Any, kind: "wof.Algorithm", path: str, offset: int, length: int | None
) -> bytes:
    """Return up to ``length`` bytes from ``offset`` of a WOF-compressed file."""
    from bootgraft.filesystems.ntfs import wof

    where = f"{handles.where} {path}"
    with handles.attribute(inode, DATA) as data:
        size = int(data.data_size)
    wanted = _wanted(size, offset, length, where)
    with handles.stream(inode, wof.STREAM) as stream:

        def read_stream(start: int, count: int) -> bytes:
            return handles.read(stream, start, count)

        return wof.Compressed(kind, size, int(stream.data_size), read_stream, where).read(offset, wanted)


def write(handles: Handles, inode: Any, data: Any, path: str, offset: int, content: bytes) -> None:
    """Write ``content`` at ``offset`` of an open DATA attribute, growing it where that is needed.

    What lies between the old end and ``offset`` becomes zeros that have clusters: no hole, since Windows' boot code
    reads none.
    """
    if offset < 0:
        raise ValueError("offset counts from 0")
    _refuse_compressed(handles, data, path)
    for start in range(int(data.data_size), offset, _PIECE):
        _put(handles, data, path, start, bytes(min(_PIECE, offset - start)))
    for start in range(0, len(content), _PIECE):
        _put(handles, data, path, offset + start, content[start : start + _PIECE])
    handles.lib.ntfs_inode_update_times(inode, _MODIFIED_AND_CHANGED)


def truncate(handles: Handles, inode: Any, data: Any, path: str, size: int) -> None:
    """Set the size of an open DATA attribute to ``size`` bytes."""
    if size < 0:
        raise ValueError("a size counts from 0")
    if size > data.data_size:
        write(handles, inode, data, path, size, b"")
        return
    _refuse_compressed(handles, data, path)
    handles.ffi.errno = 0
    if handles.lib.ntfs_attr_truncate(data, size):
        raise handles.failed(f"{path} cannot be cut to {size} bytes")
    handles.lib.ntfs_inode_update_times(inode, _MODIFIED_AND_CHANGED)


def _put(handles: Handles, data: Any, path: str, offset: int, content: bytes) -> None:
    if offset + len(content) > data.allocated_size:
        skip_full(handles)
    handles.ffi.errno = 0
    if handles.lib.ntfs_attr_pwrite(data, offset, len(content), handles.ffi.from_buffer(content)) != len(content):
        raise handles.failed(
            f"{path} cannot be written", advice="Check that the volume has free space; if it has, run chkdsk /f"
        )


def extents(handles: Handles, inode: Any) -> tuple[tuple[int, int], ...]:
    """(offset, length) in bytes of a file's content on the volume; of its MFT record where the content is resident."""
    with handles.attribute(inode, DATA) as data:
        if data.state & _NON_RESIDENT:
            plain = not data.data_flags & (_COMPRESSED | _SPARSE)
            return _runs(handles, data, int(data.data_size) if plain else None)
    record = int(handles.volume.mft_record_size)
    return _range_in_mft(handles, handles.record_of(inode, DATA) * record, record)


def _range_in_mft(handles: Handles, offset: int, length: int) -> tuple[tuple[int, int], ...]:
    with handles.inode(MFT) as mft, handles.attribute(mft, DATA) as data:
        found: list[tuple[int, int]] = []
        position = 0
        for start, size in _runs(handles, data, None):  # $MFT has no holes
            first, last = max(offset, position), min(offset + length, position + size)
            if first < last:
                found.append((start + first - position, last - first))
            position += size
        return tuple(found)


def _runs(handles: Handles, data: Any, size: int | None) -> tuple[tuple[int, int], ...]:
    handles.ffi.errno = 0
    if handles.lib.ntfs_attr_map_whole_runlist(data):
        raise handles.failed(f"the clusters of MFT record {data.ni.mft_no} cannot be listed")
    cluster = int(handles.volume.cluster_size)
    found: list[tuple[int, int]] = []
    index = 0
    while data.rl[index].length > 0:
        run = data.rl[index]
        length = run.length * cluster
        if size is not None:
            length = min(length, size - run.vcn * cluster)
        if run.lcn >= 0 and length > 0:
            found.append((run.lcn * cluster, length))
        index += 1
    return tuple(found)


def _refuse_compressed(handles: Handles, data: Any, path: str) -> None:
    if is_compressed(data):
        raise FileSystemError(
            "the file is NTFS-compressed: it can be read but not changed here",
            where=f"{handles.where} {path}",
            advice="Uncompress it in Windows (compact /u FILE), or replace it from another system",
        )
