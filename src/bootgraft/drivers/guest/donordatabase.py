"""What a donor's DriverDatabase says about one of its drivers, in the shape in which an INF would say it."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from bootgraft.drivers.package import DeviceId, InfFacts
from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.driver_database import ROOT, DatabaseBinding, bindings_of_package

MAX_DEVICES = 1024
"""Ids that one package binds to one configuration; Windows' own have under a hundred."""
_COMPATIBLE_ID = 2
_DAY = 24 * 3600 * 10_000_000
_EPOCH = date(1601, 1, 1)
_LAST = (date(9999, 12, 31) - _EPOCH).days


def read_inf_facts(hive: Hive, binding: DatabaseBinding) -> InfFacts:
    """Read what the package behind a binding serves, and what it is called. Raises HiveError for damage on the way."""
    top = hive.key(f"{ROOT}\\DriverPackages\\{binding.package}")
    strings = None if top is None else top.key("Strings")
    version = binding.version
    return InfFacts(
        name=_text(top, "InfName") or binding.inf,
        class_guid=binding.class_guid,
        class_name="",
        provider=_text(top, "Provider"),
        driver_date=None if version is None or not version.date else _day(version.date),
        driver_version=(0, 0, 0, 0) if version is None else version.version,
        configuration=binding.configuration,
        devices=tuple(islice(_devices(hive, binding, strings), MAX_DEVICES)),
    )


def _devices(hive: Hive, binding: DatabaseBinding, strings: Key | None) -> Iterator[DeviceId]:
    for device_id, descriptor in bindings_of_package(hive, binding.package, binding.configuration):
        listed = hive.key(f"{ROOT}\\DeviceIds\\{device_id}")
        kind = None if listed is None else listed.value(binding.inf)
        is_compatible = kind is not None and kind.data[:1] == bytes((_COMPATIBLE_ID,))
        description = _text(descriptor, "Description")
        if description.startswith("%") and description.endswith("%"):
            description = _text(strings, description.strip("%"))
        yield DeviceId(device_id, not is_compatible, description)


def _day(filetime: int) -> date:
    return _EPOCH + timedelta(days=min(filetime // _DAY, _LAST))


def _text(key: Key | None, name: str) -> str:
    value = None if key is None else key.value(name)
    return "" if value is None else value.text() or ""
