"""Files in memory as a source of drivers: the same shape as an archive."""

from collections.abc import Iterable

from bootgraft.drivers.archives.archive import Member
from bootgraft.errors import FileMissingError


class MemoryArchive:
    """Some files by their paths; ``name`` is what errors say as where."""

    def __init__(self, files: Iterable[tuple[str, bytes]], name: str) -> None:
        self._files = {path.casefold(): (path, data) for path, data in files}
        self._name = name

    def members(self) -> tuple[Member, ...]:
        """The files, in the order in which they were given."""
        return tuple(Member(path, len(data)) for path, data in self._files.values())

    def read(self, path: str, /) -> bytes:
        """The content of one file, by its path in any case. Raises FileMissingError where there is none."""
        if path.casefold() not in self._files:
            raise FileMissingError(f"there is no {path}", where=self._name, advice="Check the path")
        return self._files[path.casefold()][1]
