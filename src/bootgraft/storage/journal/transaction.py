"""What a repair wants to write: a machine's disks with their overlays, its description, and the journal of both."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.errors import ImageError, JournalError, ReadOnlyError
from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.durable import explained
from bootgraft.storage.images.opening import OpenImage
from bootgraft.storage.images.preserved_ranges import is_behind_qemu, kept_bytes
from bootgraft.storage.journal.comparison import digest_of
from bootgraft.storage.journal.head import (
    MAX_DISKS,
    MAX_EXTENTS,
    MAX_WITNESS,
    MAX_WITNESSES,
    EditedFile,
    Extent,
    JournalDisk,
    JournalHead,
    Witness,
    check_extents,
    is_plain,
)
from bootgraft.storage.journal.journaldisks import disk_file
from bootgraft.storage.journal.journalfile import pieces
from bootgraft.version import __version__

if TYPE_CHECKING:  # a type and no more: undo and resume need no overlay
    from bootgraft.storage.devices.overlay import Run

_GRAIN = 2**16
"""Bytes that are looked at together when a stretch is searched for constant parts."""


class Changes(Protocol):
    """What is asked of an overlay: where it differs from the disk below, and how it reads."""

    def runs(self) -> "Iterator[Run]":
        """The stretches that differ, ascending and apart."""

    def read(self, offset: int, length: int, /) -> bytes:
        """Return the new content."""


class DiskTransaction(Struct, frozen=True):
    """One disk: its image, open and writable, the overlay over it, and the witnesses as (offset, length) in bytes.

    Witnesses are places that Windows changes whenever it runs: each touched hive's base block, and the restart pages
    of the volume's ``$LogFile``.
    """

    image: OpenImage
    overlay: Changes
    witnesses: tuple[tuple[int, int], ...] = ()


class Transaction(Struct, frozen=True):
    """All disks of one machine, in BIOS order, and the text in which ``undo`` says what was changed.

    ``edited`` is the machine's description, where that is edited too; it may be all that there is.
    """

    disks: tuple[DiskTransaction, ...]
    summary: str
    edited: EditedFile | None = None

    @property
    def locations(self) -> tuple[str, ...]:
        """The disks, and the description, as given on the command line."""
        disks = tuple(disk.image.info.location for disk in self.disks)
        return disks if self.edited is None else (*disks, self.edited.location)


class Draft(Struct, frozen=True):
    """The journal of a transaction before it is written."""

    head: JournalHead
    extents: tuple[Extent, ...]


def draft_journal(transaction: Transaction, *, serial: int) -> Draft:
    """Return what the journal of a transaction will say. Reads old and new content; writes nothing.

    Raises:
        ReadOnlyError: an image was not opened for writing.
        ImageError: an image cannot be read.
        JournalError: the transaction is larger than a journal may be.
    """
    if len(transaction.disks) > MAX_DISKS:
        raise _too_much(f"{len(transaction.disks)} disks", MAX_DISKS)
    extents: list[Extent] = []
    for index, disk in enumerate(transaction.disks):
        for extent in _joined(_parts(index, disk)):
            extents.append(extent)
            if len(extents) > MAX_EXTENTS:
                raise _too_much("changed stretches", MAX_EXTENTS)
    head = JournalHead(
        tool=f"bootgraft {__version__}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        serial=serial,
        summary=_printable(transaction.summary),
        disks=tuple(_describe(disk.image) for disk in transaction.disks),
        witnesses=_witnesses(transaction, extents),
        edited=transaction.edited,
    )
    check_extents(extents, head.disks, fault=lambda fault: _too_much(f"its overlay cannot be used: {fault}", 0))
    return Draft(head, tuple(extents))


def _printable(text: str) -> str:
    """Return text without control characters and without undecodable bytes of file names."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if is_plain(c) or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def contents(transaction: Transaction, extents: Sequence[Extent]) -> Iterator[bytes]:
    """Yield the old and new bytes of each extent in the order in which the journal holds them."""
    for extent in extents:
        disk = transaction.disks[extent.disk]
        for source, fill in ((disk.image.device, extent.old), (disk.overlay, extent.new)):
            if fill is None:
                for start, length in pieces(extent.length):
                    yield source.read(extent.offset + start, length)


def _describe(image: OpenImage) -> JournalDisk:
    """Return what the journal says of a disk."""
    info = image.info
    if not image.writable:
        raise ReadOnlyError("the image is open for reading only", where=info.location, advice="Open it for writing")
    names = (info.location, *(str(path) for path in info.files))
    if not all(is_plain(name) for name in names):
        raise ImageError(
            "its name has control characters, which an undo journal does not take",
            where=repr(info.location),
            advice="Rename the file or the folder",
        )
    return JournalDisk(
        location=info.location,
        path=disk_file(info.location),
        format=info.format.value,
        subformat=info.subformat,
        size=image.device.size,
        files=tuple(path.name for path in info.files),
        kept=kept_bytes(info),
        lengths=tuple(map(_length, info.files)) if is_behind_qemu(info) else (),
    )


def _length(path: Path) -> int:
    with explained(path, action="looking at the image's file"):
        return path.stat().st_size


def _runs(disk: DiskTransaction) -> "Iterator[Run]":
    """Yield what differs; of an image that is built on another in whole clusters.

    qemu copies the rest of a new cluster from the parent. A power loss may take that copy and leave the entry that
    names the cluster: then only what the journal holds brings it back.
    """
    cluster, size = disk.image.info.cluster, disk.image.device.size
    if not cluster:
        yield from disk.overlay.runs()
        return
    from bootgraft.storage.devices.overlay import Run

    start = end = 0
    for run in disk.overlay.runs():
        first = run.offset - run.offset % cluster
        if first > end:
            if end > start:
                yield Run(start, end - start, None)
            start = first
        end = min(-(-(run.offset + run.length) // cluster) * cluster, size)
    if end > start:
        yield Run(start, end - start, None)


def _parts(index: int, disk: DiskTransaction) -> Iterator[Extent]:
    """Yield a disk's changed stretches in parts of at most _GRAIN, each with what it consists of."""
    for run in _runs(disk):
        end, offset = run.offset + run.length, run.offset
        while offset < end:
            length = min(end, offset - offset % _GRAIN + _GRAIN) - offset
            old = _fill(disk.image.device.read(offset, length))
            new = run.fill if run.fill is not None else _fill(disk.overlay.read(offset, length))
            yield Extent(index, offset, length, old, new)
            offset += length


def _joined(parts: Iterator[Extent]) -> Iterator[Extent]:
    """Join parts that follow one another and consist of the same."""
    last: Extent | None = None
    for part in parts:
        if last is None:
            last = part
        elif part == Extent(last.disk, last.offset + last.length, part.length, last.old, last.new):
            last = replace(last, length=last.length + part.length)
        else:
            yield last
            last = part
    if last is not None:
        yield last


def _fill(data: bytes) -> int | None:
    """Return the byte that all of ``data`` consists of, None where there are several."""
    return data[0] if data.count(data[0]) == len(data) else None


def _witnesses(transaction: Transaction, extents: Sequence[Extent]) -> tuple[Witness, ...]:
    """Return the witnesses: what lies inside a changed stretch is compared there, so only the rest is kept here."""
    found = []
    for index, disk in enumerate(transaction.disks):
        own = [extent for extent in extents if extent.disk == index]
        for offset, length in disk.witnesses:
            for start, count in _outside(own, offset, length):
                found.append(_witness(index, disk.image.device, start, count))
                if len(found) > MAX_WITNESSES:
                    raise _too_much("witnesses", MAX_WITNESSES)
    return tuple(found)


def _witness(index: int, device: BlockDevice, offset: int, length: int) -> Witness:
    """Return one witness as it reads now."""
    return Witness(index, offset, length, digest_of(device, offset, length))


def _outside(extents: Sequence[Extent], offset: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield what of a range no extent covers, as (offset, length) of at most MAX_WITNESS bytes."""
    end = offset + length
    first = max(0, bisect_right(extents, offset, key=lambda extent: extent.offset) - 1)
    for extent in extents[first:]:
        if extent.offset >= end:
            break
        yield from _cut(offset, extent.offset)
        offset = max(offset, extent.offset + extent.length)
    yield from _cut(offset, end)


def _cut(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a range, which may be empty, into pieces that one witness may cover."""
    for offset in range(start, end, MAX_WITNESS):
        yield offset, min(MAX_WITNESS, end - offset)


def _too_much(what: str, limit: int) -> JournalError:
    """Return the error for a transaction that no repair makes."""
    return JournalError(
        f"this repair does not fit an undo journal ({what}; at most {limit}); nothing was written",
        where="the repair",
        advice="Please report this: no repair should change as much",
    )
