r"""How Windows 2000 to 7 binds a driver to a controller that it must start from, and what every one has met.

``Control\CriticalDeviceDatabase`` has a key for each device id, with ``\`` written as ``#``. The kernel goes through
the ids that a device reports, best match first, and takes the first key that has a ``ClassGUID``; a key without
``Service`` binds the device to no driver at all. It asks only where the device's instance below ``Enum`` has no
``ClassGUID`` yet (behaviour as in ReactOS, ``ntoskrnl/io/pnpmgr``).
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from bootgraft.registry.hive import Hive, Key

CONFIGFLAG_DISABLED = 0x00000001
"""Bit of an instance's ConfigFlags: the device is disabled (regstr.h)."""

_SUBSYSTEM = re.compile(r"&SUBSYS_([0-9A-F]{8})(?![0-9A-F])", re.IGNORECASE | re.ASCII)


class CriticalDevice(Struct, frozen=True):
    """One key of the CriticalDeviceDatabase."""

    key_path: str  # from the root of the SYSTEM hive
    device_id: str  # as a device reports it, with "\"
    service: str | None  # None binds the device to no driver
    class_guid: str
    package_id: str | None = None  # DriverPackageId: the package that Windows Vista or 7 made the key of


class EnumInstance(Struct, frozen=True):
    """One device that this Windows has met: a key below ``Enum``."""

    key_path: str  # from the root of the SYSTEM hive
    class_guid: str | None
    service: str | None
    config_flags: int | None
    subsystem: int | None  # of its PCI id: device, then vendor; None where the id does not say

    @property
    def disabled(self) -> bool:
        """Whether Windows leaves the device alone."""
        return bool((self.config_flags or 0) & CONFIGFLAG_DISABLED)


def find_critical_device(hive: Hive, control_set: int, device_ids: Iterable[str]) -> CriticalDevice | None:
    """Return the key that the kernel would take for a device with these ids, best match first.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    database = _database(hive, control_set)
    if database is None:
        return None
    for device_id in device_ids:
        key = database.key(device_id.replace("\\", "#"))
        device = None if key is None else _critical_device(key)
        if device is not None:
            return device
    return None


def critical_devices_of_service(hive: Hive, control_set: int, service: str) -> tuple[CriticalDevice, ...]:
    """Return every key that binds a device to ``service``, in the order of their names.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    database = _database(hive, control_set)
    if database is None:
        return ()
    devices = (_critical_device(key) for key in database.keys())  # noqa: SIM118  a registry key, no dict
    return tuple(each for each in devices if each and (each.service or "").casefold() == service.casefold())


def enum_instances(hive: Hive, control_set: int, enumerator: str, device: str) -> tuple[EnumInstance, ...]:
    """Return the instances of a device below ``Enum``, of a PCI device whatever its subsystem, revision and slot.

    ``enumerator`` and ``device`` are as in ``PCI`` and ``VEN_1000&DEV_0030``.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    bus = hive.key(f"ControlSet{control_set:03d}\\Enum\\{enumerator}")
    return () if bus is None else tuple(_instances(bus, device.upper()))


def class_filters(hive: Hive, control_set: int, class_guid: str) -> frozenset[str]:
    """Return the filter drivers that every device of a class needs to start, casefolded.

    Raises:
        HiveError: the SYSTEM hive is damaged there.
    """
    key = hive.key(f"ControlSet{control_set:03d}\\Control\\Class\\{class_guid}")
    values = [] if key is None else [key.value("UpperFilters"), key.value("LowerFilters")]
    return frozenset(name.casefold() for value in values if value for name in value.multi() or ())


def _instances(bus: Key, wanted: str) -> Iterator[EnumInstance]:
    for key in bus.keys():  # noqa: SIM118  a registry key, no dict
        name = key.name.upper()
        if name != wanted and not name.startswith(wanted + "&"):
            continue
        subsystem = _SUBSYSTEM.search(name)
        for instance in key.keys():  # noqa: SIM118
            flags = instance.value("ConfigFlags")
            yield EnumInstance(
                key_path=instance.path,
                class_guid=_text(instance, "ClassGUID"),
                service=_text(instance, "Service"),
                config_flags=None if flags is None else flags.dword(),
                subsystem=int(subsystem[1], 16) if subsystem else None,
            )


def _database(hive: Hive, control_set: int) -> Key | None:
    return hive.key(f"ControlSet{control_set:03d}\\Control\\CriticalDeviceDatabase")


def _critical_device(key: Key) -> CriticalDevice | None:
    class_guid = _text(key, "ClassGUID")
    if class_guid is None:
        return None
    device_id, package_id = key.name.replace("#", "\\"), _text(key, "DriverPackageId")
    return CriticalDevice(key.path, device_id, _text(key, "Service"), class_guid, package_id)


def _text(key: Key, name: str) -> str | None:
    """The string of a value, None where it is missing, no string, or empty."""
    value = key.value(name)
    return None if value is None else value.text() or None
