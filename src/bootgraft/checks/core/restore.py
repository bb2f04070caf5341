"""A file of Windows' own that is missing, taken from where this very Windows keeps another copy.

Only one for the right architecture and of the same build as the kernel counts: files of different builds do not fit
together. What lies on the volume by itself and what lies in Windows' own cabinets is looked at, the newest is taken.
"""

import time
from collections.abc import Callable, Iterator
from itertools import chain

from bootgraft.changes import WriteFile, content_digest
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError, MissingDependencyError
from bootgraft.windows.pe import MAX_SIZE, NotPortableExecutableError, PeFacts, read_pe
from bootgraft.windows.roots import is_plain

_CPU_SECONDS = 20.0
_KERNEL = "system32\\ntoskrnl.exe"
_CHOSEN_BY_SETUP = ("ntoskrnl.exe", "hal.dll")
"""Of several kinds, up to Windows 7 on x86: which of them this machine needs, their names in caches do not tell."""


def restored(core: CoreFacts, path: str, *, is_binary: bool = True, more: tuple[str, ...] = ()) -> WriteFile | None:
    """What puts the file at ``path`` (from the volume's root) back; None where no copy is known to fit.

    ``more`` are further places of such a file. Raises HiveError and FileSystemError for damage on the way.
    """
    name = path.rpartition("\\")[2]
    if not _can_be_written(core, path):
        return None
    kernel = _version(core, _KERNEL)
    if name.casefold() in _CHOSEN_BY_SETUP or (is_binary and kernel is None):
        return None
    best: tuple[tuple[int, ...], bytes, str] | None = None
    for data, origin in _copies(core, name, path, more):
        rank = _rank(core, data, origin, kernel) if is_binary else (len(data) and 1,)
        if rank is not None and any(rank) and (best is None or rank > best[0]):
            best = rank, data, origin
    if best is None:
        return None
    volume = core.installation.volume
    return WriteFile(volume.file(path), best[1], _present(core, path), f"its own {best[2]}")


def renamed(core: CoreFacts, path: str, name: str, rank: Callable[[bytes], tuple[int, ...] | None]) -> WriteFile | None:
    """What puts the copy called ``name`` that ranks highest in the place of ``path``; None where none has a rank.

    Raises HiveError and FileSystemError for damage on the way.
    """
    if not _can_be_written(core, path):
        return None
    ranked = ((rank(data), data, origin) for data, origin in _copies(core, name, path, ()))
    best = max((each for each in ranked if each[0] is not None), default=None, key=lambda each: each[0] or ())
    if best is None:
        return None
    volume = core.installation.volume
    return WriteFile(volume.file(path), best[1], _present(core, path), f"its own {best[2]}")


def _rank(core: CoreFacts, data: bytes, origin: str, kernel: tuple[int, ...] | None) -> tuple[int, ...] | None:
    pe = _parsed(data, origin)
    if pe is None or pe.machine is not core.arch or pe.version is None or kernel is None:
        return None
    return pe.version if pe.version[:3] == kernel[:3] else None


def _copies(core: CoreFacts, name: str, path: str, more: tuple[str, ...]) -> Iterator[tuple[bytes, str]]:
    from bootgraft.drivers.guest.caches import CachedFile, CachedFileKind, Caches  # few machines lack a file

    installation, deadline = core.installation, time.process_time() + _CPU_SECONDS
    volume = installation.volume
    caches = Caches(volume.filesystem(), volume.name, installation.directory, core.version, core.arch)
    known = (CachedFile(CachedFileKind.FILE, each, name) for each in more)
    places = chain(known, caches.files(name), caches.side_by_side(name), caches.cabinets(name))
    for place in places:
        if time.process_time() > deadline:
            return
        if place.path.casefold() == path.casefold():
            continue
        try:
            yield caches.read(place), str(place)
        except (FileSystemError, DriverSourceError, MissingDependencyError):  # not in this cabinet, or out of reach
            continue


def _version(core: CoreFacts, path: str) -> tuple[int, ...] | None:
    filesystem = core.installation.volume.filesystem()
    try:
        data = filesystem.read(f"{core.installation.directory}\\{path}", 0, MAX_SIZE)
    except FileSystemError:
        return None
    pe = _parsed(data, path)
    return None if pe is None else pe.version


def _parsed(data: bytes, name: str) -> PeFacts | None:
    try:
        return read_pe(data, name=name)
    except NotPortableExecutableError:
        return None


def _can_be_written(core: CoreFacts, path: str) -> bool:
    """Whether there is nothing in its place, or an ordinary file in one of Windows' own folders."""
    if not path.casefold().startswith(f"{core.installation.directory}\\".casefold()):
        return False
    if not is_plain(path.removeprefix("\\")):
        return False
    try:
        entry = core.installation.volume.filesystem().stat(path)
    except FileMissingError:
        return True
    except FileSystemError:
        return False
    return not (entry.is_directory or entry.is_encrypted or entry.reparse_tag)


def _present(core: CoreFacts, path: str) -> str | None:
    try:
        return content_digest(core.installation.volume.filesystem().read(path))
    except FileMissingError:
        return None
