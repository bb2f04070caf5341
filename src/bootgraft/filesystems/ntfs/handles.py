"""A mounted ``ntfs_volume`` and the handles on it: inodes and attributes that are closed whatever happens.

An unmount with an inode still open returns success and leaves the bitmap wrong, so nothing here hands out a handle
other than through a ``with`` statement, and each return code is looked at.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.ntfs.entries import FileName
from bootgraft.filesystems.ntfs.library import DAMAGED, Library

STANDARD_INFORMATION = 0x10
FILE_NAME = 0x30
SECURITY_DESCRIPTOR = 0x50
VOLUME_NAME = 0x60
DATA = 0x80
INDEX_ROOT = 0x90
INDEX_ALLOCATION = 0xA0
BITMAP = 0xB0
REPARSE_POINT = 0xC0
"""Attribute types."""

ROOT = 5
"""MFT record of the root directory."""

_CASE_SENSITIVE = 2  # bit of ntfs_volume.state (volume.h: NV_CaseSensitive)
_NOTHING = (1 << 64) - 1  # ntfs_inode_lookup_by_name: no such name
_NAMES_LIMIT = 4096  # names of one file: Windows allows 1024 hard links
_VALUE_LIMIT = 1024 * 1024  # bytes of an attribute that is metadata


class Handles:
    """Inodes and attributes of one volume; ``where`` names it in errors."""

    def __init__(self, library: Library, volume: Any, where: str) -> None:
        self.library = library
        self.lib = library.lib
        self.ffi = library.ffi
        self.volume = volume
        self.where = where
        self._new_buffer = self.ffi.new_allocator(should_clear_after_alloc=False)

    def failed(self, what: str, *, advice: str = DAMAGED) -> FileSystemError:
        """Return the error for a library call that has just failed."""
        return self.library.error(what, where=self.where, advice=advice)

    def damaged(self, what: str) -> FileSystemError:
        """Return the error for a structure that is not what the format says."""
        return FileSystemError(what, where=self.where, advice=DAMAGED)

    @contextmanager
    def inode(self, reference: int) -> Iterator[Any]:
        """Open the inode of a file reference; closing it writes it back where it was changed."""
        self.ffi.errno = 0
        inode = self.lib.ntfs_inode_open(self.volume, reference)
        if not inode:
            raise self.failed(f"MFT record {reference & 0xFFFFFFFFFFFF} cannot be opened")
        with self.owned(inode):
            yield inode

    @contextmanager
    def owned(self, inode: Any) -> Iterator[Any]:
        """Close an open inode at the end."""
        try:
            yield inode
        except BaseException:
            self.lib.ntfs_inode_close(inode)
            raise
        self.ffi.errno = 0
        if self.lib.ntfs_inode_close(inode):
            raise self.failed("an MFT record could not be written back")

    @contextmanager
    def attribute(self, inode: Any, kind: int, *, index: bool = False) -> Iterator[Any]:
        """Open an unnamed attribute (``$I30`` with ``index``) of an inode."""
        self.ffi.errno = 0
        name, length = (self.lib.NTFS_INDEX_I30, 4) if index else (self.lib.AT_UNNAMED, 0)
        attribute = self.lib.ntfs_attr_open(inode, kind, name, length)
        if not attribute:
            raise self.failed(f"attribute {kind:#x} of MFT record {inode.mft_no} cannot be opened")
        try:
            if min(attribute.data_size, attribute.initialized_size, attribute.allocated_size) < 0:
                raise self.damaged(f"attribute {kind:#x} of MFT record {inode.mft_no} has a size below 0")
            yield attribute
        finally:
            self.lib.ntfs_attr_close(attribute)

    @contextmanager
    def stream(self, inode: Any, name: str) -> Iterator[Any]:
        """Open the named stream of a file; where there is none, raises FileSystemError."""
        self.ffi.errno = 0
        text = self.ffi.from_buffer("uint16_t[]", name.encode("utf-16-le"))
        attribute = self.lib.ntfs_attr_open(inode, DATA, text, len(name))
        if not attribute:
            raise self.failed(f"the stream {name} of MFT record {inode.mft_no} cannot be opened")
        try:
            if min(attribute.data_size, attribute.initialized_size, attribute.allocated_size) < 0:
                raise self.damaged(f"the stream {name} of MFT record {inode.mft_no} has a size below 0")
            yield attribute
        finally:
            self.lib.ntfs_attr_close(attribute)

    def has(self, inode: Any, kind: int, *, index: bool = False) -> bool:
        """Whether an inode has the attribute."""
        name, length = (self.lib.NTFS_INDEX_I30, 4) if index else (self.lib.AT_UNNAMED, 0)
        return bool(self.lib.ntfs_attr_exist(inode, kind, name, length))

    def read(self, attribute: Any, offset: int, length: int) -> bytes:
        """Return exactly ``length`` bytes of an attribute's value."""
        if not length:
            return b""
        buffer = self._new_buffer("uint8_t[]", length)
        self.ffi.errno = 0
        done = self.lib.ntfs_attr_pread(attribute, offset, length, buffer)
        if done != length:
            raise self.failed(f"bytes {offset} to {offset + length} of MFT record {attribute.ni.mft_no} cannot be read")
        return bytes(self.ffi.buffer(buffer))

    def value(self, inode: Any, kind: int, *, index: bool = False) -> bytes:
        """Return the whole value of an attribute that is metadata, empty where the inode has none."""
        if not self.has(inode, kind, index=index):
            return b""
        with self.attribute(inode, kind, index=index) as attribute:
            if attribute.data_size > _VALUE_LIMIT:
                raise self.damaged(f"attribute {kind:#x} of MFT record {inode.mft_no} is too long")
            return self.read(attribute, 0, attribute.data_size)

    def file_names(self, inode: Any) -> Iterator[FileName]:
        """All names of a file: one for each hard link, and the DOS names beside them."""
        context = self.lib.ntfs_attr_get_search_ctx(inode, self.ffi.NULL)
        if not context:
            raise self.failed("no memory to search an MFT record", advice="Free some memory and try again")
        try:
            for _ in range(_NAMES_LIMIT):
                self.ffi.errno = 0
                null = self.ffi.NULL
                if self.lib.ntfs_attr_lookup(FILE_NAME, null, 0, 0, 0, null, 0, context):
                    if self.ffi.errno != errno.ENOENT:
                        raise self.failed(f"the names of MFT record {inode.mft_no} cannot be read")
                    return
                yield self._file_name(context)
        finally:
            self.lib.ntfs_attr_put_search_ctx(context)

    def record_of(self, inode: Any, kind: int) -> int:
        """Return the number of the MFT record that holds an unnamed attribute (an extent record, at times)."""
        context = self.lib.ntfs_attr_get_search_ctx(inode, self.ffi.NULL)
        if not context:
            raise self.failed("no memory to search an MFT record", advice="Free some memory and try again")
        try:
            null = self.ffi.NULL
            if self.lib.ntfs_attr_lookup(kind, self.lib.AT_UNNAMED, 0, 0, 0, null, 0, context):
                raise self.failed(f"attribute {kind:#x} of MFT record {inode.mft_no} cannot be found")
            return int(context.ntfs_ino.mft_no)
        finally:
            self.lib.ntfs_attr_put_search_ctx(context)

    def lookup(self, directory: Any, name: str) -> int | None:
        """Return the file reference of a name in a directory: in its own case first, then in any, as Windows folds it.

        The library folds with the volume's own ``$UpCase`` table, which every mount loads.
        """
        units = name.encode("utf-16-le", "surrogatepass")
        if not units or len(units) > 510:
            return None
        text = self.ffi.from_buffer("uint16_t[]", units)
        reference = self._lookup(directory, text, len(units) // 2)
        if reference is None:
            with self.in_any_case():
                reference = self._lookup(directory, text, len(units) // 2)
        return reference

    @contextmanager
    def in_any_case(self) -> Iterator[None]:
        """Let the library look names up as Windows folds them."""
        self.volume.state &= ~_CASE_SENSITIVE
        try:
            yield
        finally:
            self.volume.state |= _CASE_SENSITIVE

    def _lookup(self, directory: Any, text: Any, length: int) -> int | None:
        self.ffi.errno = 0
        reference = int(self.lib.ntfs_inode_lookup_by_name(directory, text, length))
        if reference != _NOTHING:
            return reference
        if self.ffi.errno != errno.ENOENT:
            raise self.failed(f"the directory in MFT record {directory.mft_no} cannot be searched")
        return None

    def _file_name(self, context: Any) -> FileName:
        header = bytes(self.ffi.buffer(context.attr, 0x18))
        length, resident = int.from_bytes(header[4:8], "little"), not header[8]
        size, offset = int.from_bytes(header[0x10:0x14], "little"), int.from_bytes(header[0x14:0x16], "little")
        if not resident or offset + size > length or length > self.volume.mft_record_size:
            raise self.damaged("a FILE_NAME attribute reaches past its MFT record")
        try:
            return FileName.parse(bytes(self.ffi.buffer(context.attr + offset, size)))
        except ValueError as error:
            raise self.damaged(str(error)) from error
