"""What an integrity check of a hive can find wrong, how much it matters to Windows, and the list it is kept in."""

from enum import StrEnum

from msgspec import Struct

DEFECT_LIMIT = 500
"""Defects that are told one by one; a hive with more is beyond reading, and the walk ends there."""


class DefectSeverity(StrEnum):
    """What Windows makes of a defect, the worst first."""

    REJECTS = "rejects"  # it does not load the hive
    DROPS = "drops"  # it loads the hive and takes the damaged part away as it does so
    LOSES = "loses"  # it loads the hive, but something that is there is not found, or not found whole
    TOLERATES = "tolerates"  # it loads and finds all of it, and puts it right where it changes it
    HARMLESS = "harmless"  # it never notices


class Generation(StrEnum):
    """Which Windows reads the hive, as far as they judge defects in different ways."""

    UP_TO_2000 = "up-to-2000"  # they check a hive as they load it and refuse one with a defect
    XP_WITHOUT_SP = "xp-without-sp"  # the same, and it knows lists by hash
    SINCE_XP_SP1 = "since-xp-sp1"  # they repair a hive as they load it, by taking away what is damaged


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
    SUBKEY_LIST_KIND = "subkey-list-kind"
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


_REJECTS, _DROPS, _LOSES = DefectSeverity.REJECTS, DefectSeverity.DROPS, DefectSeverity.LOSES
_TOLERATES, _HARMLESS = DefectSeverity.TOLERATES, DefectSeverity.HARMLESS
CONSEQUENCES: dict[DefectKind, tuple[DefectSeverity, DefectSeverity, DefectSeverity]] = {
    DefectKind.BIN_HEADER: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.CELL_SIZE: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.SHARED_CELL: (_LOSES, _LOSES, _LOSES),  # nobody looks; a later change of one owner harms the other
    DefectKind.ROOT_KEY: (_REJECTS, _REJECTS, _REJECTS),  # nothing is above it that it could be taken from
    DefectKind.KEY_RECORD: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.KEY_NAME: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.KEY_PARENT: (_REJECTS, _REJECTS, _TOLERATES),
    DefectKind.KEY_DEPTH: (_REJECTS, _REJECTS, _REJECTS),
    DefectKind.CLASS_NAME: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.SUBKEY_LIST: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.SUBKEY_LIST_KIND: (_REJECTS, _TOLERATES, _TOLERATES),  # lists by hash came with XP
    DefectKind.SUBKEY_COUNT: (_REJECTS, _REJECTS, _TOLERATES),
    DefectKind.SUBKEY_ORDER: (_LOSES, _LOSES, _DROPS),
    DefectKind.SUBKEY_HASH: (_LOSES, _LOSES, _LOSES),
    DefectKind.SUBKEY_TWICE: (_LOSES, _LOSES, _DROPS),
    DefectKind.VALUE_LIST: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.VALUE_RECORD: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.VALUE_TWICE: (_LOSES, _LOSES, _LOSES),
    DefectKind.VALUE_DATA: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.SECURITY_RECORD: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.SECURITY_RING: (_REJECTS, _REJECTS, _DROPS),
    DefectKind.SECURITY_COUNT: (_LOSES, _LOSES, _LOSES),
    DefectKind.MAXIMUM: (_HARMLESS, _HARMLESS, _HARMLESS),
    DefectKind.UNREACHABLE: (_HARMLESS, _HARMLESS, _HARMLESS),
    DefectKind.TOO_MANY: (_REJECTS, _REJECTS, _DROPS),
}
"""What each generation makes of each kind, in the order of :class:`Generation`.

Sources: ReactOS, ``sdk/lib/cmlib/cmcheck.c`` and ``hiveinit.c``, which have the checks of NT and what is repaired and
how; Microsoft's Knowledge Base 815011 for since when it is (XP SP1); https://github.com/msuhanov/regf for lists by
hash. Order and doubles of names are checked by later kernels than NT 4's; where one refuses a hive for them is not
documented.
"""


def consequence(kind: DefectKind, generation: Generation | None) -> DefectSeverity:
    """What a generation makes of a kind of defect; the worst of all where it is not known which one reads the hive."""
    all_of_them = CONSEQUENCES[kind]
    if generation is not None:
        return all_of_them[tuple(Generation).index(generation)]
    return min(all_of_them, key=tuple(DefectSeverity).index)


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
    """Collects defects up to DEFECT_LIMIT, then raises FullError. ``generation`` is that of the Windows that reads."""

    def __init__(self, generation: Generation | None = None) -> None:
        self.found: list[Defect] = []
        self._generation = generation

    def add(
        self, kind: DefectKind, offset: int, key: str | None, what: str, severity: DefectSeverity | None = None
    ) -> None:
        """Note a defect; without ``severity`` it is what its kind usually means."""
        if severity is None:
            severity = consequence(kind, self._generation)
        if len(self.found) >= DEFECT_LIMIT:
            most = consequence(DefectKind.TOO_MANY, self._generation)
            self.found.append(Defect(DefectKind.TOO_MANY, most, offset, None, f"more than {DEFECT_LIMIT} defects"))
            raise FullError
        self.found.append(Defect(kind, severity, offset, key, what))
