"""A hive that was read strictly before it was edited: is it still sound? Only what became different is read again.

Which pages these are is not taken from the editor: all bytes are read, and compared by their hashes with what was there
before. Of the bins that changed, each cell is compared with what it was, and what it was is still known (``originals``,
which must have the hash that was taken). From there on nothing is assumed of what the edit did:

- Cells that did not change keep their meaning, and so do the references in them.
- Each cell that changed must have belonged to a key whose own record changed too (every commit gives the keys that it
  edits a new time), or be a security descriptor. All that such a key owned before is released: its lists, values and
  data, and its sub-keys' records. Then all such keys, and new ones that they list, are read by the survey's own rules,
  in a map of cells where what unchanged keys own is taken. So whatever is claimed twice, led to and free, counted
  wrongly, out of order or under a wrong hash is a defect there as it is in a survey.
- Every cell that was released must be claimed again or be free now, every new one must be claimed: nothing is lost.
- A key that an unchanged parent lists keeps its name and parent: all that its parent's lists say of it.
- Keys that did not change are reached as before, and as deep: their parents still list them, by induction up to the
  root, because a sub-key that did not change is only accepted below a key that stayed where it was.
- The ring of descriptors is followed whole. How many keys use each is known from before, less the keys that changed as
  they were, plus these as they are.

So what this calls sound a survey calls free of harmful defects. Where it doubts, for whatever reason, the answer is
None, and the survey reads all of the hive. The tests hold both against each other, after edits and on mutated hives.
"""

import re
import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bootgraft.registry.baseblock import PAGE
from bootgraft.registry.cells import BIN_HEADER, BIN_LIMIT, Cells
from bootgraft.registry.hive import DEPTH_LIMIT
from bootgraft.registry.integrity.cellmap import FREE, IN_USE, NOTHING, REACHED, CellMap, scan
from bootgraft.registry.integrity.defects import DefectKind, Defects, DefectSeverity, FullError
from bootgraft.registry.integrity.keys import Node, read_node
from bootgraft.registry.integrity.pagehashes import SoundHive, hashes_of
from bootgraft.registry.integrity.reading import Reading
from bootgraft.registry.integrity.screening import KEY, OTHER, SECURITY, Screened
from bootgraft.registry.integrity.security import check_security
from bootgraft.registry.integrity.survey import read_whole
from bootgraft.registry.integrity.window import Window

_MOST_PAGES = 2048
"""Pages that changed; beyond, reading all of the hive costs no more."""
_PARENT_AT, _SECURITY_AT = 4 + 16, 4 + 44
"""In a key's cell."""
_DESCRIPTOR = re.escape(bytes([IN_USE + SECURITY]))
_BIN = struct.Struct("<4sII")
_WORD = struct.Struct("<I")
_TAKEN = bytes(REACHED if each > IN_USE else NOTHING if each == IN_USE else each for each in range(256))
"""From a Screened's states to a CellMap's; cells that nothing led to cannot be led to now either."""
_UNTAKEN = _TAKEN.replace(bytes([REACHED]), bytes([IN_USE]))


class _DoubtError(Exception):
    """It is not plain that the hive is sound: never leaves :func:`recheck`."""


def recheck(before: SoundHive, cells: Cells) -> Screened | None:
    """What is known of the hive as it is now, opened again; None where only reading all of it can tell.

    Raises HiveError where its bytes cannot be read.
    """
    known = before.screened
    hashes = hashes_of(cells)
    pages = before.changed(hashes)
    if (known.minor, known.root) != (cells.minor, cells.root) or len(hashes) < len(before.hashes):
        return None
    if len(pages) > _MOST_PAGES:
        return None
    if not pages and len(hashes) == len(before.hashes):
        return known
    try:
        return _Recheck(before, cells, pages).run()
    except (_DoubtError, FullError, IndexError, KeyError, ValueError, struct.error):
        return None


class _Part(Reading):
    """A reading of some keys: what they own is written down."""

    def __init__(self, cell_map: CellMap, minor: int, defects: Defects) -> None:
        super().__init__(cell_map, minor, defects)
        self.taken: list[int] = []

    def take(self, offset: int, need: int, kind: DefectKind, what: str) -> int:
        """As in every reading."""
        at = super().take(offset, need, kind, what)
        if at:
            self.taken.append(offset)
        return at


class _Recheck:
    def __init__(self, before: SoundHive, cells: Cells, pages: Sequence[int]) -> None:
        self._known = before.screened
        self._cells = cells
        self._pages = {page: _original(before, page) for page in pages}
        self._defects = Defects()
        old_size, size = before.size, cells.bins_size
        self._old = self._part(self._read_old, old_size, self._known.state.translate(_UNTAKEN))
        self._new = self._part(partial(scan, cells), size, self._known.state.translate(_TAKEN))
        self._was: set[int] = set()  # cells that something led to and that changed, or are gone
        self._is: set[int] = set()  # cells in use that changed, or are new
        self._leaked: set[int] = set()  # cells in use in these bins that nothing leads to, as before
        self._keys: dict[int, Node] = {}  # keys that changed, as they were
        self._kept: set[int] = set()  # those of them that an unchanged parent lists

    def _part(self, source: Callable[[int, int], bytes], size: int, state: bytearray) -> _Part:
        state.extend(bytes((size >> 3) - len(state)))
        cell_map = CellMap(Window(source, size, lazily=True), state, self._defects)
        return _Part(cell_map, self._cells.minor, self._defects)

    def run(self) -> Screened:
        """What is known of the hive now."""
        spans = [*self._changed_bins(), *self._new.map.walk_bins(self._old.map.size)]
        for start, end in spans:
            self._compare(start, end)
        self._read_keys_before()
        to_be_claimed = self._release()
        keys = self._read_keys_now()
        descriptors = len(self._new.taken)
        self._count_users()
        check_security(self._new, _word(self._new, self._known.root + _SECURITY_AT))
        if any(each.severity is not DefectSeverity.HARMLESS for each in self._defects.found):
            raise _DoubtError
        if any(self._new.map.state[at >> 3] != REACHED for at in to_be_claimed):
            raise _DoubtError
        return self._screened(spans, keys, descriptors)

    def _read_old(self, offset: int, length: int) -> bytes:
        """Bytes of the bins as they were."""
        data = bytearray(scan(self._cells, offset, length))
        for page, original in self._pages.items():
            at = page * PAGE - offset
            if 0 <= at < length:  # windows begin and end with pages
                data[at : at + PAGE] = original
        return bytes(data)

    def _changed_bins(self) -> Iterator[tuple[int, int]]:
        """Start and end of each bin with a page that changed; its header must be what it was, but for the time."""
        bins = self._known.bins
        for at in sorted({bisect_right(bins, page * PAGE) - 1 for page in self._pages}):
            start = bins[at]
            end = bins[at + 1] if at + 1 < len(bins) else self._old.map.size
            self._new.map.window.load(start, start + BIN_HEADER)
            if _BIN.unpack_from(self._new.data, start) != (b"hbin", start, end - start):
                raise _DoubtError
            yield start, end

    def _compare(self, start: int, end: int) -> None:
        """Find out which cells of a bin changed."""
        state, known = self._new.map.state, self._known.state
        state[start >> 3 : end >> 3] = bytes((end - start) >> 3)
        if end - start > BIN_LIMIT or not self._new.map.walk(start, end):
            raise _DoubtError
        self._old.map.window.load(start, end)
        for at in range(start >> 3, end >> 3):
            was = known[at] if at < len(known) else NOTHING
            if was >= IN_USE and state[at] == IN_USE and self._is_same(at << 3):
                state[at] = REACHED if was > IN_USE else NOTHING
                if was == IN_USE:
                    self._leaked.add(at << 3)
                continue
            if was > IN_USE:
                self._was.add(at << 3)
            if state[at] == IN_USE:
                self._is.add(at << 3)

    def _is_same(self, offset: int) -> bool:
        end = offset + 4 + self._old.map.capacity(offset)
        return self._old.data[offset:end] == self._new.data[offset:end]

    def _read_keys_before(self) -> None:
        """Read the keys that changed as they were, so that all cells are known that belonged to them."""
        changed = {at for at in self._was if self._known.state[at >> 3] == IN_USE + KEY}
        for at in changed:
            parent = _word(self._old, at + _PARENT_AT)
            if parent not in changed or at == self._known.root:
                self._kept.add(at)
        pending = [read_node(self._old, at) for at in self._kept]
        while pending:
            node = pending.pop()
            if node is None:
                raise _DoubtError
            self._keys[node.offset] = node
            pending += [child for child in read_whole(self._old, node) if child.offset in changed]
        if self._keys.keys() != changed:
            raise _DoubtError

    def _release(self) -> set[int]:
        """Give up what belonged to these keys, and all descriptors; the cells that something must lead to again."""
        released = set(self._old.taken) - self._kept
        released.update(each.start() << 3 for each in re.finditer(_DESCRIPTOR, self._known.state))
        if not self._was <= released | self._kept:
            raise _DoubtError
        state = self._new.map.state
        for at in released:
            if state[at >> 3] == REACHED:
                state[at >> 3] = IN_USE
        return self._is.union(at for at in released if state[at >> 3] == IN_USE)

    def _read_keys_now(self) -> list[int]:
        """Read the keys that changed and those that are new, and claim what belongs to them; all keys claimed."""
        pending: list[tuple[Node, int, bool]] = []
        for at in self._kept:
            node, before = read_node(self._new, at), self._keys[at]
            if node is None or node.parent != before.parent:
                raise _DoubtError
            if (node.name, node.name_size) != (before.name, before.name_size):
                raise _DoubtError
            pending.append((node, self._depth(at), True))
        found = list(self._kept)
        while pending:
            node, depth, stays = pending.pop()
            for child in read_whole(self._new, node):
                if child.parent != node.offset or depth == DEPTH_LIMIT:
                    raise _DoubtError
                found.append(child.offset)
                if child.offset in self._is:
                    was = self._keys.get(child.offset)
                    pending.append((child, depth + 1, stays and was is not None and was.parent == child.parent))
                elif not stays or self._known.state[child.offset >> 3] != IN_USE + KEY:
                    raise _DoubtError  # a key that did not change, in another place
        return found

    def _depth(self, key: int) -> int:
        """How many keys are above one."""
        depth = 0
        while key != self._known.root:
            key = _word(self._new, key + _PARENT_AT)
            depth += 1
            if depth > DEPTH_LIMIT:
                raise _DoubtError
        return depth

    def _count_users(self) -> None:
        """How many keys use each descriptor now."""
        users = Counter(self._known.users)
        users.subtract(self._old.security_users)
        if any(count < 0 for count in users.values()):
            raise _DoubtError
        users.update(self._new.security_users)
        self._new.security_users = +users

    def _screened(self, spans: list[tuple[int, int]], keys: list[int], descriptors: int) -> Screened:
        """What is known now; of the cells that were taken those from ``descriptors`` on are such."""
        state = self._old.map.state  # its memory, which nobody needs any more: of a hive of 300 MB it has 37
        state[:] = self._known.state
        state.extend(bytes((self._new.map.size >> 3) - len(state)))
        for start, end in spans:
            for at in range(start >> 3, end >> 3):
                if self._new.map.state[at] <= FREE:
                    state[at] = self._new.map.state[at]
        for at in self._leaked:
            state[at >> 3] = IN_USE
        for cells, kind in ((self._new.taken, OTHER), (keys, KEY), (self._new.taken[descriptors:], SECURITY)):
            for at in cells:
                state[at >> 3] = IN_USE + kind
        bins = self._known.bins + self._new.map.bins
        return Screened(self._known.minor, self._known.root, state, dict(self._new.security_users), bins)


def _word(reading: Reading, offset: int) -> int:
    reading.map.window.load(offset, offset + 4)
    return int(_WORD.unpack_from(reading.data, offset)[0])


def _original(before: SoundHive, page: int) -> bytes:
    data = before.original(page)
    if data is None:
        raise _DoubtError
    return data
