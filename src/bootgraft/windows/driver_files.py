"""A driver's file: whether it is there, what it was built for, and where the files lie that it imports from."""

from dataclasses import dataclass

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.windows.pe import Architecture, NotPortableExecutableError, PeFacts, read_architecture, read_pe

_XPRESS4K = 0  # FILE_PROVIDER_COMPRESSION_XPRESS4K

MAX_DRIVER = 32 * 2**20
"""Bytes; the largest boot drivers of any Windows are some 5 MB."""


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """One file that a driver imports from: where it lies (None where nowhere) and what it was built for."""

    name: str
    path: str | None
    architecture: Architecture | None


@dataclass(frozen=True, slots=True)
class DriverFacts:
    """A driver's file: ``path`` as it stands on the volume, or where it should be; ``fault`` says why it is no use."""

    path: str
    present: bool
    fault: str | None = None
    pe: PeFacts | None = None
    imports: tuple[ImportFacts, ...] = ()


def read_driver(filesystem: FileSystem, directory: str, path: str, *, build: str = "") -> DriverFacts:
    """The facts about the driver file at ``path`` of the Windows in ``directory``, whose build number is ``build``."""
    try:
        entry = filesystem.stat(path)
    except FileMissingError:
        return DriverFacts(path, present=False)
    path = f"{path.rpartition(chr(92))[0]}\\{entry.name}"
    if entry.is_directory or entry.size > MAX_DRIVER:
        return DriverFacts(path, present=True, fault="it is a directory" if entry.is_directory else "it is too large")
    if entry.is_wof_compressed and not _loader_reads_wof(entry.wof_algorithm, build):
        fault = "it is compressed with WOF, and the loader of this Windows cannot read that"
        return DriverFacts(path, present=True, fault=fault)
    try:
        data = filesystem.read(path)
    except FileSystemError as error:  # encrypted, kept elsewhere, damaged: the loader could not read it either
        return DriverFacts(path, present=True, fault=error.what)
    return judge_driver(data, filesystem, directory, path)


def judge_driver(data: bytes, filesystem: FileSystem, directory: str, path: str) -> DriverFacts:
    """The facts about a driver with this content, if it lay at ``path`` of the Windows in ``directory``."""
    try:
        pe = read_pe(data, name=path)
    except NotPortableExecutableError as error:
        return DriverFacts(path, present=True, fault=error.what)
    imports = tuple(_find_import(filesystem, directory, name) for name in pe.imports)
    return DriverFacts(path, present=True, pe=pe, imports=imports)


def _loader_reads_wof(algorithm: int | None, build: str) -> bool:
    """Whether winload reads a file so compressed: XPRESS4K since Windows 10, the others since version 1903.

    That is what wimlib found when it applied images (https://wimlib.net/forums/viewtopic.php?t=444).
    """
    number = int(build) if build.isdecimal() else 0
    first = {None: None, _XPRESS4K: 10240}.get(algorithm, 18362)
    return first is not None and number >= first


def _find_import(filesystem: FileSystem, directory: str, name: str) -> ImportFacts:
    for folder in (f"{directory}\\system32\\drivers", f"{directory}\\system32"):
        path = f"{folder}\\{name}"
        try:
            head = filesystem.read(path, 0, 4096)
            return ImportFacts(name, path, read_architecture(head, name=path))
        except FileMissingError:
            continue
        except (NotPortableExecutableError, FileSystemError):  # no binary, a directory, encrypted, damaged
            return ImportFacts(name, path, None)
    return ImportFacts(name, None, None)


def unsatisfied(driver: DriverFacts, architecture: Architecture) -> tuple[str, ...]:
    """What is wrong with each file that the driver imports from and that a Windows so built could not load."""
    return tuple(fault for each in driver.imports if (fault := _fault(each, architecture)))


def _fault(imported: ImportFacts, architecture: Architecture) -> str | None:
    if imported.path is None:
        return f"{imported.name}, which is neither in system32\\drivers nor in system32"
    if imported.architecture is not architecture:
        built_for = imported.architecture or "nothing that can be told"
        return f"{imported.name}; {imported.path} is built for {built_for}, this Windows is {architecture}"
    return None
