"""The directories of one FAT volume: finding a path, replacing an entry, adding one.

A directory is a chain of clusters like a file, save the root of FAT12 and FAT16, which has a fixed place and size.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import parts, split
from bootgraft.filesystems.fat.boot import FatLayout
from bootgraft.filesystems.fat.directory import MAX_SLOTS, SLOT, Listing, Record, find_room, parse
from bootgraft.filesystems.fat.names import fold
from bootgraft.filesystems.fat.table import CHKDSK, FatTable
from bootgraft.storage.devices.blockdevice import BlockDevice

_CACHED_RECORDS = MAX_SLOTS


class Directory(Struct, frozen=True):
    """A directory as it was read. ``cluster`` is its first, 0 for the fixed root, which has no ``chain``."""

    path: str
    cluster: int
    chain: "array[int]"
    listing: Listing


class Room(Struct, frozen=True):
    """Where new slots go: the number of the first, and how many clusters the directory must grow by for them."""

    slot: int
    clusters: int


class FatTree:
    """The directories of one volume, the latest of them kept in memory."""

    def __init__(self, device: BlockDevice, layout: FatLayout, table: FatTable, name: str) -> None:
        self._device = device
        self._layout = layout
        self._table = table
        self._name = name
        self._read: OrderedDict[int, Directory] = OrderedDict()

    @property
    def fat32(self) -> bool:
        """Whether cluster numbers have an upper half."""
        return self._layout.entry_bits == 32

    def root(self) -> Directory:
        """Return the root directory."""
        return self._directory("\\", self._layout.root_cluster)

    def number_as_parent(self, directory: Directory) -> int:
        """The cluster number by which directories in this one name it: 0 for the root."""
        return 0 if directory.cluster == self._layout.root_cluster else directory.cluster

    def directory(self, path: str) -> Directory:
        """Return the directory at ``path``.

        Raises:
            FileMissingError: there is nothing at ``path``, or something that is no directory.
            FileSystemError: a directory on the way is damaged, or shares clusters with one above it.
        """
        *_, found = self._walk(path)
        return found

    def clusters_above(self, path: str) -> set[int]:
        """Return the clusters of all directories from the root to the one at ``path``."""
        return {cluster for directory in self._walk(path) for cluster in directory.chain}

    def find(self, path: str) -> tuple[Directory, Record]:
        """Return what ``path`` leads to, which is not the root, and the directory that it is in.

        Raises:
            FileMissingError: there is nothing at ``path``.
        """
        parent, name = split(path)
        directory = self.directory(parent)
        record = directory.listing.by_name.get(fold(name))
        if record is None:
            raise self._missing(path, f"no {name!r} in {directory.path}")
        return directory, record

    def replace(self, directory: Directory, record: Record) -> None:
        """Write the 32 bytes of ``record``, whose name has not changed, over its slot."""
        self._put(directory.chain, record.slot, record.raw)
        self._read[directory.cluster] = replace(directory, listing=directory.listing.replaced(record))

    def find_room(self, directory: Directory, count: int) -> Room:
        """Find a place for ``count`` slots.

        Raises:
            FileSystemError: the directory is full and cannot grow.
        """
        listing = directory.listing
        slot = find_room(listing, count)
        lacking = slot + count - listing.slots
        if lacking <= 0:
            return Room(slot, 0)
        if not directory.chain or slot + count > MAX_SLOTS:
            raise FileSystemError(
                f"the directory {directory.path} is full: it has room for {listing.slots} entries and cannot grow",
                where=self._name,
                advice="Delete files that are not needed from this directory, then run bootgraft again",
            )
        return Room(slot, -(-lacking * SLOT // self._layout.cluster_size))

    def insert(self, directory: Directory, room: Room, raw: bytes, clusters: "array[int]") -> None:
        """Write the new slots ``raw``; ``clusters``, free ones and as many as ``room`` wants, join it."""
        listing, chain = directory.listing, directory.chain + clusters
        for place, length in self._layout.pieces(clusters, 0, len(clusters) * self._layout.cluster_size):
            self._device.write(place, bytes(length))
        if clusters:
            self._table.link(clusters, after=directory.chain[-1])
        slots = listing.slots + len(clusters) * self._layout.cluster_size // SLOT
        after = room.slot + len(raw) // SLOT
        if listing.end < after < slots:
            raw += bytes(SLOT)  # what lies behind the old end mark may be anything
        self._put(chain, room.slot, raw)
        self._read.pop(directory.cluster, None)

    def _walk(self, path: str) -> Iterator[Directory]:
        """Go from the root to the directory at ``path``: each directory on the way, both ends included."""
        found = self.root()
        above = set(found.chain)
        yield found
        for name in parts(path):
            record = found.listing.by_name.get(fold(name))
            if record is None or not record.is_directory:
                raise self._missing(path, f"no directory {name!r} in {found.path}")
            full = found.path.rstrip("\\") + "\\" + record.name
            cluster = record.first_cluster(fat32=self.fat32)
            if cluster < 2:
                raise self._damaged(f"the directory {full} has no clusters")
            found = self._directory(full, cluster)
            if not above.isdisjoint(found.chain):
                raise self._damaged(f"the directory {full} shares clusters with one that it is in")
            above.update(found.chain)
            yield found

    def _put(self, chain: "array[int]", slot: int, raw: bytes) -> None:
        for place, length in self._pieces(chain, slot * SLOT, len(raw)):
            self._device.write(place, raw[:length])
            raw = raw[length:]

    def _pieces(self, chain: "array[int]", offset: int, length: int) -> Iterator[tuple[int, int]]:
        if chain:
            return self._layout.pieces(chain, offset, length)
        return iter([(self._layout.root_offset + offset, length)])

    def _directory(self, path: str, cluster: int) -> Directory:
        known = self._read.get(cluster)
        if known is not None:
            self._read.move_to_end(cluster)
            return known
        chain, size = array("I"), min(self._layout.root_size, MAX_SLOTS * SLOT)
        if cluster:
            limit = max(1, MAX_SLOTS * SLOT // self._layout.cluster_size)
            chain = self._table.chain(cluster, limit, what=f"the directory {path}")
            size = min(len(chain) * self._layout.cluster_size, MAX_SLOTS * SLOT)
        data = b"".join(self._device.read(place, length) for place, length in self._pieces(chain, 0, size))
        directory = Directory(path, cluster, chain, parse(data))
        self._read[cluster] = directory
        while len(self._read) > 1 and sum(len(each.listing.records) for each in self._read.values()) > _CACHED_RECORDS:
            self._read.popitem(last=False)
        return directory

    def _missing(self, path: str, what: str) -> FileMissingError:
        return FileMissingError(
            f"{path} is not there: {what}",
            where=self._name,
            advice="Check the path and that this is the right volume; bootgraft inspect lists the volumes",
        )

    def _damaged(self, what: str) -> FileSystemError:
        return FileSystemError(
            what,
            where=self._name,
            advice=CHKDSK,
        )
