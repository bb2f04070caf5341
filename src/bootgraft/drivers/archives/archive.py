"""Archives that drivers come in: cabinets (MSZIP and LZX), ISO 9660 images with Joliet, ZIP and 7z, by libarchive.

Nothing is ever unpacked to a disk; a member is read into memory by its path, which is written as Windows writes paths
(``\\`` between names, none at the front) and looked up without regard to case.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from bootgraft.drivers.archives.libarchive import EntryHeader, Pass, Source, reading
from bootgraft.errors import DriverSourceError, FileMissingError

MAX_MEMBERS = 100_000
"""Files in one archive: driver.cab has 3,000, a CD of drivers 10,000."""

MAX_MEMBER_BYTES = 32 * 2**20
"""Bytes of a member that can be read; longer ones are only listed."""

_MAX_PATH = 1024  # characters
_ELSEWHERE = "Copy it again, or give another source"


class Member(Struct, frozen=True):
    """A file in an archive; ``size`` is its bytes once expanded, 0 where only reading it would tell."""

    path: str
    size: int


class Archive(Protocol):
    """An archive that is open for reading."""

    def members(self) -> tuple[Member, ...]:
        """Its files, in the order in which they lie there; of two with one path only the first."""

    def read(self, path: str, /) -> bytes:
        """The content of one file, by its path in any case.

        Raises:
            FileMissingError: there is none of that path.
            DriverSourceError: it needs a password, is damaged or too long.
        """


def open_archive(path: Path) -> Archive:
    """Open an archive among this computer's own files.

    Raises:
        DriverSourceError: it cannot be read, is no archive of a kind that is known, or a damaged or hostile one.
        MissingDependencyError: libarchive is not installed.
    """
    return _opened(_HostFile(path), str(path))


def open_archive_bytes(data: bytes | Source, name: str) -> Archive:
    """Open an archive that is in memory, or that is read piece by piece (``filesystems.base.OpenFile``).

    Raises as :func:`open_archive`; ``name`` is what errors say as where.
    """
    return _opened(_Memory(data) if isinstance(data, bytes) else data, name)


def read_each(archive: Archive, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The contents of several members, each with its path, in whatever order they lie: one pass does for all.

    Raises as :meth:`Archive.read`, at the first that cannot be read.
    """
    if isinstance(archive, _LibArchive):
        yield from archive.read_each(paths)
    else:
        yield from ((path, archive.read(path)) for path in paths)


def _opened(source: Source, name: str) -> Archive:
    archive = _LibArchive(source, name)
    archive.members()
    return archive


class _Memory(Struct, frozen=True):
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


class _HostFile(Struct, frozen=True):
    """A file that is opened for each piece: nobody has to close it."""

    path: Path

    @property
    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise self._error(error) from error

    def read(self, offset: int, length: int, /) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> DriverSourceError:
        return DriverSourceError(
            f"cannot be read ({error.strerror})", where=str(self.path), advice="Check the path and the permissions"
        )


class _LibArchive:
    """Each call is a pass of its own over the archive, up to the member that is wanted."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name
        self._members: tuple[Member, ...] | None = None
        self._content: dict[str, str] = {}  # folded path → folded path of the entry that has its content

    def members(self) -> tuple[Member, ...]:
        if self._members is None:
            self._members = self._list()
        return self._members

    def read(self, path: str, /) -> bytes:
        wanted = self._entry(path)
        with reading(self._source, self._name) as passing:
            for header in passing.headers():
                if header.is_file and header.name is not None and _fold(header.name) == wanted:
                    return self._read(header, passing, path)
        raise self._refuse(f"{path} was in it and is not any more", "Do not change it while it is read")

    def read_each(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted: dict[str, list[str]] = {}
        for path in paths:
            wanted.setdefault(self._entry(path), []).append(path)
        with reading(self._source, self._name) as passing:
            for header in passing.headers():
                if not wanted:
                    return
                if not header.is_file or header.name is None:
                    continue
                found = wanted.pop(_fold(header.name), [])
                data = self._read(header, passing, found[0]) if found else b""
                yield from ((path, data) for path in found)

    def _entry(self, path: str) -> str:
        """The folded path of the entry that has a member's content."""
        self.members()
        wanted = self._content.get(_fold(path))
        if wanted is None:
            raise FileMissingError(
                f"there is no {path}", where=self._name, advice="Check the path; case does not matter"
            )
        return wanted

    def _read(self, header: EntryHeader, passing: Pass, path: str) -> bytes:
        if header.is_encrypted:
            raise self._refuse(f"{path} in it needs a password", "Unpack it, and give the folder")
        size = header.size
        data = passing.content(MAX_MEMBER_BYTES)
        if size is not None and size != len(data):
            raise self._refuse(f"the archive is damaged: {path} has {len(data)} of {size} bytes", _ELSEWHERE)
        return data

    def _list(self) -> tuple[Member, ...]:
        found: dict[str, Member] = {}
        with reading(self._source, self._name) as passing:
            for count, header in enumerate(passing.headers()):
                if count == MAX_MEMBERS:
                    raise self._refuse(f"it has more than {MAX_MEMBERS} files", _ELSEWHERE)
                if header.name is None or not header.is_file:
                    continue
                path, link = self._path(header.name), header.link_to
                content = _fold(path if link is None else self._path(link))
                size = found[content].size if link is not None and content in found else header.size or 0
                if found.setdefault(_fold(path), Member(path, size)).path == path:
                    self._content.setdefault(_fold(path), self._content.get(content, content))
        return tuple(found.values())

    def _path(self, name: str) -> str:
        """The path of an entry; raises DriverSourceError where it would leave the place that it is unpacked to."""
        parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
        hostile = not parts or len(name) > _MAX_PATH or ".." in parts or not parts[0] or ":" in name
        if hostile or any(ord(character) < 0x20 for character in name):
            raise self._refuse(f"a file in it has the path {name[:80]!r}, which leads out of it", _ELSEWHERE)
        return "\\".join(part for part in parts if part)

    def _refuse(self, what: str, advice: str) -> DriverSourceError:
        return DriverSourceError(what, where=self._name, advice=advice)


def _fold(path: str) -> str:
    return "\\".join(part for part in path.replace("/", "\\").split("\\") if part not in ("", ".")).casefold()
