"""What a disk is known by whatever it is called: the number of its file, its address, and what of its content stays.

A mark names an entry of the index of unfinished journals (``hostindex``). It only says where to look: whether a journal
is really about a disk, its contents decide (``likeness``). So a mark may be shared by several disks, and there are
several of each disk, of which one is enough:

- the inode of each of its files: it stays through a rename, a move within the file system, another hard link. Its
  device number is no part of it, since that of LVM, NFS or btrfs is another one after a restart;
- the address, of a block device or a URI: as it was typed;
- the disk signature of its MBR with the GUID of its GPT, and two places in its middle, each with the disk's size. No
  content is beyond every repair (boot code, the tables, a boot sector, any file may be what is repaired), so a mark of
  the content counts only where it is the same before and after the work that the journal records: what is read there
  then is the same at any moment of it.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from bootgraft.errors import ImageError
from bootgraft.storage.confine import resolve
from bootgraft.storage.devices.blockdevice import SECTOR, BlockDevice
from bootgraft.storage.durable import read_all
from bootgraft.storage.journal.journaldisks import disk_file

if TYPE_CHECKING:  # most disks have no journal
    from bootgraft.storage.images.opening import OpenImage
    from bootgraft.storage.journal.journalfile import JournalFile, Stored

Read = Callable[[int, int], bytes]
"""Gives (offset, length) of a disk, in bytes."""

FILE_MARK = "inode"
"""How the marks of files begin."""
_CONTENT_MARKS = ("signature", "sample")
_SIGNATURE = slice(440, 444)
"""Of the MBR (UEFI 5.2.1, "Unique MBR Disk Signature")."""
_GPT = b"EFI PART"
_GUID = slice(56, 72)
"""Of a GPT's header (UEFI 5.3.2, "DiskGUID")."""
_HEADERS_AT = (512, 4096)
"""Where the header of a GPT lies: in the second sector of the disk."""
_SAMPLE = 4096
_MAX_FILES = 8
"""Files of one image whose numbers are kept."""


class Readable(Protocol):
    """A disk of ``size`` bytes that can be read."""

    @property
    def size(self) -> int:
        """Bytes from the first to the last."""

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``; ImageError where that fails."""


class DiskBytes:
    """A file or block device that is looked at as it is, without its locks; a context manager.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            self.size = os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError:
            os.close(self._descriptor)
            raise

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``; ImageError where there are not as many."""
        try:
            data = read_all(self._descriptor, offset, length)
        except OSError as error:
            raise self._unreadable(error.strerror) from error
        if len(data) < length:
            raise self._unreadable("it ends before")
        return data

    def _unreadable(self, reason: str | None) -> ImageError:
        return ImageError(f"it cannot be read ({reason})", where=str(self._path), advice="Look for disk errors (dmesg)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)


def place_marks(location: str) -> tuple[str, ...]:
    """Return the marks of a disk given on the command line that are known without reading it."""
    path = disk_file(location)
    if path is None:
        return (_mark("address", location.encode("utf-8", "surrogateescape")),)
    return _file_marks([path])


def content_marks(size: int, read: Read) -> tuple[str, ...]:
    """Return the marks in a disk's content.

    Raises:
        ImageError: the disk cannot be read.
    """
    return tuple(mark for mark in (_signature_mark(size, read), *_sample_marks(size, read)) if mark)


def is_content_mark(mark: str) -> bool:
    """Whether a mark is one of a disk's content, not of its place."""
    return mark.startswith(_CONTENT_MARKS)


def journalled_marks(
    file: "JournalFile", stretches: "Sequence[Stored]", number: int, image: "OpenImage"
) -> tuple[str, ...]:
    """Return the marks of disk ``number`` of a journal, as they are at any moment of the work that it records.

    Raises:
        ImageError: the disk cannot be read.
        JournalError: the journal cannot.
    """
    device, own = image.device, [stored for stored in stretches if stored.extent.disk == number]
    info = image.info
    marks = [*place_marks(info.location), *_file_marks(info.files[:_MAX_FILES])]
    if own:
        before, after = (content_marks(device.size, _side(file, own, device, new=new)) for new in (False, True))
        marks += [mark for mark in before if mark in after]
    return tuple(dict.fromkeys(marks))


def _side(file: "JournalFile", own: "Sequence[Stored]", device: BlockDevice, *, new: bool) -> Read:
    """Return what reads a disk as it is before the journal's work, or after it, whatever was written of it by now."""

    def read(offset: int, length: int) -> bytes:
        data = bytearray(device.read(offset, length))
        for stored in own:
            start = max(offset, stored.extent.offset)
            end = min(offset + length, stored.extent.offset + stored.extent.length)
            if start < end:
                content = file.content(stored, start - stored.extent.offset, end - start, new=new)
                data[start - offset : end - offset] = content
        return bytes(data)

    return read


def _signature_mark(size: int, read: Read) -> str | None:
    """Return the mark of a disk's signature and GUID, None where it has neither."""
    start = read(0, min(size, _HEADERS_AT[-1] + SECTOR))
    signature, guid = start[_SIGNATURE], b""
    for at in _HEADERS_AT:
        header = start[at : at + SECTOR]
        if header.startswith(_GPT):
            guid = header[_GUID]
    return _mark("signature", b"%d" % size, signature, guid) if any(signature + guid) else None


def _sample_marks(size: int, read: Read) -> list[str]:
    """Return the marks of two places; of none that holds a byte repeated, as most of an empty disk does."""
    marks = []
    for third in (1, 2):
        offset = size * third // 3 // _SAMPLE * _SAMPLE
        data = read(offset, min(_SAMPLE, size - offset))
        if data and data.count(data[0]) < len(data):
            marks.append(_mark("sample", b"%d" % size, b"%d" % offset, data))
    return marks


def _file_marks(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the marks of files; none of what is not there."""
    marks = []
    for path in paths:
        try:
            marks.append(_mark(FILE_MARK, b"%d" % resolve(path).stat().st_ino))
        except OSError:
            continue
    return tuple(marks)


def _mark(kind: str, *parts: bytes) -> str:
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return f"{kind}-{digest.hexdigest()[:32]}"
