r"""Updates that were begun and are to be finished at the next start, wherever Windows writes that down.

The servicing stack leaves its list of operations in ``WinSxS\pending.xml``, has the session manager run poqexec.exe
over it (``Session Manager\BootExecute`` in Vista, ``SetupExecute`` since) and counts the session in SOFTWARE
(``Component Based Servicing\SessionsPending\Exclusive``). Any program may have files renamed or removed by
``PendingFileRenameOperations``: pairs of old and new name, an empty new one to remove (Microsoft, "MoveFileEx" and
"Stop error 7B troubleshooting", "Troubleshooting if this issue occurs after a Windows Update installation").
"""

from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from bootgraft.changes import RegistryData
from bootgraft.errors import FileSystemError, HiveError
from bootgraft.registry.hive import Hive
from bootgraft.registry.values import decode_utf16
from bootgraft.text import excerpt
from bootgraft.windows.installation import Installation, control_set_name, open_hive
from bootgraft.windows.roots import on_volume

LIST = r"WinSxS\pending.xml"
SESSIONS = r"Microsoft\Windows\CurrentVersion\Component Based Servicing\SessionsPending"
_MANAGER = r"Control\Session Manager"
_LISTS = ("BootExecute", "SetupExecute")
_PROGRAM = "poqexec"
_RENAMES = "PendingFileRenameOperations"
_MAX_RUNS = 4
_MAX_OPERATIONS = 20_000
"""Pairs of PendingFileRenameOperations; installers leave some hundred."""


class Servicing(Struct, frozen=True):
    """What is written down. ``runs`` are the entries that run poqexec, each with its value's name."""

    manager: str  # the key of the session manager
    runs: tuple[str, ...]
    has_list: bool
    exclusive: int


class FileOperation(Struct, frozen=True):
    """One pair of PendingFileRenameOperations: paths on the volume, ``new`` None where the file is removed."""

    old: str
    new: str | None


class FileOperations(Struct, frozen=True):
    """All of a control set: ``names`` as they are stored, two for each operation, and the value that holds them."""

    key_path: str
    names: tuple[str, ...]
    operations: tuple[FileOperation, ...]
    data: RegistryData

    def without(self, removed: frozenset[int]) -> bytes:
        """The value without the operations of these numbers."""
        pairs = (self.names[at : at + 2] for at in range(0, len(self.names), 2) if at // 2 not in removed)
        return "".join(f"{name}\0" for pair in pairs for name in pair).encode("utf-16-le", "surrogatepass") + b"\0\0"


def read_servicing(installation: Installation, hive: Hive) -> Servicing:
    """Raises HiveError where the SYSTEM hive is damaged on the way; what SOFTWARE does not tell counts as nothing."""
    path = f"{control_set_name(installation.select.default)}\\{_MANAGER}"
    key = hive.key(path)
    runs = []
    for name in _LISTS:
        value = None if key is None else key.value(name)
        entries = () if value is None else value.multi() or ()
        runs += [f"{name}={excerpt(each)}" for each in entries if _PROGRAM in each.casefold()][:_MAX_RUNS]
    return Servicing(path, tuple(runs), _has_list(installation), _exclusive(installation))


def read_file_operations(installation: Installation, hive: Hive, control_set: int) -> FileOperations | None:
    """None where there are none, or more than any installer leaves. Raises HiveError for damage."""
    key = hive.key(f"{control_set_name(control_set)}\\{_MANAGER}")
    value = None if key is None else key.value(_RENAMES)
    names = () if value is None else tuple(islice(_names(value.data), 2 * _MAX_OPERATIONS + 1))
    if key is None or value is None or len(names) > 2 * _MAX_OPERATIONS:
        return None
    pairs = zip(names[::2], names[1::2], strict=True)
    operations = tuple(FileOperation(_place(installation, old), _new(installation, new)) for old, new in pairs)
    return FileOperations(key.path, names, operations, RegistryData(value.type, value.data))


def _names(data: bytes) -> Iterator[str]:
    """The strings, empty ones among them; the list ends at an empty one where an old name should be."""
    names = decode_utf16(data).split("\0")
    for at in range(0, len(names) - 1, 2):
        if not names[at]:
            return
        yield from names[at : at + 2]


def _new(installation: Installation, name: str) -> str | None:
    return _place(installation, name) if name else None


def _place(installation: Installation, name: str) -> str:
    """A path on the volume; ``!`` before the new name says that it may replace a file, ``*`` numbers mean a kind."""
    plain = name.lstrip("!*0123456789")
    return on_volume(plain, installation.directory, drive_letter=installation.drive_letter)


def _has_list(installation: Installation) -> bool:
    try:
        return not installation.volume.filesystem().stat(f"{installation.directory}\\{LIST}").is_directory
    except FileSystemError:
        return False


def _exclusive(installation: Installation) -> int:
    try:
        key = open_hive(installation, "SOFTWARE").key(SESSIONS)
        value = None if key is None else key.value("Exclusive")
    except (FileSystemError, HiveError):  # which is another check's matter
        return 0
    return 0 if value is None else value.dword() or 0
