r"""Which files an INF copies, from where in its package, and to where in Windows.

Microsoft, "INF CopyFiles Directive", "INF DestinationDirs Section", "INF SourceDisksFiles Section", "INF
SourceDisksNames Section", "Using Dirids". Directory 13 is the package's own place in the driver store; a driver that
is put in offline, without the store, goes where all drivers went before.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from bootgraft.drivers.inf.install import Library, directives, number
from bootgraft.drivers.inf.models import SUFFIXES
from bootgraft.drivers.inf.text import InfFile
from bootgraft.windows.pe import Architecture

DRIVERS = "system32\\drivers"
_DIRECTORIES = {10: "", 11: "system32", 12: DRIVERS, 13: DRIVERS, 17: "inf", 50: "system"}
"""Directories by their number (dirid), relative to the Windows directory."""

_VARIABLE = re.compile(r"%(\d{1,5})%(?:\\|$)", re.ASCII)
_SYSTEM_ROOT = re.compile(r"(?:\\SystemRoot|%SystemRoot%|%windir%)\\", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/|?*%]')


class CopiedFile(Struct, frozen=True):
    """One file that an install section copies. ``target`` is relative to the Windows directory, None for elsewhere."""

    name: str  # at its destination
    source: str  # its name in the package
    target: str | None


def copied_files(inf: InfFile, section: str, library: Library) -> Iterator[CopiedFile]:
    """The files of the CopyFiles directives of a section (an install section with its suffix).

    Raises:
        DriverSourceError: the INF cannot be followed there.
    """
    for where, directive in directives(inf, section, "CopyFiles", library):
        for name in directive.fields:
            if name.startswith("@"):
                yield _copied(name[1:], name[1:], _destination(where, "DefaultDestDir"))
                continue
            folder = _destination(where, name)
            for line in where.section(name):
                target = line.key if line.key is not None else line.field(0)
                if target:
                    yield _copied(target, line.field(1) or target, folder)


def _copied(name: str, source: str, folder: str | None) -> CopiedFile:
    target = None if folder is None else inside(f"{folder}\\{name}")
    return CopiedFile(name, source, target)


def _destination(inf: InfFile, section: str) -> str | None:
    """Where the files of a list go, relative to the Windows directory; None for a place outside it."""
    for name in (section, "DefaultDestDir"):
        for line in inf.values("DestinationDirs", name):
            folder = _DIRECTORIES.get(number(inf, line, 0))
            return None if folder is None else f"{folder}\\{line.field(1)}".strip("\\")
    return "system32"


def source_paths(inf: InfFile, file: str, arch: Architecture) -> tuple[str, ...]:
    """Where a file lies in its package, relative to the INF's folder; also beside the INF, where it is not as it says.

    Raises:
        DriverSourceError: the INF cannot be followed there.
    """
    suffix = SUFFIXES.get(arch, "x86")
    paths = []
    for section in (f"SourceDisksFiles.{suffix}", "SourceDisksFiles"):
        line = next(inf.values(section, file), None)
        if line is not None:
            disk = _disk_path(inf, line.field(0), suffix)
            paths.append("\\".join(part for part in (disk, line.field(1).strip("\\"), file) if part))
            break
    return tuple(dict.fromkeys((*paths, file)))


def _disk_path(inf: InfFile, disk: str, suffix: str) -> str:
    for section in (f"SourceDisksNames.{suffix}", "SourceDisksNames"):
        line = next(inf.values(section, disk), None)
        if line is not None:
            return line.field(3).strip("\\")
    return ""


def service_binary(path: str) -> str | None:
    r"""A ServiceBinary (``%12%\x.sys``) relative to the Windows directory; None where it leads out of that."""
    path = path.replace("/", "\\")
    variable = _VARIABLE.match(path)
    if variable is not None:
        folder = _DIRECTORIES.get(int(variable[1]))
        return None if folder is None else inside(f"{folder}\\{path[variable.end() :]}")
    return inside(_SYSTEM_ROOT.sub("", path, count=1) if _SYSTEM_ROOT.match(path) else path)


def inside(path: str) -> str | None:
    """A path below the Windows directory, without repeated separators; None where it would leave it."""
    parts = [part for part in path.split("\\") if part]
    if not parts or path.startswith("\\\\") or any(part in (".", "..") or _NOT_IN_NAMES.search(part) for part in parts):
        return None
    return "\\".join(parts)
