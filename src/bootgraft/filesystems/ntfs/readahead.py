"""A cache under a file system that reads in small pieces: aligned chunks, growing where reading is sequential.

libntfs-3g reads a volume's ``$Bitmap`` in pieces of 4 KiB; on a nearly full volume of 2 TB a single new file costs
16 142 reads of 63 MB together. Through this device they become about 64 reads.
"""

from collections import OrderedDict

from bootgraft.storage.devices.blockdevice import BlockDevice, check_range

CHUNK = 64 * 1024
"""Bytes that one cache entry holds, and the least that is read."""

LONGEST = 1024 * 1024
"""Bytes read at once where reading has been sequential; longer requests bypass the cache."""


class ReadAhead:
    """A BlockDevice that reads ``device`` in chunks and keeps the last ``limit`` bytes of them. Writes go through.

    Closing it forgets the chunks and leaves ``device`` open.
    """

    def __init__(self, device: BlockDevice, *, limit: int = 10 * 1024 * 1024) -> None:
        self._device = device
        self._size = device.size
        self._most = max(limit // CHUNK, LONGEST // CHUNK)
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self._next = -1  # the chunk after the last one loaded: a miss there is sequential reading
        self._stride = 1  # chunks to load at the next miss

    @property
    def size(self) -> int:
        """Bytes of the device below."""
        return self._size

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``."""
        check_range(self, offset, length, where="read ahead")
        if length >= LONGEST:
            return self._device.read(offset, length)
        first, inside = divmod(offset, CHUNK)
        if inside + length <= CHUNK:
            return self._chunk(first)[inside : inside + length] if length else b""
        last = (offset + length - 1) // CHUNK
        whole = b"".join(self._chunk(index) for index in range(first, last + 1))
        return whole[inside : inside + length]

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace bytes below, and in the chunks that are kept."""
        check_range(self, offset, len(data), where="read ahead")
        if not data:
            return
        span = range(offset // CHUNK, (offset + len(data) - 1) // CHUNK + 1)
        touched = {index: self._chunks.pop(index) for index in span if index in self._chunks}
        self._device.write(offset, data)  # where this fails, what lies below is unknown: the chunks stay forgotten
        for index, chunk in touched.items():
            start = max(offset, index * CHUNK)
            end = min(offset + len(data), index * CHUNK + len(chunk))
            before, after = chunk[: start - index * CHUNK], chunk[end - index * CHUNK :]
            self._chunks[index] = before + data[start - offset : end - offset] + after

    def flush(self) -> None:
        """Flush the device below."""
        self._device.flush()

    def close(self) -> None:
        """Forget what is kept."""
        self._chunks.clear()

    def _chunk(self, index: int) -> bytes:
        chunk = self._chunks.get(index)
        if chunk is None:
            return self._load(index)
        self._chunks.move_to_end(index)
        return chunk

    def _load(self, index: int) -> bytes:
        self._stride = min(self._stride * 2, LONGEST // CHUNK) if index == self._next else 1
        count = 1
        while count < self._stride and index + count not in self._chunks:
            count += 1
        start = index * CHUNK
        data = self._device.read(start, min(count * CHUNK, self._size - start))
        for at in range(0, len(data), CHUNK):
            self._chunks[index + at // CHUNK] = data[at : at + CHUNK]
        self._next = index + count
        while len(self._chunks) > self._most:
            self._chunks.popitem(last=False)
        return self._chunks[index]
