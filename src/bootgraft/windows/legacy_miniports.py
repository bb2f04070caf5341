r"""SCSI miniports that look for their adapters by themselves, as those of NT 4 do.

Windows 2000 and later initialise a miniport so for every bus type that its ``Parameters\PnpInterface`` does not list:
no binding is asked (Microsoft, "SCSI Miniport Initialization Under Plug and Play"). Only scsiport does so, and storport
does not. Which adapters a miniport looks for stands in its code alone: scsiport is given vendor and device as text.
"""

from collections.abc import Iterator

from bootgraft.errors import FileSystemError
from bootgraft.registry.hive import Hive
from bootgraft.windows.bootdrivers import boot_drivers
from bootgraft.windows.driver_files import read_driver
from bootgraft.windows.installation import Installation
from bootgraft.windows.services import Service, driver_file

_GROUP = "scsi miniport"
_PORT = "scsiport.sys"
_PCI_BUS = "5"
_LARGEST = 2**20
"""Bytes of a miniport's file that are looked at."""


def legacy_miniports(
    installation: Installation, hive: Hive, control_set: int, vendor: int, device: int
) -> Iterator[Service]:
    """The boot drivers of a control set that may look for a PCI adapter of this vendor and device by themselves.

    Raises HiveError for damage on the way.
    """
    for service in boot_drivers(hive, control_set):
        if (service.group or "").casefold() == _GROUP and not _is_plug_and_play(hive, service):
            path = driver_file(service, installation.directory, drive_letter=installation.drive_letter)
            if _looks_for(installation, path, vendor, device):
                yield service


def _is_plug_and_play(hive: Hive, service: Service) -> bool:
    key = hive.key(f"{service.key_path}\\Parameters\\PnpInterface")
    value = None if key is None else key.value(_PCI_BUS)
    return value is not None and bool(value.dword())


def _looks_for(installation: Installation, path: str, vendor: int, device: int) -> bool:
    filesystem = installation.volume.filesystem()
    try:
        facts = read_driver(filesystem, installation.directory, path, build=installation.build)
        if facts.pe is None or facts.pe.machine is not installation.arch:
            return False
        if _PORT not in {name.casefold() for name in facts.pe.imports}:
            return False
        content = filesystem.read(path, 0, _LARGEST).upper()
    except FileSystemError:
        return False
    return all(f"{number:04X}".encode() in content for number in (vendor, device))
