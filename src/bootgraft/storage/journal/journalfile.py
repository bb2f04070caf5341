"""The undo journal as a file: its layout, its checksums and its two marks.

::

    0            preamble: magic, version, the lengths below, SHA-256 of the preamble and the head
    256          mark "sealed": zeros, or a tag and a SHA-256
    320          mark "undoing": likewise
    512          the head: JSON (``journal``)
                 table: 24 bytes for each changed stretch
                 contents: for each stretch the old bytes, then the new, where they are not one byte repeated
                 SHA-256 of everything above but the marks

All numbers are little-endian. The file is written whole under a temporary name; afterwards only the marks change. They
lie inside one sector of a file whose space is allocated, so that setting one needs no space and is not torn: a mark of
which only the first bytes arrived counts as not set, which is the state that was true when it was being written.

A command that only reads looks at the first sector and the head; the whole is checked before anything is written.
"""

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from bootgraft.errors import ImageInUseError, JournalError
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.durable import explained, read_all, write_all
from bootgraft.storage.journal.head import (
    MAX_EXTENTS,
    MAX_HEAD,
    Extent,
    JournalHead,
    JournalState,
    check_extents,
    damaged,
    decode_head,
)
from bootgraft.storage.journal.journaldisks import KIND
from bootgraft.storage.ownership import open_trusted, require_trusted

MAGIC = b"bootgraft-undo\r\n"
VERSION = 1
VERSION_WITH_FILE = 2
"""Of journals that hold a machine's description: whoever knows version 1 alone would not put that back."""
VERSION_WITH_LENGTHS = 3
"""Of journals that hold the lengths of containers' files, a description or none: versions before refuse that head."""
PIECE = 2**20
"""Bytes that are read or written at a time."""

_PREAMBLE = struct.Struct("<16sIIQQQ")  # magic, version, reserved, bytes of head, stretches, bytes of contents
_TABLE = struct.Struct("<IHHQQ")  # disk, old, new (a byte, or _DATA), offset, length
_DATA = 256
_DIGEST = 32
_MARK = 40
_MARKS_AT = 256


class Mark(Enum):
    """A mark: its tag and its place."""

    SEALED = (b"SEALED\r\n", 256)
    UNDOING = (b"UNDOING\n", 320)


class Layout(Struct, frozen=True):
    """Where the parts of a journal lie, in bytes from its start."""

    head: int
    extents: int
    contents: int

    @property
    def table_at(self) -> int:
        """Where the table of stretches starts."""
        return SECTOR + self.head

    @property
    def contents_at(self) -> int:
        """Where the old and new bytes start."""
        return self.table_at + self.extents * _TABLE.size

    @property
    def digest_at(self) -> int:
        """Where the last checksum lies."""
        return self.contents_at + self.contents

    @property
    def total(self) -> int:
        """Bytes in the file."""
        return self.digest_at + _DIGEST


class Stored(Struct, frozen=True):
    """A stretch and where its old and new bytes lie in the journal."""

    extent: Extent
    old_at: int
    new_at: int


def version_of(head: JournalHead) -> int:
    """Return the lowest version whose readers understand all that a head says."""
    if any(disk.lengths for disk in head.disks):
        return VERSION_WITH_LENGTHS
    return VERSION if head.edited is None else VERSION_WITH_FILE


def layout(head: bytes, extents: Sequence[Extent]) -> Layout:
    """Return the layout of a journal with this head and these stretches."""
    return Layout(len(head), len(extents), sum(_stored_bytes(extent) for extent in extents))


def _stored_bytes(extent: Extent) -> int:
    """Bytes of contents that a stretch takes in the journal."""
    return extent.length * ((extent.old is None) + (extent.new is None))


def pieces(length: int) -> Iterator[tuple[int, int]]:
    """Cut ``length`` bytes into (start, length) pairs of at most PIECE."""
    for start in range(0, length, PIECE):
        yield start, min(PIECE, length - start)


def write_journal(
    descriptor: int, head: bytes, extents: Sequence[Extent], contents: Iterator[bytes], *, version: int = VERSION
) -> None:
    """Write a whole journal, not sealed, to an open file; ``contents`` gives the bytes in the order of the layout.

    Raises:
        OSError: the file system refused.
    """
    plan = layout(head, extents)
    whole = hashlib.sha256()
    position = SECTOR
    preamble = _preamble(plan, head, version)
    whole.update(preamble[:_MARKS_AT])
    write_all(descriptor, preamble, 0)
    for part in (head, _pack_table(extents)):
        whole.update(part)
        write_all(descriptor, part, position)
        position += len(part)
    for part in contents:
        whole.update(part)
        write_all(descriptor, part, position)
        position += len(part)
    if position != plan.digest_at:
        raise AssertionError(f"the journal's contents end at {position}, not at {plan.digest_at}")
    write_all(descriptor, whole.digest(), position)


def _preamble(plan: Layout, head: bytes, version: int) -> bytes:
    """Return the first sector, its marks not set."""
    fixed = _PREAMBLE.pack(MAGIC, version, 0, plan.head, plan.extents, plan.contents)
    return (fixed + hashlib.sha256(fixed + head).digest()).ljust(SECTOR, b"\0")


def _pack_table(extents: Sequence[Extent]) -> bytes:
    """Return the table of stretches."""
    return b"".join(
        _TABLE.pack(e.disk, _DATA if e.old is None else e.old, _DATA if e.new is None else e.new, e.offset, e.length)
        for e in extents
    )


class JournalFile:
    """A journal that is open, its preamble and head checked. A ``descriptor`` that is given is taken over.

    ``about`` are the disks and files that it is known to be about before it is read: see ``ownership``.

    Raises:
        JournalError: it cannot be opened, does not count, or is damaged.
        ForeignFileError: it does not count because of its owner.
    """

    def __init__(
        self, path: Path, *, writable: bool = False, descriptor: int | None = None, about: Sequence[Path] = ()
    ) -> None:
        self.path = path
        if descriptor is None:
            with explained(path, action="opening the undo journal"):
                descriptor = open_trusted(path, os.O_RDWR if writable else os.O_RDONLY, about, kind=KIND)
        self._descriptor = descriptor
        try:
            with explained(path, action="reading the undo journal"):
                self._read_start()
        except JournalError:
            self.close()
            raise

    def _read_start(self) -> None:
        """Read and check the first sector and the head."""
        sector = read_all(self._descriptor, 0, SECTOR)
        if not sector.startswith(MAGIC):
            raise self._damaged("it does not start as a journal does")
        if len(sector) < SECTOR:
            raise self._damaged("it is cut off")
        _magic, version, reserved, head_length, extents, contents = _PREAMBLE.unpack_from(sector)
        if not VERSION <= version <= VERSION_WITH_LENGTHS:
            raise JournalError(
                f"this undo journal is of version {version}, and this bootgraft knows version {VERSION_WITH_LENGTHS}; "
                "nothing was written",
                where=str(self.path),
                advice="Use the version of bootgraft that wrote it",
            )
        self.layout = Layout(head_length, extents, contents)
        if reserved or head_length > MAX_HEAD or extents > MAX_EXTENTS:
            raise self._damaged("a length is out of its bounds")
        if os.fstat(self._descriptor).st_size != self.layout.total:
            raise self._damaged("it is not as long as it says")
        self._read_head(sector)

    def _read_head(self, sector: bytes) -> None:
        """Check the first checksum; set the head and the state."""
        head = read_all(self._descriptor, SECTOR, self.layout.head)
        fixed, end = sector[: _PREAMBLE.size], _PREAMBLE.size + _DIGEST
        self._digest = hashlib.sha256(fixed + head).digest()
        if sector[_PREAMBLE.size : end] != self._digest:
            raise self._damaged("the checksum of its head is wrong")
        if any(sector[end:_MARKS_AT]):
            raise self._damaged("there are bytes where none belong")
        self.state = self._read_state(sector)
        self.head: JournalHead = decode_head(head, path=self.path)

    def _read_state(self, sector: bytes) -> JournalState:
        """Return the state that the marks tell."""
        rest = bytearray(sector[_MARKS_AT:])
        found = set()
        for mark in Mark:
            at = mark.value[1] - _MARKS_AT
            stored, expected = bytes(rest[at : at + _MARK]), self._mark_bytes(mark)
            if stored == expected:
                found.add(mark)
            elif not _is_torn(stored, expected):
                raise self._damaged("a mark is wrong")
            rest[at : at + _MARK] = bytes(_MARK)
        if any(rest):
            raise self._damaged("there are bytes where none belong")
        if Mark.UNDOING in found:
            return JournalState.UNDOING
        return JournalState.SEALED if Mark.SEALED in found else JournalState.UNFINISHED

    def _mark_bytes(self, mark: Mark) -> bytes:
        """Return the mark as it is written into this journal."""
        tag = mark.value[0]
        return tag + hashlib.sha256(self._digest + tag).digest()

    def _damaged(self, fault: str) -> JournalError:
        """Return the error for a fault in this journal."""
        return damaged(self.path, fault)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and give up its lock; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def require_trusted(self, about: Sequence[Path]) -> None:
        """Raise ForeignFileError or JournalError where its word does not count for all these disks and files."""
        with explained(self.path, action="looking at the undo journal"):
            require_trusted(self._descriptor, self.path, about, kind=KIND)

    def lock(self, *, exclusive: bool) -> None:
        """Take the lock that every writer of a journal holds while it works.

        Raises:
            ImageInUseError: somebody else holds it.
        """
        lock_file(self._descriptor, self.path, exclusive=exclusive)

    def verify(self) -> tuple[Stored, ...]:
        """Check the whole file and return its stretches in ascending order.

        Raises:
            JournalError: it is damaged.
        """
        with explained(self.path, action="reading the undo journal"):
            whole = hashlib.sha256(read_all(self._descriptor, 0, _MARKS_AT))
            for start, length in pieces(self.layout.digest_at - SECTOR):
                whole.update(read_all(self._descriptor, SECTOR + start, length))
            stored = read_all(self._descriptor, self.layout.digest_at, _DIGEST)
            table = read_all(self._descriptor, self.layout.table_at, self.layout.extents * _TABLE.size)
        if whole.digest() != stored:
            raise self._damaged("its checksum is wrong")
        extents = tuple(self._extents(table))
        check_extents(extents, self.head.disks, fault=self._damaged)
        if sum(_stored_bytes(extent) for extent in extents) != self.layout.contents:
            raise self._damaged("its contents do not fit its table")
        return tuple(self._places(extents))

    def _extents(self, table: bytes) -> Iterator[Extent]:
        """Unpack the table."""
        for disk, old, new, offset, length in _TABLE.iter_unpack(table):
            if old > _DATA or new > _DATA:
                raise self._damaged("a stretch is filled with what is no byte")
            yield Extent(disk, offset, length, None if old == _DATA else old, None if new == _DATA else new)

    def _places(self, extents: Sequence[Extent]) -> Iterator[Stored]:
        """Give each stretch the place of its bytes."""
        position = self.layout.contents_at
        for extent in extents:
            new_at = position + (extent.length if extent.old is None else 0)
            yield Stored(extent, position, new_at)
            position += _stored_bytes(extent)

    def content(self, stored: Stored, start: int, length: int, *, new: bool) -> bytes:
        """Return ``length`` bytes from ``start`` of a stretch's old or new content.

        Raises:
            JournalError: the file cannot be read.
        """
        fill = stored.extent.new if new else stored.extent.old
        if fill is not None:
            return bytes([fill]) * length
        with explained(self.path, action="reading the undo journal"):
            data = read_all(self._descriptor, (stored.new_at if new else stored.old_at) + start, length)
        if len(data) != length:
            raise self._damaged("it is cut off")
        return data

    def mark(self, mark: Mark) -> None:
        """Set a mark, which is on stable storage on return, and with it the state.

        Raises:
            JournalError: the file system refused.
        """
        with explained(self.path, action="marking the undo journal"):
            write_all(self._descriptor, self._mark_bytes(mark), mark.value[1])
            os.fsync(self._descriptor)
        self.state = JournalState.UNDOING if mark is Mark.UNDOING else JournalState.SEALED


def _is_torn(stored: bytes, expected: bytes) -> bool:
    """Whether ``stored`` is the start of a mark, or nothing of it, with zeros behind."""
    written = stored.rstrip(b"\0")
    return expected.startswith(written)


def lock_file(descriptor: int, path: Path, *, exclusive: bool, movable: bool = False) -> None:
    """Take the lock on an open journal without waiting. ``movable`` as in ``durable.explained``.

    Raises:
        ImageInUseError: somebody else holds it.
        JournalError: its file system has no such locks.
    """
    with explained(path, action="locking the undo journal", movable=movable):
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImageInUseError(
                "another bootgraft is writing this machine's disks just now",
                where=str(path),
                advice="Wait until it has ended, then run the command again",
            ) from error
