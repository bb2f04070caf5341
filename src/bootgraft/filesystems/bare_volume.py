"""Files by themselves as a volume: a registry hive that lies in a folder of ours, and the logs beside it."""

from collections.abc import Mapping

from msgspec import Struct

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import Entry, FileSystemKind, VolumeState, parts
from bootgraft.storage.devices.blockdevice import BlockDevice


class BareFile(Struct):
    """One file: the device that holds its bytes, of which there may be more, and its size in bytes."""

    device: BlockDevice
    size: int
    writable: bool = False


class BareVolume:
    """A FileSystem of one directory; a file grows as far as its device reaches."""

    def __init__(self, files: Mapping[str, BareFile]) -> None:
        self._files = dict(files)

    @property
    def kind(self) -> FileSystemKind:
        """FAT32: a file system that keeps no log."""
        return FileSystemKind.FAT32

    @property
    def label(self) -> str:
        """None."""
        return ""

    @property
    def state(self) -> VolumeState:
        """Always clean."""
        return VolumeState.CLEAN

    @property
    def obstacles(self) -> tuple[VolumeState, ...]:
        """None."""
        return ()

    def listdir(self, path: str, /) -> tuple[Entry, ...]:
        """All files."""
        return tuple(self.stat(name) for name in self._files) if not list(parts(path)) else ()

    def stat(self, path: str, /) -> Entry:
        """The entry of a file, or of the directory itself."""
        if not list(parts(path)):
            return Entry("", is_directory=True, size=0, attributes=0x10)
        name = self._name(path)
        return Entry(name, is_directory=False, size=self._files[name].size, attributes=0)

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        """Up to ``length`` bytes."""
        file = self._files[self._name(path)]
        rest = max(0, file.size - offset)
        return file.device.read(offset, rest if length is None else min(length, rest))

    def write(self, path: str, offset: int, data: bytes, /) -> None:
        """Replace bytes, growing the file."""
        file = self._writable(path)
        if offset + len(data) > file.device.size:
            raise FileSystemError(
                f"it would grow beyond {file.device.size} bytes", where=path, advice="Make smaller changes"
            )
        file.device.write(offset, data)
        file.size = max(file.size, offset + len(data))

    def truncate(self, path: str, size: int, /) -> None:
        """Set the size."""
        self._writable(path).size = size

    def store_plainly(self, path: str, data: bytes, /) -> None:
        """Replace the content: a file that is its own device is never compressed."""
        self.truncate(path, len(data))
        self.write(path, 0, data)

    def create(self, path: str, _data: bytes, /) -> None:
        """Refuse: only the files that were given are here."""
        raise FileSystemError("no file can be created here", where=path, advice="Give the image of a whole disk")

    def create_directory(self, path: str, /) -> None:
        """Refuse: there is one directory."""
        raise FileSystemError("no directory can be created here", where=path, advice="Give the image of a whole disk")

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        """The file is its own device."""
        return ((0, self.stat(path).size),)

    def close(self) -> None:
        """Do nothing: the devices belong to whoever opened them."""

    def _name(self, path: str) -> str:
        wanted = "\\".join(parts(path)).casefold()
        for name in self._files:
            if name.casefold() == wanted:
                return name
        raise FileMissingError("there is no such file", where=path, advice="Check the path")

    def _writable(self, path: str) -> BareFile:
        file = self._files[self._name(path)]
        if not file.writable:
            raise FileSystemError("the file is open for reading only", where=path, advice="This is a bug")
        return file
