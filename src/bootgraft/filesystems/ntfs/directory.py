"""A directory of an NTFS volume, read from its index.

Sizes, attributes and reparse tags are the index's copies, which is what Windows' own listings show; for a file with
several hard links they may lag behind what :meth:`NtfsVolume.stat` reads from the file itself.
"""

from collections.abc import Iterator
from typing import Any

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs.entries import (
    REFERENCE_MASK,
    IndexEntry,
    NameSpace,
    block_entries,
    root_entries,
)
from bootgraft.filesystems.ntfs.handles import BITMAP, INDEX_ALLOCATION, INDEX_ROOT, Handles

MOST_ENTRIES = 1_000_000
"""Entries in one directory; more are taken for damage."""

FIRST_USER_RECORD = 16
"""MFT records below it are NTFS's own files (``$MFT``, ``$LogFile``, …), which Windows never lists."""

_BLOCK_SIZES = tuple(1 << bits for bits in range(9, 17))
_BYTES_AT_ONCE = 256 * 1024


def entries(handles: Handles, directory: Any) -> tuple[IndexEntry, ...]:
    """All files in a directory, each once: without DOS names and without NTFS's own files, in index-block order.

    Raises:
        FileSystemError: the index is damaged, or holds more than ``MOST_ENTRIES``.
    """
    found: list[IndexEntry] = []
    try:
        for entry in _all_entries(handles, directory):
            if entry.name.space != NameSpace.DOS and entry.reference & REFERENCE_MASK >= FIRST_USER_RECORD:
                found.append(entry)
                if len(found) > MOST_ENTRIES:
                    raise handles.damaged(f"a directory has more than {MOST_ENTRIES} entries")
    except ValueError as error:
        raise handles.damaged(f"the directory in MFT record {directory.mft_no} is damaged: {error}") from error
    return tuple(found)


def _all_entries(handles: Handles, directory: Any) -> Iterator[IndexEntry]:
    root = handles.value(directory, INDEX_ROOT, index=True)
    if len(root) < 0x10:
        raise ValueError("it has no $I30 index")
    yield from root_entries(root)
    if handles.has(directory, INDEX_ALLOCATION, index=True):
        size = int.from_bytes(root[8:12], "little")
        if size not in _BLOCK_SIZES:
            raise ValueError(f"its index blocks have {size} bytes")
        yield from _allocated_entries(handles, directory, size)


def _allocated_entries(handles: Handles, directory: Any, size: int) -> Iterator[IndexEntry]:
    used = handles.value(directory, BITMAP, index=True)
    with handles.attribute(directory, INDEX_ALLOCATION, index=True) as allocation:
        blocks = min(allocation.data_size // size, 8 * len(used))
        at_once = max(1, _BYTES_AT_ONCE // size)
        for first in range(0, blocks, at_once):
            wanted = [
                index for index in range(first, min(first + at_once, blocks)) if used[index // 8] >> index % 8 & 1
            ]
            if wanted:
                data = _blocks(handles, allocation, first, wanted[-1] + 1 - first, size)
                for index in wanted:
                    yield from block_entries(data[(index - first) * size : (index - first + 1) * size])


def _blocks(handles: Handles, allocation: Any, first: int, count: int, size: int) -> bytes:
    buffer = handles.ffi.new("uint8_t[]", count * size)
    handles.ffi.errno = 0
    if handles.lib.ntfs_attr_mst_pread(allocation, first * size, count, size, buffer) != count:
        raise _unreadable(handles)
    return bytes(handles.ffi.buffer(buffer))


def _unreadable(handles: Handles) -> FileSystemError:
    return handles.failed("a directory's index blocks cannot be read")
