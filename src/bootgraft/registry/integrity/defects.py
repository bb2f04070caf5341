"""What a strict reading of a hive can find wrong, how much it matters to Windows, and the list it is kept in."""

from enum import StrEnum

from msgspec import Struct

DEFECT_LIMIT = 500
"""Defects that are told one by one; a hive with more is beyond reading, and the walk ends there."""


class DefectSeverity(StrEnum):
    """What Windows makes of a defect."""

    REJECTS = "rejects"  # it refuses the hive, or since Vista mends it by throwing the damaged part away
    LOSES = "loses"  # it loads the hive, but something that is there is not found, or not found whole
    HARMLESS = "harmless"  # it never notices


class DefectKind(StrEnum):
    """What is wrong; most are what the kernel checks when it loads a hive."""

    BIN_HEADER = "bin-header"
    CELL_SIZE = "cell-size"
    SHARED_CELL = "shared-cell"
    ROOT_KEY = "root-key"
    KEY_RECORD = "key-record"
    KEY_NAME = "key-name"
    KEY_PARENT = "key-parent"
    KEY_DEPTH = "key-depth"
    CLASS_NAME = "class-name"
    SUBKEY_LIST = "subkey-list"
    SUBKEY_COUNT = "subkey-count"
    SUBKEY_ORDER = "subkey-order"
    SUBKEY_HASH = "subkey-hash"
    SUBKEY_TWICE = "subkey-twice"
    VALUE_LIST = "value-list"
    VALUE_RECORD = "value-record"
    VALUE_TWICE = "value-twice"
    VALUE_DATA = "value-data"
    SECURITY_RECORD = "security-record"
    SECURITY_RING = "security-ring"
    SECURITY_COUNT = "security-count"
    MAXIMUM = "maximum"
    UNREACHABLE = "unreachable"
    TOO_MANY = "too-many"


_LOSES = frozenset(
    {
        DefectKind.SUBKEY_ORDER,
        DefectKind.SUBKEY_HASH,
        DefectKind.SUBKEY_TWICE,
        DefectKind.VALUE_TWICE,
        DefectKind.SECURITY_COUNT,
    }
)
_HARMLESS = frozenset({DefectKind.MAXIMUM, DefectKind.UNREACHABLE})


class Defect(Struct, frozen=True):
    r"""One thing that is wrong with a hive.

    ``offset`` is the bin's or cell's, in bytes from the end of the base block; ``key`` the path of the key that it
    belongs to (``ControlSet001\Services``, empty for the root), None where it belongs to none.
    """

    kind: DefectKind
    severity: DefectSeverity
    offset: int
    key: str | None
    what: str

    def __str__(self) -> str:
        place = "" if self.key is None else f", key {self.key or '(root)'}"
        return f"{self.what} (at 0x{self.offset:x}{place})"


class FullError(Exception):
    """The list of defects is full: ends the walk, and never leaves the reader."""


class Defects:
    """Collects defects up to DEFECT_LIMIT, then raises FullError."""

    def __init__(self) -> None:
        self.found: list[Defect] = []

    def add(
        self, kind: DefectKind, offset: int, key: str | None, what: str, severity: DefectSeverity | None = None
    ) -> None:
        """Note a defect; without ``severity`` it is what its kind usually means."""
        if severity is None:
            severity = _severity(kind)
        if len(self.found) >= DEFECT_LIMIT:
            self.found.append(
                Defect(DefectKind.TOO_MANY, DefectSeverity.REJECTS, offset, None, f"more than {DEFECT_LIMIT} defects")
            )
            raise FullError
        self.found.append(Defect(kind, severity, offset, key, what))


def _severity(kind: DefectKind) -> DefectSeverity:
    if kind in _LOSES:
        return DefectSeverity.LOSES
    return DefectSeverity.HARMLESS if kind in _HARMLESS else DefectSeverity.REJECTS
