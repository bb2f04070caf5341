r"""A driver package taken out of a working machine: a ``.reg`` and the driver's files, and its INF where there is one.

From Vista on a package lies whole in the driver store (``staged``). Else the INF is found as Windows finds it: the
device's instance below ``Enum`` names a key of its class, which names the INF in ``\WINDOWS\inf`` (``InfPath``); the
catalog of ``oem3.inf`` is ``oem3.CAT`` among the signed catalogs.
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.drivers.guest.staged import read_staged
from bootgraft.drivers.inf.text import MAX_SIZE, InfFile, parse_inf
from bootgraft.drivers.package import DriverPackage, PackageValue
from bootgraft.errors import DriverSourceError, FileSystemError
from bootgraft.filesystems.base import FileSystem
from bootgraft.registry.hive import Hive
from bootgraft.registry.regexport import export_keys
from bootgraft.registry.regfile import RegKey, RegValue
from bootgraft.registry.values import ValueType
from bootgraft.targets.controllers import Controller
from bootgraft.windows.bindings import enum_instances
from bootgraft.windows.installation import Installation, control_set_name

_CATALOGS = "system32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
_MAX_FILE = 32 * 2**20
_MAX_INSTANCES = 64


class HarvestedFile(Struct, frozen=True):
    """One file of the package, by the name that it is to have; ``origin`` is where the machine had it."""

    name: str
    data: bytes
    origin: str


def harvest(
    package: DriverPackage, installation: Installation, hive: Hive, controller: Controller
) -> tuple[HarvestedFile, ...]:
    """The files that a donor's driver comes to, once it was read as ``package``.

    Raises:
        FileSystemError, HiveError: the machine cannot be read there.
    """
    files = [HarvestedFile(f"{package.service}.reg", reg_file(package), "the registry")]
    files += (HarvestedFile(file.path.rpartition("\\")[2], file.data, file.path) for file in package.files)
    files += _stored(package, installation, hive, controller) or _installed(installation, hive, controller)
    return tuple({file.name.casefold(): file for file in reversed(files)}.values())[::-1]


def reg_file(package: DriverPackage) -> bytes:
    r"""The keys of a package as regedit would export them, below ``CurrentControlSet``."""
    return export_keys(
        RegKey(f"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\{key.path}", values=tuple(map(reg_value, key.values)))
        for key in package.keys
    )


def reg_value(value: PackageValue) -> RegValue:
    """A value of a package as .reg text has it."""
    if value.data is None:
        return RegValue(value.name, ValueType.REG_NONE, b"", delete=True)
    return RegValue(value.name, value.data.type, value.data.data)


def _stored(
    package: DriverPackage, installation: Installation, hive: Hive, controller: Controller
) -> list[HarvestedFile]:
    """The package in the driver store, if its driver is the one that runs."""
    try:
        stored = read_staged(installation, hive, controller)
    except DriverSourceError:  # the store is damaged
        return []
    if stored is None or stored.inf is None or [file.data for file in stored.files] != [f.data for f in package.files]:
        return []
    if any("\\" in name for name, _ in stored.inf.content):
        return []
    return [HarvestedFile(name, data, stored.origin) for name, data in stored.inf.content]


def _installed(installation: Installation, hive: Hive, controller: Controller) -> list[HarvestedFile]:
    """The INF that the controller was installed by, as the registry names it, and its catalog."""
    filesystem = installation.volume.filesystem()
    for name in dict.fromkeys(_inf_names(hive, installation.select.default, controller)):
        found = list(_inf_and_catalog(filesystem, installation.directory, name))
        if found:
            return found
    return []


def _inf_names(hive: Hive, control_set: int, controller: Controller) -> Iterator[str]:
    """The INFs that the controller's instances were installed by, as far as the registry tells."""
    root = control_set_name(control_set)
    enumerator, _, device = controller.main_id.partition("\\")
    instances = enum_instances(hive, control_set, enumerator, device)
    for instance in instances[:_MAX_INSTANCES]:
        driver = _text(hive, instance.key_path, "Driver")
        name = _text(hive, f"{root}\\Control\\Class\\{driver}", "InfPath") if driver else ""
        if name and "\\" not in name and ":" not in name:
            yield name


def _text(hive: Hive, key: str, name: str) -> str:
    found = hive.key(key)
    value = None if found is None else found.value(name)
    return "" if value is None else value.text() or ""


def _inf_and_catalog(filesystem: FileSystem, directory: str, name: str) -> Iterator[HarvestedFile]:
    path = f"{directory}\\inf\\{name}"
    inf = _parsed(filesystem, path, name)
    if inf is None:
        return
    yield HarvestedFile(name, filesystem.read(path), path)
    catalog = inf.value("Version", "CatalogFile")
    place = f"{directory}\\{_CATALOGS}\\{name.rpartition('.')[0]}.CAT"
    if catalog and "\\" not in catalog and "/" not in catalog:
        try:
            yield HarvestedFile(catalog, filesystem.read(place, 0, _MAX_FILE), place)
        except FileSystemError:  # signed by nobody, or with Windows itself
            return


def _parsed(filesystem: FileSystem, path: str, name: str) -> InfFile | None:
    try:
        return parse_inf(filesystem.read(path, 0, MAX_SIZE + 1), name)
    except (DriverSourceError, FileSystemError):  # the .reg and the driver file are a package without it
        return None
