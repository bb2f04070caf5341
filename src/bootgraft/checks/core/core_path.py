"""The drivers of Windows' own that the boot disk of this target is behind, and the keys that put them back."""

from collections.abc import Iterator

from bootgraft.changes import Change, CreateKey, RegistryData, SetValue
from bootgraft.checks.controller.filter_places import shipped_filters
from bootgraft.checks.core.facts import CoreDriver, CoreFacts
from bootgraft.checks.guest import Guest
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.startup.core_services import BOOT_START, ShippedService, path_services
from bootgraft.windows.versions import VISTA

_FAT_DRIVER = "Fastfat"


def file_system_driver(core: CoreFacts) -> str:
    """The service of the driver that mounts the boot volume."""
    return "Ntfs" if core.installation.volume.filesystem().kind is FileSystemKind.NTFS else _FAT_DRIVER


def core_names(guest: Guest, core: CoreFacts, number: int) -> Iterator[str]:
    """The services on the way from the root of the devices to the boot volume, as a start meets them, each once.

    What the chain of the controller brings along by itself is judged with that.
    """
    judged = {each.main_id.casefold() for each in guest.facts.links if each.link.is_filter} if guest.facts else set()
    names = (*path_services(core.version), *shipped_filters(core, number, guest.controller))
    for name in dict.fromkeys(map(str.casefold, names)):
        if name in judged or (name == "pci" and _has_no_pci(guest)) or (name == "acpi" and not uses_acpi(core, number)):
            continue
        yield next(each for each in names if each.casefold() == name)


def uses_acpi(core: CoreFacts, number: int) -> bool:
    """Whether its HAL is one with ACPI: every one since Vista is; before, its device among the roots tells."""
    enum = f"{control_set_name(number)}\\Enum"
    return core.version >= VISTA or any(
        core.hive.key(f"{enum}\\{each}") is not None for each in ("Root\\ACPI_HAL", "ACPI_HAL")
    )


def _has_no_pci(guest: Guest) -> bool:
    """Machines of Hyper-V's second generation have no PCI bus but virtual ones, behind VMBus."""
    return guest.controller is not None and guest.controller.is_uefi_only


def service_key(core: CoreFacts, driver: CoreDriver, shipped: ShippedService) -> Iterator[Change]:
    """The key of a service as its release ships it; without Tag, which only orders drivers within their group."""
    key = driver.key_path
    yield CreateKey(core.file, key)
    yield SetValue(core.file, key, "Type", _dword(shipped.type), None)
    yield SetValue(core.file, key, "Start", _dword(shipped.start), None)
    yield SetValue(core.file, key, "ErrorControl", _dword(shipped.error_control), None)
    if shipped.group:
        yield SetValue(core.file, key, "Group", RegistryData(ValueType.REG_SZ, text_data(shipped.group)), None)
    if shipped.image:
        image = RegistryData(ValueType.REG_EXPAND_SZ, text_data(shipped.image))
        yield SetValue(core.file, key, "ImagePath", image, None)


def boot_start(core: CoreFacts, driver: CoreDriver) -> Iterator[Change]:
    """What makes the loader load a driver whose service is there."""
    service = driver.service
    if service is None:
        return
    if service.start != BOOT_START:
        before = None if service.start is None else _dword(service.start)
        yield SetValue(core.file, service.key_path, "Start", _dword(BOOT_START), before)
    for each in service.start_overrides:
        if each.start not in (None, BOOT_START):
            yield SetValue(core.file, each.key_path, each.name, _dword(BOOT_START), _dword(each.start or 0))


def _dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))
