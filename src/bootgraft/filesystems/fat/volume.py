"""FAT12, FAT16 and FAT32 volumes with long names, over any block device.

Written here because pyfatfs (1.1.0) holds the whole FAT in memory and rewrites it on opening, follows a looping chain
for ever, and writes again when its object is thrown away. Source of the format: Microsoft's fatgen103, version 1.03.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Self

from msgspec import Struct

from bootgraft.errors import FileMissingError, FileSystemError, UnsafeVolumeError
from bootgraft.filesystems.base import Entry, FileSystemKind, VolumeState, parts, split
from bootgraft.filesystems.fat.boot import BOOT_SECTOR_SIZE, FatLayout, read_layout
from bootgraft.filesystems.fat.directory import ARCHIVE, DIRECTORY, Record, dot_slots, new_slots
from bootgraft.filesystems.fat.names import NewName, fold, new_name
from bootgraft.filesystems.fat.table import CHKDSK, FatTable
from bootgraft.filesystems.fat.tree import Directory, FatTree, Room
from bootgraft.storage.devices.blockdevice import BlockDevice

MAX_FILE_SIZE = 0xFFFFFFFF
"""Bytes in the largest file that a directory entry can describe."""

_CHUNK = 1 << 20
_CACHED_CHAINS = 32
_CACHED_CLUSTERS = 0x10000
_HIBERNATED = frozenset({b"hibr", b"HIBR", b"rstr", b"RSTR"})

_WHY_NOT = {
    VolumeState.UNCLEAN: (
        "the volume was not shut down cleanly (its dirty flag is set)",
        CHKDSK,
    ),
    VolumeState.HIBERNATED: (
        "Windows is hibernated on this volume (hiberfil.sys holds a session)",
        "Start the original machine, shut it down fully and convert it again",
    ),
}


def _now() -> datetime:
    return datetime.now()  # FAT keeps local time


def mount_fat(
    device: BlockDevice,
    *,
    writable: bool,
    name: str,
    clock: Callable[[], datetime] = _now,
    accept_unclean: bool = False,
) -> "FatVolume":
    """Open the FAT volume that fills ``device``; ``name`` is what errors call it, ``clock`` what files are dated by.

    With ``accept_unclean`` one whose dirty flag is set is written all the same. The flag stays, so Windows checks it.

    Raises:
        FileSystemError: the boot sector is not FAT's, or the volume reaches past the device.
    """
    layout = read_layout(device.read(0, min(device.size, BOOT_SECTOR_SIZE)), where=name)
    if layout.size > device.size:
        raise FileSystemError(
            f"the FAT volume is {layout.size} bytes long, its partition only {device.size}",
            where=name,
            advice="The image is truncated or its partition table is wrong; compare its size with the original disk's",
        )
    volume = FatVolume(device, layout, writable=writable, name=name, clock=clock)
    volume.accepts_unclean = accept_unclean
    return volume


class _Place(Struct, frozen=True):
    """Where a new entry goes: its directory, the slots there, free clusters that the directory grows by and its own."""

    directory: Directory
    name: NewName
    room: Room
    growth: "array[int]"
    content: "array[int]"


class FatVolume:
    """A mounted FAT volume: a FileSystem, and a context manager. Every change is on the device when a call returns."""

    def __init__(
        self, device: BlockDevice, layout: FatLayout, *, writable: bool, name: str, clock: Callable[[], datetime]
    ) -> None:
        self._device = device
        self._layout = layout
        self._writable = writable
        self._name = name
        self._clock = clock
        self._table = FatTable(device, layout, name)
        self._tree = FatTree(device, layout, self._table, name)
        self._chains: OrderedDict[int, array[int]] = OrderedDict()
        self._obstacles: tuple[VolumeState, ...] | None = None
        self.accepts_unclean = False  # whether the user consented to writing it with its dirty flag set

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def kind(self) -> FileSystemKind:
        """FAT12, FAT16 or FAT32."""
        return self._layout.kind

    @property
    def label(self) -> str:
        """The label in the root directory; where there is none, the boot sector's."""
        label = self._tree.root().listing.label
        return self._layout.label if label is None else label

    @property
    def state(self) -> VolumeState:
        """CLEAN, UNCLEAN where a dirty flag of NT (boot sector) or of Windows 9x (FAT[1]) is set, or HIBERNATED."""
        return self.obstacles[0] if self.obstacles else VolumeState.CLEAN

    @property
    def obstacles(self) -> tuple[VolumeState, ...]:
        """All that forbids writing: a dirty flag, a sleeping session."""
        if self._obstacles is None:
            self._obstacles = tuple(self._find_obstacles())
        return self._obstacles

    def listdir(self, path: str, /) -> tuple[Entry, ...]:
        """All entries of a directory but ``.`` and ``..``, in on-disk order."""
        return tuple(record.entry() for record in self._tree.directory(path).listing.records)

    def stat(self, path: str, /) -> Entry:
        """Return the entry at ``path``; the root is called ``\\``."""
        if not any(parts(path)):
            return Entry("\\", is_directory=True, size=0, attributes=DIRECTORY)
        return self._tree.find(path)[1].entry()

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        """Return up to ``length`` bytes (to the end where None) from ``offset``."""
        _, record = self._file(path)
        end = record.size if length is None else min(record.size, offset + length)
        self._check_offset(path, offset)
        if offset >= end:
            return b""
        pieces = self._layout.pieces(self._chain(path, record), offset, end - offset)
        return b"".join(self._device.read(place, size) for place, size in pieces)

    def write(self, path: str, offset: int, data: bytes, /) -> None:
        """Replace bytes of an existing file, growing it where they reach past its end; a gap reads as zeros."""
        directory, record = self._writable_file(path)
        self._check_offset(path, offset)
        if data:
            self._store(path, directory, record, offset, data)

    def truncate(self, path: str, size: int, /) -> None:
        """Set the size of an existing file; bytes that it grows by read as zeros."""
        directory, record = self._writable_file(path)
        self._check_offset(path, size)
        if size > record.size:
            self._store(path, directory, record, size, b"")
            return
        chain = self._chain(path, record)
        keep = -(-size // self._layout.cluster_size)
        self._table.cut(chain, keep)
        self._finish(directory, record, first=chain[0] if keep else 0, size=size)

    def store_plainly(self, path: str, data: bytes, /) -> None:
        """Replace the whole content of an existing file; FAT compresses nothing. Raises as :meth:`write`."""
        self.truncate(path, len(data))
        self.write(path, 0, data)

    def create(self, path: str, data: bytes, /) -> None:
        """Create a file in an existing directory with this content and the archive attribute."""
        place = self._find_place(path, len(data))
        self._put(place.content, 0, data)
        self._insert(place, ARCHIVE, len(data), self._clock())

    def create_directory(self, path: str, /) -> None:
        """Create an empty directory of one cluster in an existing directory."""
        place, when = self._find_place(path, 1), self._clock()
        own = dot_slots(place.content[0], self._tree.number_as_parent(place.directory), when)
        self._put(place.content, 0, own.ljust(self._layout.cluster_size, b"\0"))
        self._insert(place, DIRECTORY, 0, when)

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        """Where a file's content lies: (offset, length) pairs in bytes from the start of the volume."""
        _, record = self._file(path)
        return tuple(self._layout.pieces(self._chain(path, record), 0, record.size))

    def close(self) -> None:
        """Forget what was read; nothing is left to write."""
        self._chains.clear()

    def _find_place(self, path: str, size: int) -> "_Place":
        """Find where a new entry and its ``size`` bytes of content go; take nothing yet."""
        self._check_writable()
        parent, name = split(path)
        directory = self._tree.directory(parent)
        taken = directory.listing.by_name
        if fold(name) in taken:
            raise self._error(f"{path} is there already", "Write to the existing file instead")
        self._check_size(path, size)
        stored = new_name(name, taken.__contains__, where=self._name)
        room = self._tree.find_room(directory, stored.slots)
        clusters = self._table.find_free(room.clusters + self._clusters(size))
        return _Place(directory, stored, room, clusters[: room.clusters], clusters[room.clusters :])

    def _insert(self, place: "_Place", attributes: int, size: int, when: datetime) -> None:
        """Chain the content that was written, and enter it into its directory."""
        self._table.link(place.content, after=None)
        first = place.content[0] if place.content else 0
        slots = new_slots(place.name, attributes=attributes, first_cluster=first, size=size, when=when)
        self._tree.insert(place.directory, place.room, slots, place.growth)
        if self._table.flush():
            self._chains.clear()

    def _find_obstacles(self) -> Iterator[VolumeState]:
        if self._is_hibernated():
            yield VolumeState.HIBERNATED
        if self._layout.unclean or not self._table.is_clean:
            yield VolumeState.UNCLEAN

    def _is_hibernated(self) -> bool:
        try:
            return self.read("\\hiberfil.sys", 0, 4) in _HIBERNATED
        except FileMissingError:
            return False

    def _file(self, path: str) -> tuple[Directory, Record]:
        if not any(parts(path)):
            raise self._error(f"{path} is a directory", "Give the path of a file")
        directory, record = self._tree.find(path)
        if record.is_directory:
            raise self._error(f"{path} is a directory", "Give the path of a file")
        return directory, record

    def _writable_file(self, path: str) -> tuple[Directory, Record]:
        self._check_writable()
        return self._file(path)

    def _check_writable(self) -> None:
        refusing = [each for each in self.obstacles if not (each is VolumeState.UNCLEAN and self.accepts_unclean)]
        what, advice = _WHY_NOT[refusing[0]] if refusing else ("", "")
        if not what and not self._writable:
            what, advice = "the volume was opened for reading only", "Use a command that writes, such as repair"
        if what:
            raise UnsafeVolumeError(what, where=self._name, advice=advice)

    def _check_offset(self, path: str, offset: int) -> None:
        if offset < 0:
            raise self._error(f"{path} has no byte {offset}", "Whatever led there is damaged; check the file")

    def _check_size(self, path: str, size: int) -> None:
        if size > MAX_FILE_SIZE:
            raise self._error(f"{path} would have {size} bytes", f"A file on FAT has at most {MAX_FILE_SIZE}")

    def _clusters(self, size: int) -> int:
        return -(-size // self._layout.cluster_size)

    def _chain(self, path: str, record: Record) -> "array[int]":
        """Return all clusters of a file, at least as many as its size needs."""
        first = record.first_cluster(fat32=self._tree.fat32)
        chain = self._chains.get(first)
        if chain is None:
            chain = self._read_chain(path, first) if first else array("I")
        needed = self._clusters(record.size)
        if len(chain) < needed:
            raise self._error(
                f"{path} is {record.size} bytes long, which needs {needed} clusters, and has {len(chain)}", CHKDSK
            )
        return chain

    def _read_chain(self, path: str, first: int) -> "array[int]":
        limit = min(self._layout.cluster_count, self._clusters(MAX_FILE_SIZE))
        chain = self._table.chain(first, limit, what=path)
        if not self._tree.clusters_above(split(path)[0]).isdisjoint(chain):
            raise self._error(f"{path} shares clusters with a directory that it is in", CHKDSK)
        if len(chain) <= _CACHED_CLUSTERS:
            self._chains[first] = chain
            if len(self._chains) > _CACHED_CHAINS:
                self._chains.popitem(last=False)
        return chain

    def _store(self, path: str, directory: Directory, record: Record, offset: int, data: bytes) -> None:
        """Write ``data`` at ``offset`` of a file, and zeros between its end and there."""
        size = max(record.size, offset + len(data))
        self._check_size(path, size)
        chain = self._chain(path, record)
        new = self._table.find_free(max(0, self._clusters(size) - len(chain)))
        whole = chain + new
        for start in range(record.size, offset, _CHUNK):
            self._put(whole, start, bytes(min(_CHUNK, offset - start)))
        self._put(whole, offset, data)
        self._table.link(new, after=chain[-1] if chain else None)
        self._finish(directory, record, first=whole[0] if whole else 0, size=size)

    def _put(self, chain: "array[int]", offset: int, data: bytes) -> None:
        view = memoryview(data)
        for place, length in self._layout.pieces(chain, offset, len(data)):
            self._device.write(place, bytes(view[:length]))
            view = view[length:]

    def _finish(self, directory: Directory, record: Record, *, first: int, size: int) -> None:
        """Write the FATs and the directory entry after a file's content has changed."""
        if self._table.flush():
            self._chains.clear()
        changed = record.changed(first_cluster=first, fat32=self._tree.fat32, size=size, when=self._clock())
        self._tree.replace(directory, changed)

    def _error(self, what: str, advice: str) -> FileSystemError:
        return FileSystemError(what, where=self._name, advice=advice)
