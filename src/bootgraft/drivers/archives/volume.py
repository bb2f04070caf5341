r"""A volume as a source of drivers: a floppy image, as "F6 disks" with drivers for Windows Setup are."""

from collections.abc import Iterable, Iterator

from bootgraft.drivers.archives.archive import MAX_MEMBER_BYTES, MAX_MEMBERS, Member
from bootgraft.errors import DriverSourceError
from bootgraft.filesystems.base import FileSystem

_MAX_DEPTH = 32
_MAX_FOLDERS = 100_000  # a damaged volume may have folders that hold themselves


class VolumeArchive:
    """Every file of a mounted volume; ``name`` is what errors say as where.

    With ``root`` only what is below that directory, there by its path from it; with ``folders`` only those of it.
    """

    def __init__(self, filesystem: FileSystem, name: str, *, root: str = "", folders: Iterable[str] = ("",)) -> None:
        self._filesystem = filesystem
        self._name = name
        self._root = root
        self._folders = tuple(folders)
        self._members: list[Member] = []
        for member in self._walk():
            if len(self._members) == MAX_MEMBERS:
                raise DriverSourceError(
                    f"it has more than {MAX_MEMBERS} files", where=name, advice="Give the driver's own folder"
                )
            self._members.append(member)

    def members(self) -> tuple[Member, ...]:
        """Its files, folder by folder."""
        return tuple(self._members)

    def read(self, path: str, /) -> bytes:
        """The content of one file, by its path in any case.

        Raises:
            FileSystemError: it is not there (FileMissingError), or the volume is damaged.
            DriverSourceError: it is too long.
        """
        data = self._filesystem.read(f"{self._root}\\{path}", 0, MAX_MEMBER_BYTES + 1)
        if len(data) > MAX_MEMBER_BYTES:
            raise DriverSourceError(
                f"{path} has more than {MAX_MEMBER_BYTES >> 20} MiB", where=self._name, advice="No driver is that long"
            )
        return data

    def _walk(self) -> Iterator[Member]:
        pending = [(f"\\{folder}" if folder else "", 0) for folder in self._folders]
        for _ in range(_MAX_FOLDERS):
            if not pending:
                return
            folder, depth = pending.pop()
            for entry in self._filesystem.listdir(f"{self._root}{folder}" or "\\"):
                path = f"{folder}\\{entry.name}"
                if not entry.is_directory:
                    yield Member(path[1:], entry.size)
                elif depth < _MAX_DEPTH and len(pending) < _MAX_FOLDERS:
                    pending.append((path, depth + 1))
        raise DriverSourceError(
            f"it has more than {_MAX_FOLDERS} folders", where=self._name, advice="Give the driver's own folder"
        )
