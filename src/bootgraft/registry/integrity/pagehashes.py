"""By what the pages of a sound hive are known again: their hashes."""

import hashlib
from collections.abc import Mapping, Sequence

from msgspec import Struct

from bootgraft.registry.baseblock import BASE_SIZE, PAGE
from bootgraft.registry.cells import Cells
from bootgraft.registry.integrity.cellmap import scan
from bootgraft.registry.integrity.screening import Screened

_PIECE = 2**20
_HASH = 32


class SoundHive(Struct, frozen=True):
    """A hive as it was when it was found sound.

    ``hashes`` has the SHA-256 of each page of the bins. ``originals`` fills as pages of the file change: their first
    content, by number.
    """

    screened: Screened
    hashes: bytes
    originals: Mapping[int, bytes]

    @property
    def size(self) -> int:
        """Bytes of the bins."""
        return len(self.hashes) // _HASH * PAGE

    def changed(self, hashes: bytes) -> Sequence[int]:
        """Pages of the bins, as they were, that are others now."""
        if hashes.startswith(self.hashes):
            return ()
        spans = range(0, len(self.hashes), _HASH)
        return [at // _HASH for at in spans if self.hashes[at : at + _HASH] != hashes[at : at + _HASH]]

    def original(self, page: int) -> bytes | None:
        """What a page of the bins was; None where that is not known any more."""
        data = self.originals.get(page + BASE_SIZE // PAGE)
        at = page * _HASH
        return data if data is not None and hashlib.sha256(data).digest() == self.hashes[at : at + _HASH] else None


def hashes_of(cells: Cells) -> bytes:
    """The SHA-256 of every page of the bins, one behind another. Raises HiveError where they cannot be read."""
    found = []
    for start in range(0, cells.bins_size, _PIECE):
        piece = memoryview(scan(cells, start, min(_PIECE, cells.bins_size - start)))
        found += [hashlib.sha256(piece[at : at + PAGE]).digest() for at in range(0, len(piece), PAGE)]
    return b"".join(found)
