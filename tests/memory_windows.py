"""Installations of Windows in memory: real hives and binaries in a volume that is a dictionary."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import parts, split
from bootgraft.machine import Machine
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import Installation, open_hive, read_installation
from tests.fakes import FakeFileSystem, FakePartition, machine_of
from tests.machines.build import content
from tests.machines.spec import Architecture, File
from tests.machines.windows_files import DriverFile, symmpi_file, windows_files
from tests.machines.windows_hives import (
    SERVER_2003,
    ControlSet,
    Release,
    Select,
    SystemFacts,
    software_hive,
    system_hive,
)

LOG_FILE = "\\$LogFile"


class MemoryFileSystem(FakeFileSystem):
    """A volume that can be written."""

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        if self.stat(path).is_directory:
            raise FileSystemError("it is a directory", where=path, advice="Look elsewhere")
        return super().read(path, offset, length)

    def write(self, path: str, offset: int, data: bytes, /) -> None:
        name = self._name(path)
        old = self.files[name].ljust(offset, b"\0")
        self.files[name] = old[:offset] + data + old[offset + len(data) :]

    def truncate(self, path: str, size: int, /) -> None:
        name = self._name(path)
        self.files[name] = self.files[name][:size].ljust(size, b"\0")

    def store_plainly(self, path: str, data: bytes, /) -> None:
        name = self._name(path)
        self.files[name] = data
        self.attributes[name] = self.attributes.get(name, 0) & ~0x800

    def create(self, path: str, data: bytes, /) -> None:
        if not self.stat(split(path)[0]).is_directory:
            raise FileSystemError("no directory", where=path, advice="Look elsewhere")
        if any(self._key(each) == self._key(path) for each in self.files):
            raise FileSystemError("it is there already", where=path, advice="Look elsewhere")
        self.files[path] = data

    def create_directory(self, path: str, /) -> None:
        if not self.stat(split(path)[0]).is_directory:
            raise FileSystemError("no directory", where=path, advice="Look elsewhere")
        if path.casefold() in {entry.name.casefold() for entry in self.listdir(split(path)[0])}:
            raise FileSystemError("it is there already", where=path, advice="Look elsewhere")
        self.directories.append(path)

    def extents(self, path: str, /) -> tuple[tuple[int, int], ...]:
        """Every file in two pieces, at places of its own."""
        name = self._name(path)
        place = (list(self.files).index(name) + 1) << 24
        size = len(self.files[name])
        first = min(size, 4096)
        return ((place, first), (place + (1 << 23), size - first)) if size > first else ((place, first),)

    def find(self, path: str) -> bytes:
        """A file's content."""
        return self.files[self._name(path)]

    def _name(self, path: str) -> str:
        self.stat(path)
        return next(each for each in self.files if self._key(each) == self._key(path))


class MemoryWindows(Struct, frozen=True):
    """One Windows on the first partition of a machine in memory."""

    machine: Machine
    filesystem: MemoryFileSystem
    installation: Installation
    hive: Hive

    def reread(self) -> "MemoryWindows":
        """The same after its files were changed: hives opened anew."""
        return windows_on(self.filesystem, self.installation.directory)


def memory_windows(
    cache: Path,
    *control_sets: ControlSet,
    directory: str = "WINDOWS",
    release: Release = SERVER_2003,
    arch: Architecture = Architecture.X86,
    select: Select | None = None,
    driver: DriverFile = DriverFile.ABSENT,
    extra: Sequence[File] = (),
    **attributes: Any,
) -> MemoryWindows:
    """A Windows with these control sets (1 and 2, both without any trace of symmpi, where none are given)."""
    facts = SystemFacts(
        release, arch, "SERVER1", control_sets or (ControlSet(1), ControlSet(2)), select or Select(), ()
    )
    files = (
        *windows_files(
            directory, release, arch, system=system_hive(facts), software=software_hive(release, rf"D:\{directory}")
        ),
        *symmpi_file(driver, directory, release, arch),
        *extra,
    )
    contents = {file.path: content(file, cache) for file in files} | {LOG_FILE: bytes(65536)}
    return windows_on(MemoryFileSystem(contents, **attributes), f"\\{directory}")


def windows_on(filesystem: MemoryFileSystem, directory: str) -> MemoryWindows:
    """The Windows in a directory of a volume in memory."""
    machine = machine_of([FakePartition(filesystem, active=True)])
    (volume,) = machine.volumes()
    installation = read_installation(volume, directory, default_boot=True)
    return MemoryWindows(machine, filesystem, installation, open_hive(installation, "SYSTEM"))


def relative(path: str) -> str:
    """A path without its first name."""
    return "\\".join(list(parts(path))[1:])
