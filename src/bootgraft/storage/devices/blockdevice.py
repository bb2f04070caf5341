"""The block device: the one shape that raw files, qemu exports, overlays and slices share, so that they stack."""

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from bootgraft.errors import ImageError

if TYPE_CHECKING:
    from bootgraft.storage.fileidentity import FileIdentity

SECTOR = 512
"""Bytes in the sector that MBR, EBR and the journal count in."""


class BlockDevice(Protocol):
    """A disk or a part of one: bytes at offsets. All numbers are bytes."""

    @property
    def size(self) -> int:
        """Bytes from the first to the last; fixed while the device is open."""

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``.

        Raises:
            ImageError: the range leaves the device, or the storage below failed.
        """

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace ``len(data)`` bytes at ``offset``.

        Raises:
            ImageError: the range leaves the device, or the storage below failed.
            ReadOnlyError: the device was opened for reading.
        """

    def flush(self) -> None:
        """Return when everything written so far is on stable storage."""

    def close(self) -> None:
        """Release everything; a second call does nothing. Does not flush."""


class ImageDevice(BlockDevice, Protocol):
    """A block device that is a disk image: it can say what reached the storage, and which files it has open."""

    def read_back(self, offset: int, length: int, /) -> bytes:
        """Return ``length`` bytes from ``offset`` from the storage, past the page cache where the system allows it.

        To be asked in ascending order after a flush.

        Raises:
            ImageError: the range leaves the device, or the storage failed.
        """

    def opened_files(self) -> "frozenset[FileIdentity]":
        """Return the files that are open behind it, by what they are and not by their names.

        Raises:
            ImageError: the system does not tell.
        """


def flush_failed(where: str) -> ImageError:
    """Return the error for a device of which a flush has failed: nothing is written or flushed through it any more.

    Linux calls pages clean that never reached the storage, so the next flush would succeed. Only what is written anew,
    through a new descriptor, counts.
    """
    return ImageError(
        "an earlier flush of it failed, so it is unknown which of its writes are on the storage",
        where=where,
        advice="Look for disk or network errors (dmesg), then run the command again",
    )


def check_range(device: BlockDevice, offset: int, length: int, *, where: str) -> None:
    """Raise ImageError where ``offset`` and ``length`` (bytes) do not lie inside the device."""
    if offset < 0 or length < 0 or offset + length > device.size:
        raise ImageError(
            f"bytes {offset} to {offset + length} lie outside the {device.size} bytes of the device",
            where=where,
            advice="The image is truncated or its partition table is wrong; compare its size with the original disk's",
        )


class Slice(Struct, frozen=True):
    """A window of ``length`` bytes at ``start`` on another device: a partition. Closing it leaves the device open."""

    device: BlockDevice
    start: int
    length: int
    name: str

    @property
    def size(self) -> int:
        """Bytes in the window."""
        return self.length

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset`` inside the window."""
        check_range(self, offset, length, where=self.name)
        return self.device.read(self.start + offset, length)

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace bytes inside the window."""
        check_range(self, offset, len(data), where=self.name)
        self.device.write(self.start + offset, data)

    def flush(self) -> None:
        """Flush the device below."""
        self.device.flush()

    def close(self) -> None:
        """Do nothing: the device belongs to whoever opened it."""
