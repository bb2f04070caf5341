"""A flat VMDK's extents, one behind the other, as one device. Its descriptor is read elsewhere and never touched."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import DamagedImageError, ImageError, ReadOnlyError
from bootgraft.storage.devices.blockdevice import check_range
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.fileidentity import FileIdentity


class FlatExtent(Struct, frozen=True):
    """``length`` bytes of the disk, at ``offset`` (bytes) of ``path``; ``path`` None means zeros that nobody stores."""

    path: Path | None
    offset: int
    length: int


class FlatDevice:
    """A BlockDevice made of flat extents; every file of it is locked until :meth:`close`.

    Raises:
        ImageError: an extent's file is missing, shorter than the descriptor says, or used twice for the same bytes.
        ImageInUseError: another program holds one of the files.
        ReadOnlyError: ``writable`` was asked for and one of the files cannot be written.
    """

    def __init__(self, extents: Sequence[FlatExtent], *, writable: bool, name: str) -> None:
        self._name = name
        self._writable = writable
        self._extents = tuple(extent for extent in extents if extent.length)
        self._starts: list[int] = []
        self._size = 0
        for extent in self._extents:
            self._starts.append(self._size)
            self._size += extent.length
        self._files: dict[Path, RawFile] = {}
        try:
            for extent in self._extents:
                self._open(extent)
            self._refuse_overlap()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Bytes in all extents together."""
        return self._size

    @property
    def unasked(self) -> tuple[str, ...]:
        """What could not be asked of who else uses the files; see :class:`RawFile`."""
        return tuple(dict.fromkeys(note for file in self._files.values() for note in file.unasked))

    def require_unused(self) -> None:
        """Raise ImageInUseError where another program uses one of the files by now."""
        for file in self._files.values():
            file.require_unused()

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        check_range(self, offset, length, where=self._name)
        pieces: list[bytes] = []
        for extent, skip, count in self._pieces(offset, length):
            if extent.path is None:
                pieces.append(bytes(count))
            else:
                pieces.append(self._files[extent.path].read(extent.offset + skip, count))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace bytes; where the range meets an extent of zeros that nobody stores, nothing is written at all."""
        if not self._writable:
            raise ReadOnlyError(
                "the image was opened for reading", where=self._name, advice="Open it for writing first"
            )
        check_range(self, offset, len(data), where=self._name)
        plan: list[tuple[RawFile, int, bytes]] = []
        done = 0
        for extent, skip, count in self._pieces(offset, len(data)):
            if extent.path is None:
                raise ReadOnlyError(
                    f"byte {offset + done} lies in a ZERO extent, which stores nothing",
                    where=self._name,
                    advice="Use --overlay OUT.qcow2, or convert the disk with qemu-img first",
                )
            plan.append((self._files[extent.path], extent.offset + skip, data[done : done + count]))
            done += count
        for file, position, piece in plan:
            file.write(position, piece)

    def flush(self) -> None:
        """Flush every file."""
        for file in self._files.values():
            file.flush()

    def read_back(self, offset: int, length: int, /) -> bytes:
        """Return ``length`` bytes as the storage holds them, not the page cache; ask in ascending order."""
        check_range(self, offset, length, where=self._name)
        return b"".join(
            bytes(count) if extent.path is None else self._files[extent.path].read_back(extent.offset + skip, count)
            for extent, skip, count in self._pieces(offset, length)
        )

    def opened_files(self) -> frozenset[FileIdentity]:
        """Return the files that are open, by what they are and not by their names."""
        return frozenset().union(*(file.opened_files() for file in self._files.values()))

    def close(self) -> None:
        """Close every file; a second call does nothing."""
        for file in self._files.values():
            file.close()

    def _open(self, extent: FlatExtent) -> None:
        if extent.path is None:
            return
        file = self._files.get(extent.path)
        if file is None:
            file = self._files[extent.path] = RawFile(extent.path, writable=self._writable)
        if extent.offset + extent.length > file.size:
            raise DamagedImageError(
                f"the extent is cut short: it has {file.size} bytes, the descriptor wants"
                f" {extent.offset + extent.length}",
                where=str(extent.path),
                advice="Copy the whole file again from where it came from",
            )

    def _refuse_overlap(self) -> None:
        used = sorted(
            (str(extent.path), extent.offset, extent.length) for extent in self._extents if extent.path is not None
        )
        for (path, offset, length), (next_path, next_offset, _) in pairwise(used):
            if path == next_path and offset + length > next_offset:
                raise ImageError(
                    f"two extents use the same bytes of {path}", where=self._name, advice="Restore the descriptor"
                )

    def _pieces(self, offset: int, length: int) -> Iterator[tuple[FlatExtent, int, int]]:
        """Yield (extent, bytes to skip in it, bytes of it) for a range that was checked."""
        index = bisect_right(self._starts, offset) - 1
        while length > 0:
            extent = self._extents[index]
            skip = offset - self._starts[index]
            count = min(length, extent.length - skip)
            yield extent, skip, count
            offset += count
            length -= count
            index += 1
