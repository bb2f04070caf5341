"""Changes to a SYSTEM hive that several checks make: a number of a key, a service made again or never started again."""

from collections.abc import Iterator

from bootgraft.changes import Change, CreateKey, FileId, RegistryData, SetValue
from bootgraft.registry.hive import Hive, Key
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.windows.installation import Installation, control_set_name, hive_file
from bootgraft.windows.startup.core_services import ShippedService

_DISABLED = 4


def set_number(file: FileId, key: Key, name: str, number: int) -> SetValue | None:
    """Give a value of a key this number; None where it has it already. Raises HiveError for damage."""
    value = key.value(name)
    if value is not None and value.type == ValueType.REG_DWORD and value.dword() == number:
        return None
    before = None if value is None else RegistryData(value.type, value.data)
    return SetValue(file, key.path, name, RegistryData(ValueType.REG_DWORD, dword_data(number)), before)


def service_key(file: FileId, key: str, shipped: ShippedService) -> Iterator[Change]:
    """The key of a service as its release ships it; without Tag, which only orders drivers within their group."""
    yield CreateKey(file, key)
    for name, number in (("Type", shipped.type), ("Start", shipped.start), ("ErrorControl", shipped.error_control)):
        yield SetValue(file, key, name, RegistryData(ValueType.REG_DWORD, dword_data(number)), None)
    if shipped.group:
        yield SetValue(file, key, "Group", RegistryData(ValueType.REG_SZ, text_data(shipped.group)), None)
    if shipped.image:
        yield SetValue(file, key, "ImagePath", RegistryData(ValueType.REG_EXPAND_SZ, text_data(shipped.image)), None)


def disable_service(installation: Installation, hive: Hive, name: str) -> tuple[SetValue, ...]:
    """Set Start, and what replaces it since Windows 8, to 4 in every control set that has the service.

    Raises HiveError for damage.
    """
    file = hive_file(installation)
    found = (each for number in installation.control_sets for each in _starts(hive, number, name))
    changes = (set_number(file, key, value, _DISABLED) for key, value in found)
    return tuple(change for change in changes if change is not None)


def _starts(hive: Hive, number: int, name: str) -> Iterator[tuple[Key, str]]:
    service = hive.key(f"{control_set_name(number)}\\Services\\{name}")
    if service is None:
        return
    yield service, "Start"
    overrides = service.key("StartOverride")
    for value in () if overrides is None else overrides.values():
        if overrides is not None and value.dword() is not None:
            yield overrides, value.name
