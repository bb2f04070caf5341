"""The paged store: a hive file of which only what is walked is read, and only what changed is written back."""

import struct
from io import BytesIO
from typing import Protocol

from bootgraft.errors import HiveError
from bootgraft.registry.baseblock import DAMAGED_ADVICE, PAGE

CLUSTER = 16 * PAGE
"""Bytes read at once around a byte that is wanted."""
_READ_AHEAD = 16
_CLEAN_LIMIT = 192
_ORIGINALS = 2048
"""Pages of which the first content is kept: 8 MiB."""
_U32 = struct.Struct("<I")


class Storage(Protocol):
    """Where a hive lies: ``filesystems.base.OpenFile`` or anything like it. All numbers are bytes."""

    @property
    def size(self) -> int:
        """Bytes in the file now."""

    def read(self, offset: int, length: int, /) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end of the file."""

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace bytes, growing the file where they reach past its end."""


class PagedStore:
    """Random access to a hive file with edits kept in memory until :meth:`write_back`.

    Clean clusters are cached up to 12 MiB; those with changed pages stay. ``begin``/``rollback`` undo the
    writes of one edit that was interrupted.
    """

    def __init__(self, storage: Storage, *, name: str) -> None:
        self._storage = storage
        self._file_size = storage.size
        self._name = name
        self._clusters: dict[int, bytearray] = {}
        self._dirty: set[int] = set()
        self._dirty_clusters: set[int] = set()
        self._next = -1
        self._ahead = 1
        self._undo: list[tuple[int, bytes]] | None = None
        self._undo_dirty: frozenset[int] = frozenset()
        self.size = self._file_size
        self.originals: dict[int, bytes] = {}
        """Pages by number, as they were before the first change of any of them; none where they are too many."""
        self._keeps_originals = True
        self.edits = 0
        """Changes of content or size so far: what was made of the bytes before one of them may no longer hold."""

    @property
    def is_changed(self) -> bool:
        """Whether any byte was given another content since the last write_back."""
        return bool(self._dirty)

    @property
    def file_size(self) -> int:
        """Bytes in the file when it was opened, or as grown by write_back."""
        return self._file_size

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` bytes. Raises HiveError past the end."""
        end = offset + length
        if offset < 0 or length < 0 or end > self.size:
            raise HiveError(
                f"bytes {offset} to {end} lie outside the {self.size} bytes of the hive",
                where=self._name,
                advice=DAMAGED_ADVICE,
            )
        at = offset % CLUSTER
        if at + length <= CLUSTER:
            return bytes(memoryview(self._cluster(offset // CLUSTER))[at : at + length])
        whole = (
            BytesIO()
        )  # not a list of pieces: an integrity check asks for the whole hive, which would stand there twice
        while offset < end:
            at = offset % CLUSTER
            take = min(CLUSTER - at, end - offset)
            whole.write(memoryview(self._cluster(offset // CLUSTER, end))[at : at + take])
            offset += take
        return whole.getvalue()

    def scan(self, offset: int, length: int) -> bytes:
        """As read, for whoever goes through the whole hive: what is read is not kept."""
        if not 0 <= offset <= offset + length <= self.size:
            return self.read(offset, length)  # which raises
        data = self._fetch(offset, length)
        clusters = self._dirty_clusters.intersection(range(offset // CLUSTER, -(-(offset + length) // CLUSTER)))
        if len(data) == length and not clusters:
            return data
        whole = bytearray(data.ljust(length, b"\0"))
        for number in clusters:
            start, end = max(number * CLUSTER, offset), min((number + 1) * CLUSTER, offset + length)
            whole[start - offset : end - offset] = self._clusters[number][start - number * CLUSTER :][: end - start]
        return bytes(whole)

    def u32(self, offset: int) -> int:
        """The little-endian word at an offset that is a multiple of 4 inside the store."""
        cluster = self._clusters.get(offset // CLUSTER)
        if cluster is None or not 0 <= offset <= self.size - 4:
            return int.from_bytes(self.read(offset, 4), "little")
        number: int = _U32.unpack_from(cluster, offset % CLUSTER)[0]
        return number

    def write(self, offset: int, data: bytes) -> None:
        """Replace bytes inside the store; pages whose content stays the same do not count as changed."""
        before = self.read(offset, len(data))
        at = 0
        while at < len(data):
            end = min(at + PAGE - (offset + at) % PAGE, len(data))
            if before[at:end] != data[at:end]:
                if self._undo is not None:
                    self._undo.append((offset + at, before[at:end]))
                self._put(offset + at, data[at:end])
            at = end

    def extend(self, size: int) -> None:
        """Grow the store to ``size`` bytes; what lies in the file beyond its present end may be reused."""
        self.size = max(self.size, size)
        self.edits += 1

    def begin(self) -> None:
        """Start to remember what writes replace."""
        self._undo = []
        self._undo_dirty = frozenset(self._dirty)

    def accept(self) -> None:
        """Keep what was written since begin."""
        self._undo = None

    def rollback(self) -> None:
        """Put back what was there at begin."""
        log, self._undo = self._undo or [], None
        for offset, before in reversed(log):
            self._put(offset, before)
        self._dirty = set(self._undo_dirty)
        self._dirty_clusters = {page * PAGE // CLUSTER for page in self._dirty}

    def write_back(self, *, limit: int) -> None:
        """Write the changed pages below ``limit`` (bytes) to the file, ascending, neighbours in one write.

        A file shorter than ``limit`` is grown to it.
        """
        self._dirty.update(range(self._file_size // PAGE, limit // PAGE))
        for first, count in _runs(sorted(self._dirty)):
            start = first * PAGE
            self._storage.write(start, self.read(start, min(count * PAGE, limit - start)))
        self._file_size = max(self._file_size, limit)
        self._dirty.clear()
        self._dirty_clusters.clear()

    def forget(self) -> None:
        """Forget what can be read again."""
        self._clusters = {number: self._clusters[number] for number in self._dirty_clusters}

    def _put(self, offset: int, data: bytes) -> None:
        """Store bytes that lie in one page."""
        self.edits += 1
        number, at = divmod(offset, CLUSTER)
        cluster = self._cluster(number)
        self._keep_original(offset // PAGE, cluster)
        cluster[at : at + len(data)] = data
        self._dirty_clusters.add(number)
        self._dirty.add(offset // PAGE)

    def _keep_original(self, page: int, cluster: bytearray) -> None:
        if page in self.originals or not self._keeps_originals:
            return
        at = page * PAGE % CLUSTER
        self.originals[page] = bytes(cluster[at : at + PAGE])
        if len(self.originals) > _ORIGINALS:
            self._keeps_originals = False
            self.originals.clear()

    def _cluster(self, number: int, until: int = 0) -> bytearray:
        cluster = self._clusters.get(number)
        return self._load(number, until) if cluster is None else cluster

    def _load(self, number: int, until: int) -> bytearray:
        """Read a cluster; more at once where a large read goes on to ``until`` or clusters are read in a row."""
        self._ahead = min(self._ahead * 2, _READ_AHEAD) if number == self._next else 1
        wanted = max(self._ahead, min(-(-until // CLUSTER) - number, _READ_AHEAD))
        count = 1
        while count < wanted and number + count not in self._clusters and (number + count) * CLUSTER < self._file_size:
            count += 1
        self._next = number + count
        self._evict(count)
        data = self._fetch(number * CLUSTER, count * CLUSTER)
        for index in range(count):
            piece = bytearray(data[index * CLUSTER : (index + 1) * CLUSTER])
            piece.extend(bytes(CLUSTER - len(piece)))
            self._clusters[number + index] = piece
        return self._clusters[number]

    def _fetch(self, offset: int, length: int) -> bytes:
        length = min(length, self._file_size - offset)
        if length <= 0:
            return b""
        data = self._storage.read(offset, length)
        if len(data) != length:
            raise HiveError(
                f"the file gave {len(data)} of {length} bytes at {offset}",
                where=self._name,
                advice="The file was cut while it was being read; check the file system with chkdsk and start again",
            )
        return data

    def _evict(self, room: int) -> None:
        excess = len(self._clusters) + room - _CLEAN_LIMIT - len(self._dirty_clusters)
        if excess <= 0:
            return
        clean = [number for number in self._clusters if number not in self._dirty_clusters]
        for number in clean[:excess]:
            del self._clusters[number]


def _runs(pages: list[int]) -> list[tuple[int, int]]:
    """Group ascending page numbers into (first, count)."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and sum(runs[-1]) == page:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((page, 1))
    return runs
