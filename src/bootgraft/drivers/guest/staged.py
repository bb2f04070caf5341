r"""Driver packages that this Windows has in its driver store and that no device of it needed yet.

VMware Tools and virtio-win's installer put the packages of all their controllers there, each into a directory of
``DriverStore\FileRepository``. Windows Vista and 7 keep a copy of its INF as ``inf\oemN.inf`` (Microsoft, "How Driver
Packages are Staged"); Windows 8 and later name it in the DriverDatabase by the ids that it serves.
"""

import hashlib
from collections.abc import Container, Iterator
from itertools import islice

from bootgraft.drivers.archives.volume import VolumeArchive
from bootgraft.drivers.guest.caches import STORE_MARKS
from bootgraft.drivers.inf.selection import choose_package
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import read_target_windows
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller, PciId
from bootgraft.windows.driver_database import has_database, packages_naming
from bootgraft.windows.installation import Installation
from bootgraft.windows.versions import VISTA

_MAX_OEM_INFS = 512
_MAX_INF = 2**20  # bytes of an INF
_MAX_PACKAGES = 4096  # directories of the store that are looked at
_MAX_STAGED = 16  # of them that may serve one controller


def staged_for(installation: Installation, hive: Hive, controller: Controller) -> str | None:
    """A package in the driver store that names the controller, in words; None where there is none. Quick."""
    found = next(_packages(installation, hive, controller), None)
    return None if found is None else f"{_store(installation)}\\{found} serves {controller.main_id}"


def read_staged(installation: Installation, hive: Hive, controller: Controller) -> DriverPackage | None:
    """The best package in the driver store for the controller; None where none of them fits.

    Raises:
        DriverSourceError: the store is damaged.
        HiveError, FileSystemError: the machine is damaged on the way.
    """
    packages = tuple(islice(_packages(installation, hive, controller), _MAX_STAGED))
    if not packages:
        return None
    store = _store(installation)
    archive = VolumeArchive(installation.volume.filesystem(), store, root=store, folders=packages)
    tree = PackageTree(archive, f"its own {store}")
    return choose_package(tree, controller, read_target_windows(installation, hive)).package


def _packages(installation: Installation, hive: Hive, controller: Controller) -> Iterator[str]:
    """The directories of the store, for this architecture, that may serve the controller."""
    if controller.pci is None or installation.version < VISTA:  # before, there was no store
        return
    if not has_database(hive):
        yield from _by_inf(installation, controller.pci)
        return
    filesystem = installation.volume.filesystem()
    for package in packages_naming(hive, controller.device_ids()):
        try:
            if filesystem.stat(f"{_store(installation)}\\{package}").is_directory:
                yield package
        except FileMissingError:
            continue


def _by_inf(installation: Installation, pci: PciId) -> Iterator[str]:
    """Where there is no database: the directories whose INF was staged and names the controller."""
    filesystem = installation.volume.filesystem()
    infs = set(_staged_infs(filesystem, f"{installation.directory}\\inf", pci.hardware_id))
    sizes = {size for size, _ in infs}
    if not infs:
        return
    store, mark = _store(installation), STORE_MARKS.get(installation.arch, "_x86_")
    for package in islice(_directories(filesystem, store), _MAX_PACKAGES):
        name, found, _ = package.partition(".inf_")
        if found and mark in package.casefold():
            data = _read(filesystem, f"{store}\\{package}\\{name}.inf", sizes)
            if data is not None and _identity(data) in infs:
                yield package


def _staged_infs(filesystem: FileSystem, folder: str, hardware_id: str) -> Iterator[tuple[int, str]]:
    """The ``oemN.inf`` files that name the id, each by its size and digest."""
    wanted = [hardware_id.encode().lower(), hardware_id.encode("utf-16-le").lower()]
    names = (entry.name for entry in filesystem.listdir(folder) if entry.name.casefold().startswith("oem"))
    for name in islice((each for each in names if each.casefold().endswith(".inf")), _MAX_OEM_INFS):
        data = _read(filesystem, f"{folder}\\{name}")
        if data is not None and any(each in data.lower() for each in wanted):
            yield _identity(data)


def _identity(data: bytes) -> tuple[int, str]:
    return len(data), hashlib.sha256(data).hexdigest()


def _read(filesystem: FileSystem, path: str, sizes: Container[int] = range(_MAX_INF)) -> bytes | None:
    """An INF's content; None where there is no such file of one of these sizes, or none that can be read."""
    try:
        return filesystem.read(path) if filesystem.stat(path).size in sizes else None
    except FileSystemError:
        return None


def _directories(filesystem: FileSystem, path: str) -> Iterator[str]:
    try:
        entries = filesystem.listdir(path)
    except FileMissingError:
        return
    yield from (entry.name for entry in entries if entry.is_directory)


def _store(installation: Installation) -> str:
    return f"{installation.directory}\\System32\\DriverStore\\FileRepository"
