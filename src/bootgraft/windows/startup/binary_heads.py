"""The first bytes of a binary that a start needs: whether it is there and was built for this Windows.

A start needs dozens of files, so no more than the header of each is read.
"""

from msgspec import Struct

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.windows.driver_files import loader_reads_wof
from bootgraft.windows.pe import Architecture, NotPortableExecutableError, read_architecture

_HEADER = 4096


class BinaryHead(Struct, frozen=True):
    """One file: ``path`` as it stands on the volume, or where it should be; ``fault`` says why it is no use."""

    path: str
    present: bool
    arch: Architecture | None = None
    fault: str | None = None

    def fault_for(self, arch: Architecture) -> str | None:
        """What keeps a Windows of this architecture from loading it, as a sentence about it; None where nothing."""
        if not self.present:
            return "it is missing"
        if self.fault is not None:
            return self.fault
        if self.arch is not arch and Architecture.UNKNOWN not in (arch, self.arch):
            return f"it is built for {self.arch}; this Windows is {arch}"
        return None


def read_head(filesystem: FileSystem, path: str, *, build: str = "") -> BinaryHead:
    """Look at the binary at ``path``, which the loader of the Windows with this build number would load."""
    try:
        entry = filesystem.stat(path)
    except FileMissingError:
        return BinaryHead(path, present=False)
    except FileSystemError as error:  # a name that no volume can have, or damage on the way
        return BinaryHead(path, present=True, fault=error.what)
    path = f"{path.rpartition(chr(92))[0]}\\{entry.name}"
    if entry.is_directory:
        return BinaryHead(path, present=True, fault="it is a directory")
    if entry.is_wof_compressed and not loader_reads_wof(entry.wof_algorithm, build):
        return BinaryHead(path, present=True, fault="it is compressed with WOF, which the loader cannot read")
    try:
        return BinaryHead(path, present=True, arch=read_architecture(filesystem.read(path, 0, _HEADER), name=path))
    except (FileSystemError, NotPortableExecutableError) as error:
        return BinaryHead(path, present=True, fault=error.what)
