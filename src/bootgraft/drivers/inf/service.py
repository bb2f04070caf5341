r"""The service keys that an INF's install section comes to, as they stand in a control set.

Microsoft, "INF AddService Directive": which entry of the service's section becomes which value. A boot driver starts
at boot whatever its INF says, and its ImagePath counts from the Windows directory. What AddReg lines set elsewhere
than in the driver's own services is left to Plug and Play at the next start.
"""

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.changes import RegistryData
from bootgraft.drivers.inf.files import service_binary
from bootgraft.drivers.inf.install import Library, RegistryLine, ServiceLine, add_reg, del_reg, number
from bootgraft.drivers.inf.text import InfFile
from bootgraft.drivers.package import PackageKey, PackageValue
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data

BOOT_START = 0
_KERNEL_DRIVER = 1
_MAX_KEYS = 512
_MAX_DEPTH = 16
_MAX_NAME = 255
"""Characters of a key's name, by the registry's own limits; a value's may have more, no driver's does."""

_MAX_VALUE = 2**20
"""Bytes of a value, by the registry's own limit; lines that append, and strings in them, could make any number."""

_SERVICES = re.compile(r"SYSTEM\\CurrentControlSet\\Services\\([^\\]+)(?:\\(.*))?", re.IGNORECASE)


class ServiceKeys(Struct, frozen=True):
    """One service: its keys and where its file belongs, relative to the Windows directory."""

    name: str
    keys: tuple[PackageKey, ...]
    file: str
    start: int  # what the INF says


class NoBootDriverError(Exception):
    """A service that no boot driver can be made of; the text says why."""


def service_keys(
    inf: InfFile, section: str, service: ServiceLine, library: Library, *, at_boot: bool = False
) -> ServiceKeys:
    """The keys of a service that an install ``section`` (with its suffix) adds; ``at_boot`` whatever the INF says.

    Raises:
        NoBootDriverError: it is no kernel driver, or lies outside Windows.
        DriverSourceError: the INF cannot be followed there.
    """
    name = service.name
    if not name or len(name) > _MAX_NAME or re.search(r"[\x00-\x1f\\/]", name):
        raise NoBootDriverError(f"{name[:40]!r} is no name for a service")
    kind, start, error_control = (_number(service, key) for key in ("ServiceType", "StartType", "ErrorControl"))
    if kind != _KERNEL_DRIVER:
        raise NoBootDriverError(f"its service {name} is no kernel driver (ServiceType {kind})")
    binary = service.inf.value(service.section, "ServiceBinary")
    file = service_binary(binary)
    if file is None:
        raise NoBootDriverError(f"its service's file {binary!r} would lie outside the Windows directory")
    keys = _Keys(inf, name)
    keys.set("", "Type", _dword(kind))
    keys.set("", "Start", _dword(BOOT_START if at_boot else start))
    keys.set("", "ErrorControl", _dword(error_control))
    keys.set("", "ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(file)))
    for value, data in _texts(service.inf, service.section):
        keys.set("", value, data)
    for line in _registry_lines(inf, section, service, library):
        keys.apply(line)
    return ServiceKeys(name, keys.made(), file, start)


def _number(service: ServiceLine, key: str) -> int:
    line = next(service.inf.values(service.section, key), None)
    return 0 if line is None else number(service.inf, line, 0)


def _dword(value: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(value))


def _texts(inf: InfFile, section: str) -> Iterator[tuple[str, RegistryData]]:
    display, group = inf.value(section, "DisplayName"), inf.value(section, "LoadOrderGroup")
    if display:
        yield "DisplayName", RegistryData(ValueType.REG_SZ, text_data(display))
    if group:
        yield "Group", RegistryData(ValueType.REG_SZ, text_data(group))
    names = [name for line in inf.values(section, "Dependencies") for name in line.fields if name.strip("+")]
    groups = [name[1:] for name in names if name.startswith("+")]
    others = [name for name in names if not name.startswith("+")]
    if groups:
        yield "DependOnGroup", RegistryData(ValueType.REG_MULTI_SZ, multi_data(groups))
    if others:
        yield "DependOnService", RegistryData(ValueType.REG_MULTI_SZ, multi_data(others))


def _registry_lines(inf: InfFile, section: str, service: ServiceLine, library: Library) -> Iterator[RegistryLine]:
    """What concerns this service, with its key made relative to the service's own; deletions come first."""
    own = service.inf, service.section
    for line in (*del_reg(*own, library), *add_reg(*own, library)):
        if line.root == "HKR":
            yield line
        else:
            yield from _by_path(line, service.name)
    for line in add_reg(inf, section, library):
        yield from _by_path(line, service.name)


def _by_path(line: RegistryLine, service: str) -> Iterator[RegistryLine]:
    match = _SERVICES.fullmatch(line.key) if line.root == "HKLM" else None
    if match is not None and match[1].casefold() == service.casefold():
        yield replace(line, key=match[2] or "")


class _Keys:
    """The keys of one service as they grow, in the order in which they are named."""

    def __init__(self, inf: InfFile, service: str) -> None:
        self._inf = inf
        self._service = service
        self._keys: dict[str, tuple[str, dict[str, PackageValue]]] = {}

    def set(self, key: str, name: str, data: RegistryData | None) -> None:
        """Set a value, or with None delete it, wherever it comes from."""
        self._values(key)[name.casefold()] = PackageValue(name, data)

    def apply(self, line: RegistryLine) -> None:
        """Do what a line of an AddReg or DelReg section says."""
        values = self._values(line.key, line.line)
        if len(line.name) > _MAX_NAME:
            raise self._inf.error("the name of a value is too long", line.line)
        if line.delete or line.data is None:
            if line.delete:
                values[line.name.casefold()] = PackageValue(line.name, None)
            return
        present = values.get(line.name.casefold())
        before = None if present is None else present.data
        if (line.no_clobber and before is not None) or (line.overwrite_only and before is None):
            return
        data = line.data
        if line.append and before is not None and before.type == data.type == ValueType.REG_MULTI_SZ:
            data = RegistryData(data.type, before.data[:-2] + data.data)
        if len(data.data) > _MAX_VALUE:
            raise self._inf.error("a value is longer than the registry takes", line.line)
        name = line.name if present is None else present.name
        values[line.name.casefold()] = PackageValue(name, data, keeps=line.no_clobber)

    def made(self) -> tuple[PackageKey, ...]:
        """The keys, relative to a control set."""
        return tuple(PackageKey(path, tuple(values.values())) for path, values in self._keys.values())

    def _values(self, key: str, line: int | None = None) -> dict[str, PackageValue]:
        names = [name for name in key.split("\\") if name]
        path = "\\".join(("Services", self._service, *names))
        if path.casefold() not in self._keys:
            if any(len(name) > _MAX_NAME for name in names) or len(self._keys) == _MAX_KEYS or len(names) > _MAX_DEPTH:
                raise self._inf.error("it makes more or longer keys than any driver needs", line)
            self._keys[path.casefold()] = path, {}
        return self._keys[path.casefold()][1]
