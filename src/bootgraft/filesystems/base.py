"""The file system: the one shape that NTFS and FAT share.

Paths are Windows': ``\\``-separated, absolute from the root of the volume (``\\WINDOWS\\system32``; ``\\`` is the
root), and looked up without regard to case, as Windows does it.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class FileSystemKind(StrEnum):
    """File systems as ``inspect`` names them; only NTFS and FAT can be opened."""

    NTFS = "ntfs"
    FAT12 = "fat12"
    FAT16 = "fat16"
    FAT32 = "fat32"
    EXFAT = "exfat"
    REFS = "refs"
    BITLOCKER = "bitlocker"


class VolumeState(StrEnum):
    """Whether a volume may be written. Anything but CLEAN is opened read-only."""

    CLEAN = "clean"
    UNCLEAN = "unclean"  # $LogFile or FAT dirty flag: chkdsk or a replay is due
    HIBERNATED = "hibernated"  # a session is saved in hiberfil.sys
    LOG_VERSION_2 = "log-version-2"  # $LogFile 2.0: Windows 8+ fast start-up


class Entry(Struct, frozen=True):
    """One file or directory, under the name it has on disk (its own case). Sizes are bytes."""

    name: str
    is_directory: bool
    size: int
    attributes: int  # FILE_ATTRIBUTE_* bits
    reparse_tag: int = 0  # IO_REPARSE_TAG_*, 0 where there is none
    wof_algorithm: int | None = None  # FILE_PROVIDER_COMPRESSION_*; only by ``stat``
    is_ntfs_compressed: bool = False  # its DATA attribute, whatever its attribute bits say; only by ``stat``

    @property
    def is_encrypted(self) -> bool:
        """Whether EFS encrypted it (FILE_ATTRIBUTE_ENCRYPTED, 0x4000): its content cannot be read."""
        return bool(self.attributes & 0x4000)

    @property
    def is_wof_compressed(self) -> bool:
        """Whether its content lies in a WOF stream (IO_REPARSE_TAG_WOF) or WIM file: it is a hole to NTFS drivers."""
        return self.reparse_tag == 0x80000017

    @property
    def is_stored_plainly(self) -> bool:
        """Whether its content lies on the volume as it is, where boot code finds it; of an entry by ``stat``."""
        return not (self.is_ntfs_compressed or self.reparse_tag or self.is_encrypted)


class FileSystem(Protocol):
    """A mounted volume.

    Every method raises FileMissingError for a path that is not there and FileSystemError for a damaged structure.
    """

    @property
    def kind(self) -> FileSystemKind:
        """Which file system it is."""

    @property
    def label(self) -> str:
        """The volume label, empty where there is none."""

    @property
    def state(self) -> VolumeState:
        """Whether it may be written: the first of :attr:`obstacles`."""

    @property
    def obstacles(self) -> tuple[VolumeState, ...]:
        """All that forbids writing to it, the gravest first; empty where it is clean."""

    def listdir(self, path: str, /) -> tuple[Entry, ...]:
        """All entries of a directory but ``.`` and ``..``, in on-disk order."""

    def stat(self, path: str, /) -> Entry:
        """Return the entry at ``path``, looked up without regard to case."""

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        """Return up to ``length`` bytes (to the end where None) from ``offset``.

        Raises FileSystemError for a file whose content cannot be reached, as an encrypted one, and says why.
        """

    def write(self, path: str, offset: int, data: bytes, /) -> None:
        """Replace bytes of an existing file in place, growing it where they reach past its end.

        Raises UnsafeVolumeError where the volume is not CLEAN or was opened read-only.
        """

    def truncate(self, path: str, size: int, /) -> None:
        """Set the size of an existing file to ``size`` bytes."""

    def create(self, path: str, data: bytes, /) -> None:
        """Create a file in an existing directory with this content.

        It inherits what a sibling of the same kind has (on NTFS: the security id). Raises FileSystemError where an
        entry of that name, in any case, is there already.
        """

    def create_directory(self, path: str, /) -> None:
        """Create an empty directory in an existing one. Inherits and raises as :meth:`create`."""

    def store_plainly(self, path: str, data: bytes, /) -> None:
        """Replace the whole content of an existing file, so that it lies on the volume as it is.

        What NTFS or WOF compressed is no longer compressed then; name, place and security stay. Raises as
        :meth:`write`, and where the content is kept elsewhere or encrypted.
        """

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        """Where a file's content lies: (offset, length) pairs in bytes from the start of the volume.

        A file whose content lies inside its metadata (resident on NTFS) gives the place of that metadata record.
        """

    def close(self) -> None:
        """Unmount. Raises FileSystemError where the volume cannot be left consistent."""


def split(path: str) -> tuple[str, str]:
    """Split ``\\a\\b\\c`` into directory ``\\a\\b`` and name ``c``."""
    directory, _, name = path.rpartition("\\")
    return directory or "\\", name


def parts(path: str) -> Iterator[str]:
    """The names in a path, from the root on."""
    return (part for part in path.split("\\") if part)


class OpenFile(Struct, frozen=True):
    """One file as random-access bytes: what a hive is read from and written to."""

    filesystem: FileSystem
    path: str

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return self.filesystem.stat(self.path).size

    def read(self, offset: int, length: int, /) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        return self.filesystem.read(self.path, offset, length)

    def write(self, offset: int, data: bytes, /) -> None:
        """Replace bytes, growing the file where they reach past its end."""
        self.filesystem.write(self.path, offset, data)
