"""Telling what a driver source is by its content, and opening it: a folder, one INF, or an archive.

A floppy image and a donor's disk are opened as images are; see ``volume`` and ``donor``.
"""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from bootgraft.errors import DriverSourceError, UsageError
from bootgraft.events import Monitor, silent

if TYPE_CHECKING:
    from bootgraft.drivers.inf.source import PackageTree

_ARCHIVES = (
    (0, b"PK\x03\x04"),
    (0, b"PK\x05\x06"),  # an empty ZIP
    (0, b"MSCF"),
    (0, b"7z\xbc\xaf\x27\x1c"),
    (0x8001, b"CD001"),  # ISO 9660; a hybrid ISO begins with a partition table
)
_HEAD = 0x8001 + 5
_AROUND_INF = 3  # folders below a single INF's own in which its files may lie


def is_package_source(location: str) -> bool:
    """Whether this is a folder, an INF or an archive of driver packages; else it is opened as an image."""
    path = Path(location)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return True
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            return False
        return _is_inf(path) or _is_archive(path)
    except (OSError, ValueError):  # opening it as an image says what is wrong
        return False


def refuse_exported(location: str) -> None:
    """Raise UsageError for a folder with an exported driver and no package: ``drivers harvest`` writes such ones."""
    folder = Path(location)
    try:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:  # opening it says what is wrong
        return
    exported = [each for each in files if each.suffix.casefold() == ".reg"]
    drivers = [each for each in files if each.suffix.casefold() == ".sys"]
    if len(exported) == 1 and drivers and len(files) == 1 + len(drivers):
        raise UsageError(
            "no driver package is in this folder, but a driver that was exported",
            where=location,
            advice="Give its files by --reg and --file",
            said=location,
            choices=[("--reg", str(exported[0]), *(word for each in drivers for word in ("--file", str(each))))],
        )


def open_source(location: str, *, monitor: Monitor = silent) -> "PackageTree":
    """Open a source that :func:`is_package_source` told to be one.

    Raises:
        DriverSourceError: it cannot be read, is damaged or hostile.
        MissingDependencyError: it is an archive, and libarchive is not installed.
    """
    from bootgraft.drivers.inf.source import PackageTree

    path = Path(location)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise DriverSourceError(
            f"cannot be read ({error.strerror})", where=location, advice="Check the path and the permissions"
        ) from error
    if is_folder or _is_inf(path):
        from bootgraft.drivers.archives.folder import Folder

        if is_folder:
            return PackageTree(Folder(path), location, monitor=monitor)
        return PackageTree(Folder(path.parent, _AROUND_INF), location, only=path.name, monitor=monitor)
    from bootgraft.drivers.archives.archive import open_archive

    return PackageTree(open_archive(path), location, monitor=monitor)


def _is_inf(path: Path) -> bool:
    return path.suffix.casefold() == ".inf"


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return any(head.startswith(magic, offset) for offset, magic in _ARCHIVES)
