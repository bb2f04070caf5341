r"""What the INFs of a Windows say of a driver that it brought along: ``inf\pnpscsi.inf`` and its like.

Windows 2000 to Server 2003 have their own INFs in ``\WINDOWS\inf``, but the driver files that belong to them in a
cabinet: both are put side by side here, as on the installation media, and read as any driver package is.
"""

from collections.abc import Iterator, Sequence

from bootgraft.drivers.archives.memory_archive import MemoryArchive
from bootgraft.drivers.inf.selection import choose_package
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import read_target_windows
from bootgraft.drivers.inf.text import MAX_SIZE
from bootgraft.drivers.package import DriverPackage, PackageFile
from bootgraft.errors import DriverSourceError, FileSystemError
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.windows.installation import Installation

_INFS = ("pnpscsi.inf", "scsi.inf", "mshdc.inf")
"""Microsoft's INFs of SCSI miniports (in Windows 2000 scsi.inf has those of NT 4's kind) and of IDE controllers."""


def by_own_inf(
    installation: Installation, hive: Hive, controller: Controller, service: str, files: Sequence[PackageFile]
) -> DriverPackage | None:
    """What an INF of this Windows makes of the controller's driver, whose files are given; None where none says it.

    Only an INF that gives the controller this very ``service`` counts.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    folder = f"{installation.directory}\\inf"
    beside = ((file.path.rpartition("\\")[2], file.data) for file in files)
    infs = _infs(installation, folder, service)
    tree = PackageTree(MemoryArchive((*infs, *beside), folder), f"{installation.volume.name}: {folder}")
    try:
        package = choose_package(tree, controller, read_target_windows(installation, hive)).package
    except DriverSourceError:  # its version could not be read, say: the driver itself may do all the same
        return None
    return package if package is not None and package.service.casefold() == service.casefold() else None


def _infs(installation: Installation, folder: str, service: str) -> Iterator[tuple[str, bytes]]:
    for name in dict.fromkeys((*_INFS, f"{service.lower()}.inf")):
        try:
            data = installation.volume.filesystem().read(f"{folder}\\{name}", 0, MAX_SIZE + 1)
        except FileSystemError:
            continue
        if len(data) <= MAX_SIZE:
            yield name, data
