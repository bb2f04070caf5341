r"""A folder of this computer as a source of drivers: the same shape as an archive, read where it lies.

Links are followed only where they lead inside the folder, and only to files: no loop, nothing from elsewhere.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bootgraft.drivers.archives.archive import MAX_MEMBER_BYTES, MAX_MEMBERS, Member
from bootgraft.errors import DriverSourceError, FileMissingError

_MAX_DEPTH = 32


class Folder:
    """Every file below a folder; ``depth`` is how many folders deep it goes."""

    def __init__(self, root: Path, depth: int = _MAX_DEPTH) -> None:
        self._root = root
        self._files: dict[str, tuple[Path, Member]] = {}
        for path, member in self._walk(depth):
            if len(self._files) == MAX_MEMBERS:
                raise DriverSourceError(
                    f"it has more than {MAX_MEMBERS} files", where=str(root), advice="Give the driver's own folder"
                )
            self._files.setdefault(member.path.casefold(), (path, member))

    def members(self) -> tuple[Member, ...]:
        """Its files by their names; of two whose names differ only in case the first."""
        return tuple(member for _, member in self._files.values())

    def read(self, path: str, /) -> bytes:
        """The content of one file, by its path in any case.

        Raises:
            FileMissingError: there is none of that path.
            DriverSourceError: it cannot be read, or is too long.
        """
        found = self._files.get(path.casefold())
        if found is None:
            raise FileMissingError(
                f"there is no {path}", where=str(self._root), advice="Check the path; case does not matter"
            )
        return _read(found[0])

    def _walk(self, depth: int) -> Iterator[tuple[Path, Member]]:
        root = self._root.resolve()
        for folder, folders, files in os.walk(root, onerror=self._unreadable):
            here = Path(folder)
            parts = here.relative_to(root).parts
            folders[:] = sorted(folders) if len(parts) < depth else []
            for name in sorted(files):
                path = here / name
                size = _size(path, root)
                if size is not None and "\\" not in "".join((*parts, name)):
                    yield path, Member("\\".join((*parts, name)), size)

    def _unreadable(self, error: OSError) -> None:
        if error.filename == str(self._root.resolve()):
            raise _unreadable(self._root, error)


def _size(path: Path, root: Path) -> int | None:
    """Bytes in a plain file; None for what is none, and for a link that leads out of the folder."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            return None
        found = path.stat()
    except (OSError, RuntimeError):  # a link to nothing, or in a circle
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MEMBER_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > MAX_MEMBER_BYTES:
        raise DriverSourceError(
            f"it has more than {MAX_MEMBER_BYTES >> 20} MiB", where=str(path), advice="No driver is that long"
        )
    return data


def _unreadable(path: Path, error: OSError) -> DriverSourceError:
    return DriverSourceError(
        f"cannot be read ({error.strerror})", where=str(path), advice="Check the path and the permissions"
    )
