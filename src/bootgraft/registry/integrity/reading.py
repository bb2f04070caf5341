"""What the parts of the strict reader share: the map of cells, the list of defects, and the key that is being read."""

from collections import Counter

from bootgraft.registry.integrity.cellmap import FREE, IN_USE, REACHED, CellMap
from bootgraft.registry.integrity.defects import DefectKind, Defects, DefectSeverity


class Reading:
    """One integrity check. ``names`` are those of the key that is being read and its parents, below the root."""

    def __init__(self, cell_map: CellMap, minor: int, defects: Defects) -> None:
        self.map = cell_map
        self.data = cell_map.data
        self.minor = minor
        self.names: list[str] = []
        self.security_users: Counter[int] = Counter()
        self.keys = 0
        self.values = 0
        self._defects = defects
        self._state = self.map.state
        self._end = self.map.size

    def report(
        self, kind: DefectKind, offset: int, what: str, severity: DefectSeverity | None = None, *, child: str = ""
    ) -> None:
        """Note a defect of the key that is being read, or of its sub-key ``child``."""
        names = [*self.names, child] if child else self.names
        self._defects.add(kind, offset, "\\".join(names), what, severity)

    def report_hive(self, kind: DefectKind, offset: int, what: str, severity: DefectSeverity | None = None) -> None:
        """Note a defect that belongs to no key."""
        self._defects.add(kind, offset, None, what, severity)

    def take(self, offset: int, need: int, kind: DefectKind, what: str) -> int:
        """The place of a cell's data, at least ``need`` bytes; 0 where there is no such cell, which is reported.

        Each cell belongs to one owner: a second one is reported.
        """
        if offset < self._end and not offset & 7:
            state = self._state[offset >> 3]
            if state == IN_USE:
                self._state[offset >> 3] = REACHED
                if self.map.load(offset) >= need:
                    return offset + 4
                self.report(kind, offset, f"the cell of {what} is too small for it")
                return 0
            if state == REACHED:
                self.report(DefectKind.SHARED_CELL, offset, f"the cell of {what} belongs to something else too")
                return 0
            if state == FREE:
                self.report(kind, offset, f"the cell of {what} is free")
                return 0
        self.report(kind, offset, f"there is no cell where {what} should be")
        return 0

    def capacity(self, offset: int) -> int:
        """Bytes of data in a cell that was taken."""
        return self.map.capacity(offset)
