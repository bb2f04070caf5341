"""The drivers of Windows' own that the boot disk of this target is behind, and what makes the loader load them."""

from collections.abc import Iterator

from bootgraft.changes import Change, RegistryData, SetValue
from bootgraft.checks.controller.filter_places import shipped_filters
from bootgraft.checks.core.facts import CoreDriver, CoreFacts
from bootgraft.checks.guest import Guest
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.windows.startup.core_services import BOOT_START, path_services

_FAT_DRIVER = "Fastfat"


def file_system_driver(core: CoreFacts) -> str:
    """The service of the driver that mounts the boot volume."""
    return "Ntfs" if core.installation.volume.filesystem().kind is FileSystemKind.NTFS else _FAT_DRIVER


def core_names(guest: Guest, core: CoreFacts, number: int) -> tuple[str, ...]:
    """The services on the way from the root of the devices to the boot volume, as a start meets them, each once.

    What the chain of the controller brings along by itself is judged with that.
    """
    way = (number, guest.controller)
    if way not in core.names_on_the_way:
        core.names_on_the_way[way] = tuple(_core_names(guest, core, number))
    return core.names_on_the_way[way]


def _core_names(guest: Guest, core: CoreFacts, number: int) -> Iterator[str]:
    judged = {each.main_id.casefold() for each in guest.facts.links if each.link.is_filter} if guest.facts else set()
    names = (*path_services(core.version), *shipped_filters(core, number, guest.controller))
    for name in dict.fromkeys(map(str.casefold, names)):
        if name in judged or (name == "pci" and _has_no_pci(guest)) or (name == "acpi" and not core.uses_acpi(number)):
            continue
        yield next(each for each in names if each.casefold() == name)


def _has_no_pci(guest: Guest) -> bool:
    """Machines of Hyper-V's second generation have no PCI bus but virtual ones, behind VMBus."""
    return guest.controller is not None and guest.controller.is_uefi_only


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
