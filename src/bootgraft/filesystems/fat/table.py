"""The file allocation table: chains of clusters, free clusters, and FAT32's FSInfo sector.

Source: fatgen103, "FAT Data Structure" and "FAT32 FSInfo Sector Structure". Pages of the table are read when they are
needed, so that the cost does not grow with the volume; changes reach every FAT in use on :meth:`FatTable.flush`.
"""

import itertools
import struct
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.fat.boot import FatLayout
from bootgraft.storage.devices.blockdevice import BlockDevice

CHKDSK = "Attach the image to another Windows machine, run chkdsk /f on this volume, then run bootgraft again"
"""What to do about a damaged FAT volume."""

_PAGE = 0x10000  # a multiple of every entry size, and more than a whole FAT12
_PAGES = 64
_DIRTY_PAGES = 32
_UNKNOWN = 0xFFFFFFFF
_FREE_FIELDS = struct.Struct("<II")  # free count, next free, at 488 of FSInfo

_CLEAN_BITS = {12: 0x000, 16: 0xC000, 32: 0x0C000000}
"""Bits of FAT[1] that are set on a volume that was unmounted cleanly and met no disk error; FAT12 has none."""


class FatTable:
    """The FATs of one volume. Clusters are numbered from 2."""

    def __init__(self, device: BlockDevice, layout: FatLayout, name: str) -> None:
        self._device = device
        self._layout = layout
        self._name = name
        self._bits = layout.entry_bits
        self._mask = 0x0FFFFFFF if self._bits == 32 else (1 << self._bits) - 1
        self._bytes = -(-layout.end_cluster * self._bits // 8)
        self._pages: OrderedDict[int, bytearray] = OrderedDict()
        self._dirty: dict[int, tuple[int, int]] = {}
        self._free, self._next = self._read_fsinfo()

    @property
    def is_clean(self) -> bool:
        """Whether FAT[1] says that the volume was unmounted cleanly."""
        bits = _CLEAN_BITS[self._bits]
        return self.entry(1) & bits == bits

    def entry(self, cluster: int) -> int:
        """Return the FAT entry of ``cluster``, which the caller knows to be inside the table."""
        if self._bits == 12:
            pair = struct.unpack_from("<H", self._page(0), cluster * 3 // 2)[0]
            return int(pair >> 4 if cluster & 1 else pair & 0xFFF)
        page, inside = divmod(cluster * self._bits // 8, _PAGE)
        form = "<H" if self._bits == 16 else "<I"
        return int(struct.unpack_from(form, self._page(page), inside)[0]) & self._mask

    def chain(self, first: int, limit: int, *, what: str) -> "array[int]":
        """Return the numbers of the clusters from ``first`` to the end mark.

        Raises:
            FileSystemError: the chain leaves the volume, runs into a free or bad cluster, or has more than ``limit``
                clusters, as every loop has. ``what`` names the owner.
        """
        found = array("I")
        end_mark = self._mask & ~7
        cluster = first
        while True:
            if not 2 <= cluster < self._layout.end_cluster:
                raise self._damaged(f"the cluster chain of {what} leads to cluster {cluster:#x}, which does not exist")
            if len(found) >= limit:
                raise self._damaged(f"the cluster chain of {what} loops or has more than {limit} clusters")
            found.append(cluster)
            cluster = self.entry(cluster)
            if cluster >= end_mark:
                return found

    def find_free(self, count: int) -> "array[int]":
        """Return the numbers of ``count`` free clusters, from the place of the last allocation on; take none.

        Raises:
            FileSystemError: the volume has fewer.
        """
        if not count:
            return array("I")
        start, end = self._next, self._layout.end_cluster
        free = itertools.chain(self._free_clusters(start, end), self._free_clusters(2, start))
        found = array("I", itertools.islice(free, count))
        if len(found) < count:
            size = self._layout.cluster_size
            raise FileSystemError(
                f"the volume is full: {count * size} bytes are needed and {len(found) * size} are free",
                where=self._name,
                advice="Delete files that are not needed from this volume, then run bootgraft again",
            )
        return found

    def link(self, clusters: Sequence[int], *, after: int | None) -> None:
        """Chain free ``clusters`` to each other, and to the chain that ends at cluster ``after``."""
        if not clusters:
            return
        if after is not None:
            self._set(after, clusters[0])
        for cluster, following in itertools.pairwise(clusters):
            self._set(cluster, following)
        self._set(clusters[-1], self._mask)
        self._next = clusters[-1]
        if self._free is not None:
            self._free = self._free - len(clusters) if self._free >= len(clusters) else None

    def cut(self, chain: Sequence[int], keep: int) -> None:
        """Free all clusters of ``chain`` but its first ``keep``, which become the whole chain."""
        gone = chain[keep:]
        if keep and gone:
            self._set(chain[keep - 1], self._mask)
        for cluster in gone:
            self._set(cluster, 0)
        if self._free is not None:
            self._free += len(gone)

    def flush(self) -> bool:
        """Write every change to all FATs in use and to FSInfo; say whether there was any."""
        if not self._dirty:
            return False
        self._write_pages()
        if self._layout.fsinfo_offset is not None and self._has_fsinfo:
            free = _UNKNOWN if self._free is None else self._free
            self._device.write(self._layout.fsinfo_offset + 488, _FREE_FIELDS.pack(free, self._next))
        return True

    def _read_fsinfo(self) -> tuple[int | None, int]:
        """Return the free count (None where unknown) and where to look for the next free cluster."""
        self._has_fsinfo = False
        offset = self._layout.fsinfo_offset
        if offset is None:
            return None, 2
        sector = self._device.read(offset, 512)
        if (sector[:4], sector[484:488], sector[508:]) != (b"RRaA", b"rrAa", b"\0\0\x55\xaa"):
            return None, 2
        self._has_fsinfo = True
        free, following = _FREE_FIELDS.unpack_from(sector, 488)
        return (
            free if free <= self._layout.cluster_count else None,
            following if 2 <= following < self._layout.end_cluster else 2,
        )

    def _page(self, index: int) -> bytearray:
        page = self._pages.get(index)
        if page is not None:
            self._pages.move_to_end(index)
            return page
        if len(self._pages) >= _PAGES:
            oldest = next(number for number in self._pages if number not in self._dirty)
            del self._pages[oldest]
        start = index * _PAGE
        length = min(_PAGE, self._bytes - start)
        page = bytearray(self._device.read(self._layout.fat_offsets[0] + start, length))
        self._pages[index] = page
        return page

    def _set(self, cluster: int, value: int) -> None:
        if len(self._dirty) >= _DIRTY_PAGES:
            self._write_pages()
        if self._bits == 12:
            index, inside, size = 0, cluster * 3 // 2, 2
        else:
            size = self._bits // 8
            index, inside = divmod(cluster * size, _PAGE)
        page = self._page(index)
        old = int.from_bytes(page[inside : inside + size], "little")
        if self._bits == 12:
            value = (old & 0x000F) | value << 4 if cluster & 1 else (old & 0xF000) | value
        elif self._bits == 32:
            value |= old & 0xF0000000  # reserved: to be left as they are
        page[inside : inside + size] = value.to_bytes(size, "little")
        low, high = self._dirty.get(index, (inside, inside))
        self._dirty[index] = (min(low, inside), max(high, inside + size))

    def _write_pages(self) -> None:
        for index, (low, high) in sorted(self._dirty.items()):
            for offset in self._layout.fat_offsets:
                self._device.write(offset + index * _PAGE + low, bytes(self._pages[index][low:high]))
        self._dirty.clear()

    def _free_clusters(self, start: int, stop: int) -> Iterator[int]:
        per_page = _PAGE * 8 // self._bits if self._bits != 12 else self._layout.end_cluster
        while start < stop:
            end = min(stop, (start // per_page + 1) * per_page)
            for cluster, value in zip(range(start, end), self._entries(start, end), strict=False):
                if not value & self._mask:
                    yield cluster
            start = end

    def _entries(self, start: int, stop: int) -> Sequence[int]:
        """Return the entries from ``start`` on, all in one page; nothing where none of the page can be free."""
        if self._bits == 12:
            return [self.entry(cluster) for cluster in range(start, stop)]
        size = self._bits // 8
        index, inside = divmod(start * size, _PAGE)
        page = self._page(index)
        if bytes(size - size // 4) not in page:  # two zero bytes, or three under the reserved bits of FAT32
            return ()
        return struct.unpack_from(f"<{stop - start}{'H' if size == 2 else 'I'}", page, inside)

    def _damaged(self, what: str) -> FileSystemError:
        return FileSystemError(
            what,
            where=self._name,
            advice=CHKDSK,
        )
