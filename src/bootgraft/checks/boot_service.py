"""Gate 4, second half: is the bound service there, and does the loader start it, from a path that it understands?"""

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.facts import ControllerFacts, ControlSetFacts
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Severity
from bootgraft.checks.wording import consequence, severity_in
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.windows.roots import is_relative
from bootgraft.windows.services import Service

MISSING = "boot-service-missing"
NOT_BOOT_START = "boot-service-not-boot-start"
NOT_RELATIVE = "boot-service-path-not-relative"
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to="Windows 2000, XP and Server 2003",
        cause="The CriticalDeviceDatabase names a service that the control set does not have.",
        evidence="The binding's key and the service key that is missing.",
        fix="The service key is copied from the driver source into every control set.",
        limits="",
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/inf-addservice-directive",),
    ),
    FindingDoc(
        id=NOT_BOOT_START,
        applies_to="Windows 2000, XP and Server 2003",
        cause="Windows ships drivers for hardware that it has not met disabled (Start=4) or demand-started (Start=3); "
        "the loader reads only services with Start=0 from the disk.",
        evidence="The service key and its Start and Type values.",
        fix="Start is set to 0 (boot start) and Type to 1 (kernel driver).",
        limits="",
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order",),
    ),
    FindingDoc(
        id=NOT_RELATIVE,
        applies_to="Windows 2000, XP and Server 2003",
        cause="ImagePath begins with \\SystemRoot, a variable or a drive. The kernel and the service control manager "
        "understand such a path; ntldr, which loads boot drivers, takes one that is relative to the Windows directory.",
        evidence="The service key and its ImagePath.",
        fix="ImagePath is set to the same file's path relative to the Windows directory.",
        limits="Which releases of ntldr stop at such a path is not documented.",
        references=(
            "https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree",
        ),
    ),
)
_KERNEL_DRIVER = 1
_BOOT_START = 0


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """The findings for each control set whose bound service is missing or not started by the loader."""
    served = [control_set for control_set in facts.sets if control_set.service_name]
    found = (check(facts, control_set) for control_set in served for check in (_check_set, _check_path))
    return tuple(finding for finding in found if finding)


def _check_set(facts: ControllerFacts, control_set: ControlSetFacts) -> Finding | None:
    service = control_set.service
    if service is None:
        key = f"{control_set.name}\\Services\\{control_set.service_name}"
        bound_by = control_set.binding.key_path if control_set.binding and control_set.is_bound else "an Enum instance"
        return Finding(
            MISSING,
            severity_in(control_set),
            f"the service {control_set.service_name} is missing in {control_set.name}",
            consequence(facts, control_set),
            (f"{facts.hive.path}: {bound_by} binds {facts.controller.main_id} to it; there is no key {key}",),
            Remedy.DRIVER,
            stop_code=INACCESSIBLE_BOOT_DEVICE,
        )
    if service.start == _BOOT_START and service.type == _KERNEL_DRIVER:
        return None
    return Finding(
        NOT_BOOT_START,
        severity_in(control_set),
        f"the service {service.name} is not started at boot in {control_set.name}",
        consequence(facts, control_set),
        (f"{facts.hive.path}: {service.key_path}: Start={service.start}, Type={service.type}; needed are 0 and 1",),
        Remedy.CHANGES,
        _start_at_boot(facts, service),
        INACCESSIBLE_BOOT_DEVICE,
    )


def _check_path(facts: ControllerFacts, control_set: ControlSetFacts) -> Finding | None:
    service, driver = control_set.service, control_set.driver
    if service is None or driver is None or not service.image_path or is_relative(service.image_path):
        return None
    inside = driver.path.casefold().startswith(f"{facts.directory}\\".casefold())
    relative = driver.path[len(facts.directory) + 1 :]
    wanted = SetValue(facts.hive, service.key_path, "ImagePath", _expandable(relative), _expandable(service.image_path))
    return Finding(
        NOT_RELATIVE,
        Severity.WARNING,
        f"the path of the service {service.name} is not relative to Windows in {control_set.name}",
        "ntldr loads boot drivers by a path relative to the Windows directory; whether it finds this one, bootgraft "
        "cannot tell.",
        (f"{facts.hive.path}: {service.key_path}: ImagePath={service.image_path}",),
        Remedy.CHANGES if inside else Remedy.NONE,
        (wanted,) if inside else (),
        leaves_open=control_set.is_default,
    )


def _start_at_boot(facts: ControllerFacts, service: Service) -> tuple[SetValue, ...]:
    wanted = (("Start", service.start, _BOOT_START), ("Type", service.type, _KERNEL_DRIVER))
    return tuple(
        SetValue(facts.hive, service.key_path, name, _dword(want), None if have is None else _dword(have))
        for name, have, want in wanted
        if have != want
    )


def _expandable(text: str) -> RegistryData:
    return RegistryData(ValueType.REG_EXPAND_SZ, text_data(text))


def _dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))
