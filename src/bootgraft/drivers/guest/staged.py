r"""Driver packages that this Windows has in its driver store and that no device of it needed yet.

VMware Tools and virtio-win's installer put the packages of all their controllers there, each into a directory of
``DriverStore\FileRepository``. Windows Vista and 7 keep a copy of its INF as ``inf\oemN.inf`` (Microsoft, "How Driver
Packages are Staged"); Windows 8 and later name it in the DriverDatabase by the ids that it serves.
"""

import re
from collections.abc import Collection, Container, Iterator
from functools import cached_property
from itertools import islice

from bootgraft.drivers.guest.caches import STORE_MARKS
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import CONTROLLERS, Controller, PciId
from bootgraft.windows.driver_database import has_database, packages_naming
from bootgraft.windows.installation import Installation
from bootgraft.windows.versions import VISTA

_MAX_OEM_INFS = 512
_MAX_INF = 2**20  # bytes of an INF
_MAX_PACKAGES = 4096  # directories of the store that are looked at
_MAX_STAGED = 16  # of them that may serve one controller
_HARDWARE_ID = re.compile(rb"pci\\ven_[0-9a-f]{4}&dev_[0-9a-f]{4}")
Identity = tuple[int, str]
"""The size of an INF and its digest: what the copy in the driver store has too."""


class StagedInfs:
    """Which controllers the ``oemN.inf`` files of a Windows Vista or 7 name; each file is read once for all of them."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def naming(self, pci: PciId) -> frozenset[Identity]:
        """The size and digest of each file that names the function."""
        wanted = pci.hardware_id.casefold().encode()
        return frozenset(identity for identity, ids in self._read if wanted in ids)

    @cached_property
    def _read(self) -> tuple[tuple[Identity, frozenset[bytes]], ...]:
        known = {each.pci.hardware_id.casefold().encode() for each in CONTROLLERS if each.pci}
        files = _oem_infs(self._installation.volume.filesystem(), f"{self._installation.directory}\\inf")
        named = ((_identity(data), known.intersection(_HARDWARE_ID.findall(_one_byte(data)))) for data in files)
        return tuple((identity, frozenset(ids)) for identity, ids in named if ids)


def staged_for(
    installation: Installation, hive: Hive, controller: Controller, infs: StagedInfs | None = None
) -> str | None:
    """A package in the driver store that names the controller, in words; None where there is none. Quick.

    ``infs`` are those of this Windows, where several controllers are asked for.
    """
    found = next(_packages(installation, hive, controller, infs), None)
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
    from bootgraft.drivers.archives.volume import VolumeArchive  # a check only asks whether there are packages
    from bootgraft.drivers.inf.selection import choose_package
    from bootgraft.drivers.inf.source import PackageTree
    from bootgraft.drivers.inf.target_windows import read_target_windows

    store = _store(installation)
    archive = VolumeArchive(installation.volume.filesystem(), store, root=store, folders=packages)
    tree = PackageTree(archive, f"its own {store}")
    return choose_package(tree, controller, read_target_windows(installation, hive)).package


def _packages(
    installation: Installation, hive: Hive, controller: Controller, infs: StagedInfs | None = None
) -> Iterator[str]:
    """The directories of the store, for this architecture, that may serve the controller."""
    if controller.pci is None or installation.version < VISTA:  # before, there was no store
        return
    if not has_database(hive):
        yield from _by_inf(installation, (infs or StagedInfs(installation)).naming(controller.pci))
        return
    filesystem = installation.volume.filesystem()
    for package in packages_naming(hive, controller.device_ids()):
        try:
            if filesystem.stat(f"{_store(installation)}\\{package}").is_directory:
                yield package
        except FileMissingError:
            continue


def _by_inf(installation: Installation, infs: Collection[Identity]) -> Iterator[str]:
    """Where there is no database: the directories whose INF is one of these that were staged."""
    filesystem = installation.volume.filesystem()
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


def _oem_infs(filesystem: FileSystem, folder: str) -> Iterator[bytes]:
    """The contents of the ``oemN.inf`` files."""
    names = (entry.name for entry in filesystem.listdir(folder) if entry.name.casefold().startswith("oem"))
    for name in islice((each for each in names if each.casefold().endswith(".inf")), _MAX_OEM_INFS):
        data = _read(filesystem, f"{folder}\\{name}")
        if data is not None:
            yield data


def _one_byte(data: bytes) -> bytes:
    """The text in lower case, of an INF in UTF-16 with one byte for each letter of ASCII."""
    return data.replace(b"\0", b"").lower()


def _identity(data: bytes) -> Identity:
    from hashlib import sha256  # few Windows have packages that nothing needed

    return len(data), sha256(data).hexdigest()


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
