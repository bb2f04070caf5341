"""Gate 4, second half: is the bound service there, and does the loader start it, from a path that it understands?"""

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import BindingStore, ControllerFacts, LinkFacts
from bootgraft.checks.controller.inbox import make_again, start_at_boot
from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.values import ValueType, text_data
from bootgraft.windows.roots import is_relative

MISSING = "boot-service-missing"
NOT_BOOT_START = "boot-service-not-boot-start"
NOT_RELATIVE = "boot-service-path-not-relative"
UNKNOWN_GROUP = "boot-service-group-unknown"
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to="every Windows from NT 4 on",
        cause="The CriticalDeviceDatabase or DriverDatabase names a service that the control set does not have; on "
        "NT 4, which has neither, the service that drives such a controller is not there.",
        evidence="The binding's key and the service key that is missing.",
        fix="A service that Windows itself ships for IDE, Hyper-V's bus or the disk is made again with the values that "
        "real Windows of this release have (NT 4, 7, 8.1, 10), or in which the nearest ones below and above agree, if "
        "its driver's file is there; those of 2000, XP and Server 2003 as their INFs say. Where none are known, "
        "`--fix boot-service-missing` takes those of the nearest release. The service of the controller itself is "
        "copied from the driver source into every control set.",
        limits="A driver source gives the controller's driver alone: without values or without file, another device's "
        "comes from the same Windows elsewhere, by hand (`reg export`, `reg import`).",
        symptoms=(Symptom.STOP_7B,),
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/inf-addservice-directive",),
    ),
    FindingDoc(
        id=NOT_BOOT_START,
        applies_to="every Windows from NT 4 on",
        cause="Windows ships drivers for hardware that it has not met disabled (Start=4) or demand-started (Start=3); "
        "the loader reads only services with Start=0 from the disk.",
        evidence="The service key and its Start and Type values.",
        fix="Start is set to 0 (boot start) and Type to 1 (kernel driver). On Windows 2000, XP and Server 2003, which "
        "leave unused drivers without them, ErrorControl, Group and ImagePath are filled in where they are missing.",
        limits="",
        symptoms=(Symptom.STOP_7B,),
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order",),
    ),
    FindingDoc(
        id=NOT_RELATIVE,
        applies_to="Windows NT 4, 2000, XP and Server 2003",
        cause="ImagePath begins with \\SystemRoot, a variable or a drive. The kernel and the service control manager "
        "understand such a path; ntldr, which loads boot drivers, takes one that is relative to the Windows directory.",
        evidence="The service key and its ImagePath.",
        fix="ImagePath is set to the same file's path relative to the Windows directory.",
        limits="Which releases of ntldr stop at such a path is not documented.",
        symptoms=(Symptom.FILE_MISSING, Symptom.STOP_7B),
        references=(
            "https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree",
        ),
    ),
    FindingDoc(
        id=UNKNOWN_GROUP,
        applies_to="every Windows",
        cause="The service's Group value names a load-order group that Control\\ServiceGroupOrder does not list, as a "
        "vendor's package may bring.",
        evidence="The service key and its Group.",
        fix="None is needed: Windows loads such a driver after all groups that are in order.",
        limits="",
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order",),
    ),
)
_KERNEL_DRIVER = 1
_BOOT_START = 0
_WINLOAD = (6, 0)
"""The first Windows whose loader takes such paths: Windows 7 itself keeps msahci at \\SystemRoot and starts from it."""


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """The findings for each control set whose bound service is missing or not started by the loader."""
    served = [link for link in facts.links if link.service_name]
    found = (check(facts, link) for link in served for check in (_check_link, _check_path, _check_group))
    return tuple(finding for finding in found if finding)


def _check_link(facts: ControllerFacts, link: LinkFacts) -> Finding | None:
    service = link.service
    if service is None:
        key = f"{link.control_set}\\Services\\{link.service_name}"
        is_shipped = link.inbox is not None and link.inbox.name == link.service_name
        changes, is_known = make_again(facts, link) if is_shipped else ((), False)
        remedy = Remedy.CHANGES if is_known else Remedy.OFFERED
        return Finding(
            MISSING,
            severity_in(link),
            f"the service {link.service_name} is missing in {link.control_set}",
            consequence(facts, link),
            (f"{facts.hive.path}: {_needed_by(link)}; there is no key {key}",),
            remedy if changes else Remedy.DRIVER,
            changes,
            stop_code=INACCESSIBLE_BOOT_DEVICE,
            device=link.main_id,
        )
    if service.start == _BOOT_START and service.type == _KERNEL_DRIVER:
        return None
    return Finding(
        NOT_BOOT_START,
        severity_in(link),
        f"the service {service.name} is not started at boot in {link.control_set}",
        consequence(facts, link),
        (f"{facts.hive.path}: {service.key_path}: Start={service.start}, Type={service.type}; needed are 0 and 1",),
        Remedy.CHANGES,
        start_at_boot(facts, service, link.driver),
        INACCESSIBLE_BOOT_DEVICE,
    )


def _check_group(facts: ControllerFacts, link: LinkFacts) -> Finding | None:
    service = link.service
    if service is None or link.group_is_listed:
        return None
    return Finding(
        UNKNOWN_GROUP,
        Severity.INFO,
        f"the load-order group of the service {service.name} is not one that {link.control_set} puts in order",
        "It is loaded after the drivers of all groups that are; a storage driver is still in time then.",
        (f"{facts.hive.path}: {service.key_path}: Group={service.group}; it is not in Control\\ServiceGroupOrder",),
    )


def _check_path(facts: ControllerFacts, link: LinkFacts) -> Finding | None:
    service, driver = link.service, link.driver
    if facts.version >= _WINLOAD:
        return None
    if service is None or driver is None or not service.image_path or is_relative(service.image_path):
        return None
    inside = driver.path.casefold().startswith(f"{facts.directory}\\".casefold())
    relative = driver.path[len(facts.directory) + 1 :]
    wanted = SetValue(facts.hive, service.key_path, "ImagePath", _expandable(relative), _expandable(service.image_path))
    return Finding(
        NOT_RELATIVE,
        Severity.WARNING,
        f"the path of the service {service.name} is not relative to Windows in {link.control_set}",
        "ntldr loads boot drivers by a path relative to the Windows directory; whether it finds this one, bootgraft "
        "cannot tell.",
        (f"{facts.hive.path}: {service.key_path}: ImagePath={service.image_path}",),
        Remedy.CHANGES if inside else Remedy.NONE,
        (wanted,) if inside else (),
        leaves_open=link.is_default,
    )


def _needed_by(link: LinkFacts) -> str:
    if link.link.is_filter:
        return f"{link.service_name} is a filter driver of the disk"
    if link.store is BindingStore.NONE:
        return f"NT 4 drives {link.main_id} by it"
    bound_by = link.binding.key_path if link.binding and link.is_bound else "an Enum instance"
    return f"{bound_by} binds {link.main_id} to it"


def _expandable(text: str) -> RegistryData:
    return RegistryData(ValueType.REG_EXPAND_SZ, text_data(text))


CHECK = Check(Stage.CONTROLLER, 30, DOCS, lambda guest: check(guest.facts) if guest.facts else ())
