r"""Filter drivers: which a device class or a single device does not start without.

``UpperFilters`` and ``LowerFilters`` of ``Control\Class\{class}`` are for every device of the class, those of an
instance below ``Enum`` and of its ``Device Parameters`` for that device alone (Microsoft KB 976267). The kernel loads
each of them before it starts the device; where one cannot be loaded the device stays off (Microsoft, "Stop error 7B").
"""

from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from bootgraft.changes import RegistryData
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import Value
from bootgraft.windows.installation import control_set_name

SIDES = ("UpperFilters", "LowerFilters")
VOLUME = "{71A27CDD-812A-11D0-BEC7-08002BE2092F}"
_MAX_INSTANCES = 64
"""Instances of one device that are looked at; a machine has one root bus."""


class FilterList(Struct, frozen=True):
    """One list of filter drivers, in their order; ``data`` is the value as it lies in the hive."""

    key_path: str  # from the root of the SYSTEM hive
    side: str
    names: tuple[str, ...]
    data: RegistryData


def class_key(control_set: int, class_guid: str) -> str:
    """The key of a device class."""
    return f"{control_set_name(control_set)}\\Control\\Class\\{class_guid}"


def class_filter_lists(hive: Hive, control_set: int, class_guid: str) -> tuple[FilterList, ...]:
    """The lists of a device class, those that there are. Raises HiveError for damage."""
    return tuple(_lists(hive.key(class_key(control_set, class_guid))))


def device_filter_lists(hive: Hive, control_set: int, device: str) -> tuple[FilterList, ...]:
    r"""The lists of every instance of a device (``ACPI\PNP0A03``). Raises HiveError for damage."""
    key = hive.key(f"{control_set_name(control_set)}\\Enum\\{device}")
    found: list[FilterList] = []
    for instance in islice(() if key is None else key.keys(), _MAX_INSTANCES):
        found += _lists(instance)
        found += _lists(instance.key("Device Parameters"))
    return tuple(found)


def _lists(key: Key | None) -> Iterator[FilterList]:
    for side in SIDES:
        value = None if key is None else key.value(side)
        names = () if value is None else _names(value)
        if key is not None and value is not None and names:
            yield FilterList(key.path, side, names, RegistryData(value.type, value.data))


def _names(value: Value) -> tuple[str, ...]:
    """The kernel reads a list of strings; a single string is a list of one to it (RtlQueryRegistryValues)."""
    text = value.text()
    return value.multi() or ((text,) if text else ())
