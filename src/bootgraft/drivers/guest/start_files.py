r"""ntldr and NTDETECT.COM from where a machine keeps further copies, or from another machine, and what they start.

No version stands in ntldr that could be relied on, so the release is that of the folder: what ``TXTSETUP.SIF`` says in
[SetupData], or the version of the kernel's files there. The loader must be of the same release or a later one. Setup of
an earlier Windows puts its own in the place of a later one, which then does not start (Microsoft KB 322952, of XP and
Server 2003); a later one starts what came before, down to NT 4 (KB 306559: the latest Windows is installed last).

Where copies lie: Setup takes them from ``i386`` of its medium, which many machines keep on the disk, and service packs
leave theirs in ``ServicePackFiles\i386`` (KB 271484).
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.chain import follow
from bootgraft.drivers.archives.expand import expand
from bootgraft.errors import BootgraftError, DriverSourceError, FileSystemError, MissingDependencyError
from bootgraft.machine import Machine, Volume
from bootgraft.windows.installation import Installation, read_installation
from bootgraft.windows.pe import Architecture, NotPortableExecutableError, read_pe
from bootgraft.windows.versions import NT4, VISTA

if TYPE_CHECKING:  # few are given a medium
    from bootgraft.drivers.inf.source import PackageTree

LOADER, DETECTION = "ntldr", "NTDETECT.COM"
_MAX_SIZE = 4 << 20
"""Bytes of either file: real ones have up to 300 KiB."""
_MAX_WITNESS = 16 << 20
_FOLDERS = ("i386", "amd64")
_WITNESSES = ("ntoskrnl.exe", "ntkrnlmp.exe", "ntdll.dll")
_SETUP_DATA = re.compile(r"^\[SetupData\][^\n]*\n((?:(?!\[)[^\n]*\n?)*)", re.IGNORECASE | re.MULTILINE)
_SETTING = re.compile(r"^\s*(MajorVersion|MinorVersion|Architecture)\s*=\s*\"?(\w+)", re.IGNORECASE | re.MULTILINE)
_ARCHITECTURES = {"amd64": Architecture.X64, "i386": Architecture.X86, "ia64": Architecture.IA64}
_PACKED = (b"MSCF", b"SZDD")


class StartFiles(Struct, frozen=True):
    """Both files of one release, for an architecture; ``source`` says in words where they lie."""

    version: tuple[int, int]
    arch: Architecture
    loader: bytes
    detection: bytes
    source: str

    def starts(self, version: tuple[int, int], arch: Architecture) -> bool:
        """Whether they start a Windows of this release."""
        return NT4 <= version <= self.version < VISTA and arch is self.arch


class _Read(Protocol):
    """Reads a file of up to so many bytes, unpacked; None where there is none that can be read."""

    def __call__(self, path: str, limit: int = ..., /) -> bytes | None: ...


StartFilesSource = Callable[[], tuple[StartFiles, ...]]
"""What gives those of other machines, where they are asked for."""


def none_given() -> tuple[StartFiles, ...]:
    """The source of a machine for which no other one was given."""
    return ()


def choose(machine: Machine, windows: Installation, given: StartFilesSource) -> StartFiles | None:
    """The files that start this Windows: the machine's own, of its very release first, else what was given."""
    own = [each for each in own_files(machine, windows) if each.starts(windows.version, windows.arch)]
    if not own:
        own = [each for each in given() if each.starts(windows.version, windows.arch)]
    return min(own, key=lambda each: each.version, default=None)


def own_files(machine: Machine, windows: Installation) -> Iterator[StartFiles]:
    """The copies that a machine keeps, those of the Windows itself first."""
    within = windows.directory
    places = [(windows.volume, f"{within}\\ServicePackFiles\\{folder}") for folder in _FOLDERS]
    places += [(windows.volume, f"{within}\\{folder}") for folder in ("system32\\dllcache", *_FOLDERS)]
    volumes = (each for each in machine.volumes() if each.kind in search.OPENABLE)
    places += [(volume, f"\\{folder}") for volume in volumes for folder in _FOLDERS]
    for volume, folder in places:
        found = _in_folder(partial(_read, volume), f"{folder}\\", f"{volume.name}: {folder}")
        if found is not None:
            yield found


def of_medium(tree: "PackageTree") -> tuple[StartFiles, ...]:
    """What the medium of Windows Setup has, or a copy of its folder ``i386``."""

    def read(path: str, limit: int = _MAX_SIZE) -> bytes | None:
        place = tree.find(path)
        try:
            data = None if place is None else tree.read(place)
        except (DriverSourceError, MissingDependencyError):
            return None
        return data if data is not None and len(data) <= limit else None

    folders = {"": tree.origin, **{f"{each}\\": f"{tree.origin}: {each}" for each in _FOLDERS}}
    found = (_in_folder(read, folder, source) for folder, source in folders.items())
    return tuple(each for each in found if each is not None)


def of_machine(machine: Machine, name: str) -> tuple[StartFiles, ...]:
    """What starts another machine, which messages call ``name``; empty where ntldr does not."""
    chain = follow(machine, search_others=False)
    if chain.default is None or chain.system is None or chain.menu is None:
        return ()
    loader, detection = (_read(chain.system, f"\\{file}") for file in (LOADER, DETECTION))
    if not loader or not detection:
        return ()
    try:
        windows = read_installation(chain.default.volume, chain.default.directory, default_boot=True)
    except BootgraftError:  # of which release it is cannot be determined then
        return ()
    source = f"{chain.system.name} of {name} ({windows.product})"
    return (StartFiles(windows.version, windows.arch, loader, detection, source),)


def _in_folder(read: _Read, folder: str, source: str) -> StartFiles | None:
    loader, detection = (read(f"{folder}{file}") for file in (LOADER, DETECTION))
    if not loader or not detection:
        return None
    release = _said_by_setup(read, folder) or _said_by_files(read, folder)
    if release is None:
        return None
    version, arch = release
    return StartFiles(version, arch, loader, detection, source)


def _said_by_setup(read: _Read, folder: str) -> tuple[tuple[int, int], Architecture] | None:
    data = read(f"{folder}TXTSETUP.SIF")
    section = None if data is None else _SETUP_DATA.search(_text(data))
    said = {} if section is None else {name.casefold(): value for name, value in _SETTING.findall(section[1])}
    major, minor = said.get("majorversion", ""), said.get("minorversion", "")
    arch = _ARCHITECTURES.get(said.get("architecture", "i386").casefold())
    if not _is_number(major) or not _is_number(minor) or arch is None:
        return None
    return (int(major), int(minor)), arch


def _said_by_files(read: _Read, folder: str) -> tuple[tuple[int, int], Architecture] | None:
    for name in _WITNESSES:
        data = read(f"{folder}{name}", _MAX_WITNESS)
        try:
            pe = None if data is None else read_pe(data, name=name)
        except NotPortableExecutableError:
            continue
        if pe is not None and pe.version is not None:
            return pe.version[:2], pe.machine
    return None


def _read(volume: Volume, path: str, limit: int = _MAX_SIZE) -> bytes | None:
    """A file as it is, or unpacked (``NTDETECT.CO_``); None where there is none that can be read."""
    for each in (path, f"{path[:-1]}_"):
        try:
            data = volume.filesystem().read(each, 0, limit + 1)
            if data.startswith(_PACKED):
                data = expand(data, f"{volume.name}: {each}")
        except (FileSystemError, DriverSourceError, MissingDependencyError):  # mostly because there is none
            continue
        if len(data) <= limit:
            return data
    return None


def _text(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
    return data.decode(encoding, "replace").replace("\r", "")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3
