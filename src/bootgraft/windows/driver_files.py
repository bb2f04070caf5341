"""A driver's file: whether it is there, what it was built for, and where the files lie that it imports from."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.text import printable
from bootgraft.windows.exports import ExportTables
from bootgraft.windows.pe import (
    Architecture,
    NotPortableExecutableError,
    PeFacts,
    read_architecture,
    read_pe,
)

_API_SETS = ("api-ms-win-", "ext-ms-win-", "ext-ms-")
"""Names of contracts, not of files: ApiSetSchema leads them to the kernel."""
_MAX_FILES = 16
"""Files whose imports are followed; a storage driver needs under five."""
_MAX_SHOWN = 4
_XPRESS4K = 0  # FILE_PROVIDER_COMPRESSION_XPRESS4K

MAX_DRIVER = 32 * 2**20
"""Bytes; the largest boot drivers of any Windows are some 5 MB."""


class ImportFacts(Struct, frozen=True):
    """One file that a driver imports from: where it lies (None where nowhere) and what it was built for.

    ``lacking`` is what is imported and not exported (names, and ``#ORDINAL``). ``importer`` is the file that imports
    where that is not the driver itself but one that it needs in turn.
    """

    name: str
    path: str | None
    architecture: Architecture | None
    lacking: tuple[str, ...] = ()
    importer: str = ""


class DriverFacts(Struct, frozen=True):
    """A driver's file: ``path`` as it stands on the volume, or where it should be; ``fault`` says why it is no use."""

    path: str
    present: bool
    fault: str | None = None
    pe: PeFacts | None = None
    imports: tuple[ImportFacts, ...] = ()


def read_driver(
    filesystem: FileSystem, directory: str, path: str, *, build: str = "", tables: ExportTables | None = None
) -> DriverFacts:
    """The facts about the driver file at ``path`` of the Windows in ``directory``, whose build number is ``build``.

    ``tables`` keeps the exports that several drivers are judged by.
    """
    try:
        entry = filesystem.stat(path)
    except FileMissingError:
        return DriverFacts(path, present=False)
    except FileSystemError as error:  # its record is damaged
        return DriverFacts(path, present=True, fault=error.what)
    path = f"{path.rpartition(chr(92))[0]}\\{entry.name}"
    if entry.is_directory or entry.size > MAX_DRIVER:
        return DriverFacts(path, present=True, fault="it is a directory" if entry.is_directory else "it is too large")
    if entry.is_wof_compressed and not loader_reads_wof(entry.wof_algorithm, build):
        fault = "it is compressed with WOF, and the loader of this Windows cannot read that"
        return DriverFacts(path, present=True, fault=fault)
    try:
        data = filesystem.read(path)
    except FileSystemError as error:  # encrypted, kept elsewhere, damaged: the loader could not read it either
        return DriverFacts(path, present=True, fault=error.what)
    return judge_driver(data, filesystem, directory, path, tables=tables)


def judge_driver(
    data: bytes, filesystem: FileSystem, directory: str, path: str, *, tables: ExportTables | None = None
) -> DriverFacts:
    """The facts about a driver with this content, if it lay at ``path`` of the Windows in ``directory``."""
    try:
        pe = read_pe(data, name=path)
    except NotPortableExecutableError as error:
        return DriverFacts(path, present=True, fault=error.what)
    closure = _Closure(filesystem, directory, tables or ExportTables(filesystem))
    return DriverFacts(path, present=True, pe=pe, imports=closure.imports(pe, path))


def loader_reads_wof(algorithm: int | None, build: str) -> bool:
    """Whether winload reads a file so compressed: XPRESS4K since Windows 10, the others since version 1903.

    That is what wimlib found when it applied images (https://wimlib.net/forums/viewtopic.php?t=444).
    """
    number = int(build) if build.isdecimal() else 0
    first = {None: None, _XPRESS4K: 10240}.get(algorithm, 18362)
    return first is not None and number >= first


class _Closure:
    """Follows what a driver imports, and what the drivers that it needs import in turn, up to a bound."""

    def __init__(self, filesystem: FileSystem, directory: str, tables: ExportTables) -> None:
        self._filesystem = filesystem
        self._directory = directory
        self._tables = tables

    def imports(self, pe: PeFacts, path: str) -> tuple[ImportFacts, ...]:
        """The files that the driver at ``path`` imports from, then those of its drivers that cannot be satisfied."""
        direct = tuple(self._of(pe))
        pending = list(direct)
        seen = {path.casefold()}
        further: list[ImportFacts] = []
        while pending and len(seen) < _MAX_FILES:
            each = pending.pop(0)
            if each.path is None or each.architecture is not pe.machine or each.path.casefold() in seen:
                continue
            seen.add(each.path.casefold())
            if "\\drivers\\" not in each.path.casefold():
                continue  # the kernel and its libraries are there before any driver
            found = tuple(self._needed_by(each.path))
            further += (every for every in found if _fault(every, pe.machine))
            pending += found
        return (*direct, *further)

    def _needed_by(self, path: str) -> Iterator[ImportFacts]:
        try:
            pe = read_pe(self._filesystem.read(path, 0, MAX_DRIVER), name=path)
        except (NotPortableExecutableError, FileSystemError):
            return
        for each in self._of(pe):
            yield replace(each, importer=path)

    def _of(self, pe: PeFacts) -> Iterator[ImportFacts]:
        for name, functions in zip_longest(pe.imports, pe.functions, fillvalue=()):
            if isinstance(name, str) and not name.casefold().startswith(_API_SETS):
                yield self._find(name, functions)

    def _find(self, name: str, functions: Iterable[str]) -> ImportFacts:
        for folder in (f"{self._directory}\\system32\\drivers", f"{self._directory}\\system32"):
            path = f"{folder}\\{name}"
            try:
                head = self._filesystem.read(path, 0, 4096)
                architecture = read_architecture(head, name=path)
            except FileMissingError:
                continue
            except (NotPortableExecutableError, FileSystemError):  # no binary, a directory, encrypted, damaged
                return ImportFacts(name, path, None)
            exports = self._tables.of(path)
            return ImportFacts(name, path, architecture, () if exports is None else exports.lacks(functions))
        return ImportFacts(name, None, None)


def unsatisfied(driver: DriverFacts, architecture: Architecture) -> tuple[str, ...]:
    """What is wrong with each file that the driver imports from and that a Windows so built could not load."""
    return tuple(fault for each in driver.imports if (fault := _fault(each, architecture)))


def _fault(imported: ImportFacts, architecture: Architecture) -> str | None:
    by = f" (needed by {imported.importer})" if imported.importer else ""
    if imported.path is None:
        return f"{imported.name}, which is neither in system32\\drivers nor in system32{by}"
    if imported.architecture is not architecture:
        built_for = imported.architecture or "nothing that can be determined"
        return f"{imported.name}; {imported.path} is built for {built_for}, this Windows is {architecture}{by}"
    if imported.lacking:
        shown = ", ".join(printable(each) for each in imported.lacking[:_MAX_SHOWN])
        more = f" and {len(imported.lacking) - _MAX_SHOWN} more" if len(imported.lacking) > _MAX_SHOWN else ""
        return f"{imported.name}; {imported.path} does not export {shown}{more}{by}"
    return None
