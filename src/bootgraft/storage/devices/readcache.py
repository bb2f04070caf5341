"""What was read of a device once, kept for the next time: each round of a repair, and the proof, mounts anew.

It lies under the overlay, where nothing is ever written, so that what it keeps stays true.
"""

from collections import OrderedDict

from bootgraft.errors import ReadOnlyError
from bootgraft.storage.devices.blockdevice import BlockDevice, check_range

CHUNK = 64 * 1024
"""Bytes that are kept at most as one piece, counted from where a read begins: file systems read whole ones of these."""

LIMIT = 16 * 2**20
"""Bytes to keep of all devices together: of a Windows Server 2003 and its donor a repair reads some 7 MB."""

_LONGEST = 2**18  # of a read whose bytes are kept; longer ones are seldom repeated


class ReadCache:
    """A BlockDevice that is only read; the last ``limit`` bytes read are kept. Closing it leaves ``device`` open."""

    def __init__(self, device: BlockDevice, *, limit: int = LIMIT) -> None:
        self._device = device
        self._size = device.size
        self._limit = limit
        self._pieces: OrderedDict[tuple[int, int], bytes] = OrderedDict()  # by offset and length
        self._kept = 0

    @property
    def size(self) -> int:
        """Bytes of the device below."""
        return self._size

    def read(self, offset: int, length: int, /) -> bytes:
        """Return exactly ``length`` bytes from ``offset``; what is lacking of them comes from below in one read."""
        check_range(self, offset, length, where="read cache")
        if length > _LONGEST:
            return self._device.read(offset, length)
        places = [(at, min(CHUNK, offset + length - at)) for at in range(offset, offset + length, CHUNK)]
        lacking = [each for each in places if each not in self._pieces]
        if lacking:
            start, end = lacking[0][0], sum(lacking[-1])
            data = self._device.read(start, end - start)
            for at, size in places:
                if start <= at < end:
                    self._keep((at, size), data[at - start : at - start + size])
        read = b"".join([self._pieces[each] for each in places])
        while self._kept > self._limit:
            self._kept -= len(self._pieces.popitem(last=False)[1])
        return read

    def write(self, _offset: int, _data: bytes, /) -> None:
        """Refuse: all writing goes to an overlay on top."""
        raise ReadOnlyError("what is kept of it would no longer be true", where="read cache", advice="This is a bug")

    def flush(self) -> None:
        """Do nothing: nothing is written here."""

    def close(self) -> None:
        """Forget what is kept."""
        self._pieces.clear()
        self._kept = 0

    def _keep(self, place: tuple[int, int], data: bytes) -> None:
        if place not in self._pieces:
            self._pieces[place] = data
            self._kept += len(data)
