r"""SCSI miniports that look for their adapters by themselves, as those of NT 4 do.

Windows 2000 and later initialise a miniport so for every bus type that its ``Parameters\PnpInterface`` does not list:
no binding is asked (Microsoft, "SCSI Miniport Initialization Under Plug and Play"). Only scsiport does so, and storport
does not. Which adapters a miniport looks for stands in its code alone: scsiport is given vendor and device as text.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from bootgraft.errors import FileSystemError
from bootgraft.registry.hive import Hive
from bootgraft.windows.driver_files import DriverFacts
from bootgraft.windows.installation import Installation
from bootgraft.windows.services import Service, driver_file

_GROUP = "scsi miniport"
_PORT = "scsiport.sys"
_PCI_BUS = "5"
_LARGEST = 2**20
"""Bytes of a miniport's file that are looked at."""


class LegacyMiniport(Struct, frozen=True):
    """A boot driver that looks for its adapters by itself, and where its file lies on the volume."""

    service: Service
    path: str


def legacy_miniports(
    installation: Installation, hive: Hive, drivers: Iterable[Service], read_driver: Callable[[str], DriverFacts]
) -> tuple[LegacyMiniport, ...]:
    """Those of the boot ``drivers`` of a control set that look for adapters by themselves. Raises HiveError for damage.

    ``read_driver`` gives the facts about the driver file at a path of the Windows' volume.
    """
    return tuple(_found(installation, hive, drivers, read_driver))


def looks_for(installation: Installation, miniport: LegacyMiniport, vendor: int, device: int) -> bool:
    """Whether the miniport may look for a PCI adapter of this vendor and device."""
    try:
        content = installation.volume.filesystem().read(miniport.path, 0, _LARGEST).upper()
    except FileSystemError:
        return False
    return all(f"{number:04X}".encode() in content for number in (vendor, device))


def _found(
    installation: Installation, hive: Hive, drivers: Iterable[Service], read_driver: Callable[[str], DriverFacts]
) -> Iterator[LegacyMiniport]:
    for service in drivers:
        if (service.group or "").casefold() == _GROUP and not _is_plug_and_play(hive, service):
            path = driver_file(service, installation.directory, drive_letter=installation.drive_letter)
            if _needs_scsiport(installation, path, read_driver):
                yield LegacyMiniport(service, path)


def _is_plug_and_play(hive: Hive, service: Service) -> bool:
    key = hive.key(f"{service.key_path}\\Parameters\\PnpInterface")
    value = None if key is None else key.value(_PCI_BUS)
    return value is not None and bool(value.dword())


def _needs_scsiport(installation: Installation, path: str, read_driver: Callable[[str], DriverFacts]) -> bool:
    try:
        facts = read_driver(path)
    except FileSystemError:
        return False
    if facts.pe is None or facts.pe.machine is not installation.arch:
        return False
    return _PORT in {name.casefold() for name in facts.pe.imports}
