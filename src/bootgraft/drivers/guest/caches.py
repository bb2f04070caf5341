r"""Where a Windows keeps drivers that it does not use, and how a driver file is read from there.

Windows 2000 to 2003: ``system32\dllcache``, ``ServicePackFiles``, ``system32\ReinstallBackups`` and the cabinets of
``Driver Cache``, of which ``inf\drvindex.inf`` says what they hold (Microsoft KB 250435 and KB 222471). Later ones have
every driver in ``DriverStore\FileRepository``, and all that they are made of in ``WinSxS``.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem, OpenFile
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import VISTA

MAX_DRIVER = 8 * 2**20
"""Bytes of a driver file; those that Windows brings have less than one MiB."""

_FOLDERS = {Architecture.X86: "i386", Architecture.X64: "amd64", Architecture.IA64: "ia64"}
STORE_MARKS = {Architecture.X86: "_x86_", Architecture.X64: "_amd64_", Architecture.ARM64: "_arm64_"}
_MAX_FOLDERS = 8192  # packages in a driver store, backups of drivers
_MAX_COMPONENTS = 65536  # a Windows 10 has some 15,000
_MAX_CABINETS = 16
_MAX_INDEX = 4 * 2**20  # bytes of drvindex.inf, which has some 100 KiB
_SERVICE_PACK = re.compile(r"sp(\d{1,3})\.cab", re.IGNORECASE | re.ASCII)


class CachedFileKind(StrEnum):
    """How a file lies in its place."""

    FILE = "file"
    PACKED = "packed"  # symmpi.sy_
    CABINET = "cabinet"  # a member of it


class CachedFile(Struct, frozen=True):
    """One place that has the driver file ``name``; ``path`` is that of the file or the cabinet on the volume."""

    kind: CachedFileKind
    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path} ({self.name})" if self.kind is CachedFileKind.CABINET else self.path


class Caches(Struct, frozen=True):
    """Where one Windows may keep drivers."""

    filesystem: FileSystem
    volume: str  # what errors call it
    directory: str
    version: tuple[int, int]
    arch: Architecture

    def files(self, name: str) -> Iterator[CachedFile]:
        """The files of that name that lie there by themselves, as they are or packed; ``system32\\drivers`` first."""
        yield from self._at(f"{self.directory}\\system32\\drivers\\{name}")
        if self.version >= VISTA:
            yield from self._in_store(name)
            return
        yield from self._at(f"{self.directory}\\system32\\dllcache\\{name}")
        service_pack = f"{self.directory}\\ServicePackFiles\\{self._folder}"
        yield from self._at(f"{service_pack}\\{name}")
        yield from self._at(f"{service_pack}\\{name[:-1]}_", name)
        backups = f"{self.directory}\\system32\\ReinstallBackups"
        for backup in self._listed(backups, directories=True):
            yield from self._at(f"{backups}\\{backup}\\DriverFiles\\{name}")

    def side_by_side(self, name: str) -> Iterator[CachedFile]:
        r"""The files of that name in ``WinSxS``, where Vista and later keep each component that they are made of.

        Those in folders ``f`` and ``r`` of newer ones are differences, no files, and are not among them.
        """
        if self.version < VISTA:
            return
        store = f"{self.directory}\\WinSxS"
        mark = STORE_MARKS.get(self.arch, "_x86_")[1:]
        for component in self._listed(store, directories=True, most=_MAX_COMPONENTS):
            if component.casefold().startswith(mark):
                yield from self._at(f"{store}\\{component}\\{name}")

    def indexed(self, name: str) -> tuple[CachedFile, ...]:
        """The cabinets that have the file as ``drvindex.inf`` says, the newest first."""
        by_name = {place.path.rpartition("\\")[2].casefold(): place for place in self.cabinets(name)}
        return tuple(by_name[each] for each in by_name if each in self._index(name)) if by_name else ()

    def cabinets(self, name: str) -> tuple[CachedFile, ...]:
        """Every cabinet that might have the file, the newest first."""
        if self.version >= VISTA:
            return ()
        folder = f"{self.directory}\\Driver Cache\\{self._folder}"
        found = [each for each in self._listed(folder, directories=False) if each.casefold().endswith(".cab")]
        newest_first = sorted(found, key=_age)[:_MAX_CABINETS]
        return tuple(CachedFile(CachedFileKind.CABINET, f"{folder}\\{each}", name) for each in newest_first)

    def read(self, place: CachedFile) -> bytes:
        """The driver file in a place.

        Raises:
            FileMissingError: the cabinet does not have it.
            FileSystemError: the volume cannot be read there.
            DriverSourceError: the cabinet or the packed file is damaged, or the driver is too long.
            MissingDependencyError: it is a cabinet, and libarchive is not installed.
        """
        where = f"{self.volume}: {place.path}"
        if place.kind is CachedFileKind.CABINET:
            from bootgraft.drivers.archives.archive import open_archive_bytes

            data = open_archive_bytes(OpenFile(self.filesystem, place.path), where).read(place.name)
        else:
            data = self.filesystem.read(place.path, 0, MAX_DRIVER + 1)
            if place.kind is CachedFileKind.PACKED:
                from bootgraft.drivers.archives.expand import expand

                data = expand(data, where)
        if len(data) > MAX_DRIVER:
            raise DriverSourceError("it is too large", where=where, advice="Give another source for the driver")
        return data

    @property
    def _folder(self) -> str:
        return _FOLDERS.get(self.arch, "i386")

    def _in_store(self, name: str) -> Iterator[CachedFile]:
        store = f"{self.directory}\\System32\\DriverStore\\FileRepository"
        mark = STORE_MARKS.get(self.arch, "_x86_")
        for package in self._listed(store, directories=True):
            if mark in package.casefold():
                yield from self._at(f"{store}\\{package}\\{name}")

    def _at(self, path: str, packed: str | None = None) -> Iterator[CachedFile]:
        """The place at a path, if there is a file; ``packed`` is the name of the driver that is packed there.

        Where damage hides whether there is one it is a place too: reading it says what is wrong.
        """
        folder, _, name = path.rpartition("\\")
        try:
            entry = self.filesystem.stat(path)
        except FileMissingError:
            return
        except FileSystemError:
            entry = None
        if entry is None or not entry.is_directory:
            kind = CachedFileKind.FILE if packed is None else CachedFileKind.PACKED
            own_case = name if entry is None else entry.name
            yield CachedFile(kind, f"{folder}\\{own_case}", packed or own_case)

    def _listed(self, path: str, *, directories: bool, most: int = _MAX_FOLDERS) -> list[str]:
        """The names of the directories, or else of the files, in a directory that may not be there."""
        try:
            entries = self.filesystem.listdir(path)
        except FileSystemError:
            return []
        return [each.name for each in entries if each.is_directory is directories][:most]

    def _index(self, name: str) -> frozenset[str]:
        """The names in lower case of the cabinets that drvindex.inf gives the file to."""
        path = f"{self.directory}\\inf\\drvindex.inf"
        try:
            if self.filesystem.stat(path).size > _MAX_INDEX:
                return frozenset()
            return frozenset(cabinets_with(self.filesystem.read(path), name))
        except FileSystemError:
            return frozenset()


def cabinets_with(index: bytes, name: str) -> Iterator[str]:
    """The names, in lower case, of the cabinets that a drvindex.inf with this content gives the file ``name`` to.

    Its section ``[Cabs]`` has lines ``label=cabinet``, and there is a section of each label with the files' names.
    """
    encoding = "utf-16" if index.startswith((b"\xff\xfe", b"\xfe\xff")) else "cp1252"
    wanted, section = name.casefold(), ""
    having: set[str] = set()
    cabinets: dict[str, str] = {}
    for line in index.decode(encoding, "replace").splitlines():
        text = line.partition(";")[0].strip().casefold()
        if text.startswith("["):
            section = text.strip("[] ")
        elif section == "cabs":
            label, _, cabinet = text.partition("=")
            cabinets[label.strip()] = cabinet.strip(' "')
        elif text == wanted:
            having.add(section)
    return (cabinet for label, cabinet in cabinets.items() if label in having)


def _age(cabinet: str) -> tuple[int, str]:
    """Sorts the cabinets of later service packs before those of earlier ones, and driver.cab last."""
    service_pack = _SERVICE_PACK.fullmatch(cabinet)
    if service_pack is not None:
        return -int(service_pack[1]), ""
    return int(cabinet.casefold() == "driver.cab"), cabinet.casefold()
