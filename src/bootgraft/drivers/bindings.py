r"""What binds a package's driver to its devices: the keys that its INF makes, in each generation's own place.

Windows 2000 to 7 take one key per device id in each control set's CriticalDeviceDatabase, Windows 8 and later a package
in the DriverDatabase (:mod:`bootgraft.windows.driver_database` has its layout). The package stands there under an INF
name of bootgraft's own: under the INF's, or as ``oemN.inf``, it could meet what Windows staged itself. That much, and
with a date and version of zero too, was measured to start Server 2016 to 2025 (PegaProx project, "Windows guests: what
is proven, per version"); the files of the driver store are for Plug and Play, which installs a package once Windows
runs.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date

from bootgraft.changes import RegistryData
from bootgraft.drivers.package import DeviceId, DriverPackage, InfFacts, PackageKey, PackageValue
from bootgraft.errors import DriverSourceError
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data
from bootgraft.windows.driver_database import OWN_PREFIX, ROOT, PackageVersion
from bootgraft.windows.pe import Architecture

CRITICAL = "Control\\CriticalDeviceDatabase\\"
_BUSES = ("pci\\", "vmbus\\", "acpi\\", "xenbus\\", "xenvbd\\")
"""Whose devices a boot disk can be attached to: no key is made for other ids that an INF lists."""
_ARCHITECTURES = {
    Architecture.X86: (0, "x86"),
    Architecture.X64: (9, "amd64"),
    Architecture.IA64: (6, "ia64"),
    Architecture.ARM64: (12, "arm64"),
}
"""PROCESSOR_ARCHITECTURE (winnt.h), and how a package's label names it."""
_NOTHING = RegistryData(ValueType.REG_NONE, b"")
_GUID = re.compile(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", re.IGNORECASE | re.ASCII)
_EPOCH = date(1601, 1, 1)
_DAY = 24 * 3600 * 10_000_000


def facts_of(package: DriverPackage) -> InfFacts | None:
    """What the package's INF says; where it has none, as much of it as its CriticalDeviceDatabase keys tell."""
    if package.inf is not None:
        return _require_sound(package.inf, package.origin)
    devices, class_guid = [], ""
    for key in package.keys:
        if not key.path.casefold().startswith(CRITICAL.casefold()):
            continue
        values = {value.name.casefold(): _text(value.data) for value in key.values}
        if values.get("service", "").casefold() == package.service.casefold():
            devices.append(DeviceId(key.path[len(CRITICAL) :].replace("#", "\\"), is_hardware_id=True))
            class_guid = class_guid or values.get("classguid", "")
    if not devices or not _GUID.fullmatch(class_guid):
        return None
    name = f"{package.service}.inf"
    return InfFacts(name, class_guid, "", "", None, (0, 0, 0, 0), f"{package.service}_Inst", tuple(devices))


def _require_sound(inf: InfFacts, origin: str) -> InfFacts:
    if _GUID.fullmatch(inf.class_guid) and inf.configuration and "\\" not in inf.configuration:
        return inf
    raise DriverSourceError(
        f"its device class ({inf.class_guid}) or install section ({inf.configuration}) is none that Windows could take",
        where=f"{origin}: {inf.name}",
        advice="Give the driver from another source",
    )


def critical_keys(inf: InfFacts, service: str) -> tuple[PackageKey, ...]:
    """The CriticalDeviceDatabase keys, below a control set: one for each id that a disk can be attached to."""
    values = (_value("ClassGUID", _string(inf.class_guid)), _value("Service", _string(service)))
    ids = dict.fromkeys(device.id.replace("\\", "#").lower() for device in _bootable(inf))
    return tuple(PackageKey(f"{CRITICAL}{name}", values) for name in ids)


def database_keys(inf: InfFacts, service: str, architecture: Architecture) -> tuple[PackageKey, ...]:
    """The keys of the DriverDatabase, from the root of the SYSTEM hive."""
    number, word = _ARCHITECTURES[architecture]
    own = f"{OWN_PREFIX}{service.lower()}.inf"
    package = f"{own}_{word}_{_fingerprint(inf, service)}"
    top = f"{ROOT}\\DriverPackages\\{package}"
    version = _version(inf, number)
    devices = _bootable(inf)
    return (
        *(_device_id(device, own) for device in devices),
        PackageKey(f"{ROOT}\\DeviceIds\\{inf.class_guid.lower()}", (_value(own, _NOTHING),)),
        PackageKey(
            f"{ROOT}\\DriverInfFiles\\{own}",
            (
                _value("", _strings((package,))),
                _value("Active", _string(package)),
                _value("Configurations", _strings((inf.configuration,))),
            ),
        ),
        PackageKey(
            top,
            (
                _value("", _string(own)),
                _value("Version", RegistryData(ValueType.REG_BINARY, version.encode())),
                _value("Provider", _string(inf.provider or "bootgraft")),
                _value("InfName", _string(inf.name)),
            ),
        ),
        PackageKey(
            f"{top}\\Configurations\\{inf.configuration}",
            (
                _value("ConfigFlags", RegistryData(ValueType.REG_DWORD, dword_data(0))),
                _value("Service", _string(service)),
            ),
        ),
        *_descriptors(top, inf, devices),
    )


def _descriptors(top: str, inf: InfFacts, devices: Sequence[DeviceId]) -> Iterator[PackageKey]:
    """What each id is called, by tokens, and the strings that the tokens stand for."""
    strings = [_value("manufacturer", _string(inf.provider or "bootgraft"))]
    for number, device in enumerate(devices, start=1):
        token = f"device{number}"
        strings.append(_value(token, _string(device.description or inf.name)))
        values = (
            _value("Configuration", _string(inf.configuration)),
            _value("Description", _string(f"%{token}%")),
            _value("Manufacturer", _string("%manufacturer%")),
        )
        yield PackageKey(f"{top}\\Descriptors\\{device.id}", values)
    yield PackageKey(f"{top}\\Strings", tuple(strings))


def _device_id(device: DeviceId, inf: str) -> PackageKey:
    kind = b"\x01\xff\0\0" if device.is_hardware_id else b"\x02\xff\0\0"
    return PackageKey(f"{ROOT}\\DeviceIds\\{device.id}", (_value(inf, RegistryData(ValueType.REG_BINARY, kind)),))


def _bootable(inf: InfFacts) -> tuple[DeviceId, ...]:
    known: dict[str, DeviceId] = {}
    for device in inf.devices:
        if device.id.casefold().startswith(_BUSES):
            known.setdefault(device.id.casefold(), device)
    return tuple(known.values())


def _fingerprint(inf: InfFacts, service: str) -> str:
    """16 hex digits that are the same for the same package."""
    parts = (inf.name, inf.class_guid, inf.configuration, service, *map(str, inf.driver_version))
    ids = sorted(device.id.casefold() for device in inf.devices)
    return hashlib.sha256("\n".join((*parts, *ids)).casefold().encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _version(inf: InfFacts, architecture: int) -> PackageVersion:
    major, minor, build, revision = (min(number, 0xFFFF) for number in inf.driver_version)
    return PackageVersion(
        is_inbox=False,
        architecture=architecture,
        class_guid=inf.class_guid,
        date=_filetime(inf.driver_date),
        version=(major, minor, build, revision),
    )


def _filetime(day: date | None) -> int:
    """Midnight UTC of a day in 100 ns since 1601; 0 where there is none."""
    return 0 if day is None or day < _EPOCH else (day - _EPOCH).days * _DAY


def _text(data: RegistryData | None) -> str:
    if data is None:
        return ""
    return data.data[: len(data.data) & ~1].decode("utf-16-le", "surrogatepass").partition("\0")[0]


def _value(name: str, data: RegistryData) -> PackageValue:
    return PackageValue(name, data)


def _string(text: str) -> RegistryData:
    return RegistryData(ValueType.REG_SZ, text_data(text))


def _strings(items: Sequence[str]) -> RegistryData:
    return RegistryData(ValueType.REG_MULTI_SZ, multi_data(items))
