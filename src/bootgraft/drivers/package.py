"""What a driver source yields: files for the Windows directory and keys for every control set.

Paths of keys are relative to a control set (``Services\\symmpi``), paths of files relative to the Windows directory
(``system32\\drivers\\symmpi.sys``), so that a package fits any installation.
"""

from datetime import date

from msgspec import Struct

from bootgraft.changes import RegistryData


class PackageValue(Struct, frozen=True):
    """One value to set; ``data`` None means that the value is to be deleted. ``keeps`` leaves one that is there."""

    name: str
    data: RegistryData | None
    keeps: bool = False


class PackageKey(Struct, frozen=True):
    """One key to create, with its values."""

    path: str
    values: tuple[PackageValue, ...]


class PackageFile(Struct, frozen=True):
    """One file to put into the Windows directory."""

    path: str
    data: bytes


class DeviceId(Struct, frozen=True):
    """One device id that a driver serves: ``PCI\\VEN_1AF4&DEV_1001``; a hardware id, or else a compatible id."""

    id: str
    is_hardware_id: bool
    description: str = ""


class InfFacts(Struct, frozen=True):
    """What an INF says about its driver, as Windows 8 and later keep it in the DriverDatabase.

    ``name`` is the INF's file name, ``configuration`` its install section with decoration (``viostor_inst.NTamd64``),
    ``class_guid`` has braces. ``content`` is every file of the package (INF, CAT, SYS) by its name, as Plug and Play
    wants to find them at the second start.
    """

    name: str
    class_guid: str
    class_name: str
    provider: str
    driver_date: date | None
    driver_version: tuple[int, int, int, int]
    configuration: str
    devices: tuple[DeviceId, ...]
    content: tuple[tuple[str, bytes], ...] = ()


class DriverPackage(Struct, frozen=True):
    """A driver with all that the registry must say about it. ``origin`` names the source for people.

    ``keys`` hold the service and, where the source has them, CriticalDeviceDatabase keys; ``inf`` is what else the
    bindings are made from, where the source is an INF.
    """

    origin: str
    service: str
    keys: tuple[PackageKey, ...]
    files: tuple[PackageFile, ...]
    notes: tuple[str, ...] = ()
    inf: InfFacts | None = None
    device: str = ""  # the main id of the device that it is for; empty for the controller itself
