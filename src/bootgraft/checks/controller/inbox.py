"""What brings a driver to life that lies on the volume already: its service started at boot, its binding made.

Setup of Windows 2000, XP and Server 2003 leaves the services of drivers that it did not need disabled and incomplete
(Start 4, no ImagePath), and makes CriticalDeviceDatabase keys for the hardware at hand only. What is missing is what
KB314082 ("STOP 0x7B after you move the system disk") has one import for IDE, and what pnpscsi.inf has for others.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from bootgraft.changes import Change, CreateKey, RegistryData, SetValue
from bootgraft.checks.controller.driver_file import fault_of
from bootgraft.checks.controller.facts import BindingStore, ControllerFacts, LinkFacts
from bootgraft.checks.hive_edit import service_key
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.windows.driver_files import DriverFacts, unsatisfied
from bootgraft.windows.services import Service
from bootgraft.windows.startup.core_services import BOOT_START, shipped_service
from bootgraft.windows.versions import FIRST_WITH_PLUG_AND_PLAY, VISTA

_KERNEL_DRIVER, _NORMAL = 1, 1
_GROUPS = {"intelide": "System Bus Extender", "pciide": "System Bus Extender", "disk": "SCSI Class"}
_OTHER_GROUP = "SCSI miniport"


def is_usable(facts: ControllerFacts, driver: DriverFacts) -> bool:
    """Whether this Windows could load the driver's file."""
    return fault_of(facts, driver) is None and not unsatisfied(driver, facts.architecture)


def bind(facts: ControllerFacts, link: LinkFacts) -> tuple[Change, ...]:
    """What makes the in-box driver serve the link where its service and file are there already; else nothing.

    Only for Windows that bind by the CriticalDeviceDatabase: others have no key that could be missing.
    """
    inbox = link.inbox
    if inbox is None or link.store is not BindingStore.CRITICAL_DEVICES or not is_usable(facts, inbox.driver):
        return ()
    if inbox.service is not None:
        return (*start_at_boot(facts, inbox.service, inbox.driver), *_keys(facts, link, inbox.name))
    made, is_known = make_again(facts, link)
    return (*made, *_keys(facts, link, inbox.name)) if is_known else ()


def make_again(facts: ControllerFacts, link: LinkFacts) -> tuple[tuple[Change, ...], bool]:
    """The key of a service that Windows ships and that is gone, and whether its values are known of this release.

    Nothing where they are not known at all, or the driver's file cannot be loaded. Windows 2000 to Server 2003 are left
    to what their INFs say (``drivers/guest/inboxservices``).
    """
    inbox = link.inbox
    if inbox is None or inbox.service is not None or FIRST_WITH_PLUG_AND_PLAY <= facts.version < VISTA:
        return (), False
    shipped = shipped_service(inbox.name, facts.version)
    if shipped is None or not is_usable(facts, inbox.driver):
        return (), False
    service, is_known = shipped
    key = f"{link.control_set}\\Services\\{service.name}"
    return tuple(service_key(facts.hive, key, replace(service, start=BOOT_START))), is_known


def start_at_boot(facts: ControllerFacts, service: Service, driver: DriverFacts | None) -> tuple[SetValue, ...]:
    """What makes the loader start a service; before Vista, every value that its key lacks too."""
    wanted = [
        ("Start", _number(service.start), _dword(BOOT_START)),
        ("Type", _number(service.type), _dword(_KERNEL_DRIVER)),
    ]
    if facts.version < VISTA:
        wanted += _missing(facts, service, driver)
    key = service.key_path
    return tuple(SetValue(facts.hive, key, name, want, have) for name, have, want in wanted if have != want)


def _missing(
    facts: ControllerFacts, service: Service, driver: DriverFacts | None
) -> Iterator[tuple[str, RegistryData | None, RegistryData]]:
    if service.error_control is None:
        yield "ErrorControl", None, _dword(_NORMAL)
    if not service.group:
        group = _GROUPS.get(service.name.casefold(), _OTHER_GROUP)
        yield "Group", None, RegistryData(ValueType.REG_SZ, text_data(group))
    inside = driver is not None and driver.path.casefold().startswith(f"{facts.directory}\\".casefold())
    if not service.image_path and driver is not None and inside:
        relative = driver.path[len(facts.directory) + 1 :]
        yield "ImagePath", None, RegistryData(ValueType.REG_EXPAND_SZ, text_data(relative))


def _keys(facts: ControllerFacts, link: LinkFacts, service: str) -> Iterator[Change]:
    for device_id in link.link.critical_ids:
        name = device_id.replace("\\", "#").lower()
        key = f"{link.control_set}\\Control\\CriticalDeviceDatabase\\{name}"
        yield CreateKey(facts.hive, key)
        for value, text in (("ClassGUID", link.link.class_guid), ("Service", service)):
            yield SetValue(facts.hive, key, value, RegistryData(ValueType.REG_SZ, text_data(text)), None)


def _number(number: int | None) -> RegistryData | None:
    return None if number is None else _dword(number)


def _dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))
