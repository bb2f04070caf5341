"""Gate 4, first half: does anything tell the kernel which driver serves this controller?"""

from bootgraft.checks.facts import ControllerFacts, ControlSetFacts
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Severity
from bootgraft.checks.wording import consequence, severity_in

MISSING = "device-binding-missing"
ONLY_INSTANCE = "device-binding-only-in-enum"
_REFERENCES = (
    "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x7b--inaccessible-boot-device",
)
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to="Windows 2000, XP and Server 2003",
        cause="The machine never had this controller, so Setup made no CriticalDeviceDatabase key for any of its ids.",
        evidence="The control set and the ids looked for below Control\\CriticalDeviceDatabase.",
        fix="The keys are copied from the driver source into every control set. Where Windows ships the driver and has "
        "it in one of its own caches (driver.cab, a service pack's cabinet or folder, dllcache), no source is needed.",
        limits="A key without ClassGUID does not count: the kernel skips it. One without Service binds to no driver.",
        references=_REFERENCES,
    ),
    FindingDoc(
        id=ONLY_INSTANCE,
        applies_to="Windows 2000, XP and Server 2003",
        cause="The machine ran with this controller before, so its Enum instance names the service, but the "
        "CriticalDeviceDatabase does not: in another PCI slot the controller is a new device without a driver.",
        evidence="The instance's key and its service.",
        fix="The CriticalDeviceDatabase keys are copied from the driver source.",
        limits="Which slot the virtual machine will use cannot be told from the disk.",
        references=_REFERENCES,
    ),
)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each control set that binds no service to the controller, or only in one slot."""
    found = (_check_set(facts, control_set) for control_set in facts.sets if not control_set.is_bound)
    return tuple(finding for finding in found if finding)


def _check_set(facts: ControllerFacts, control_set: ControlSetFacts) -> Finding:
    main_id = facts.controller.main_id
    others = len(facts.controller.device_ids()) - 1
    lack = (
        f"{facts.hive.path}: {control_set.name}\\Control\\CriticalDeviceDatabase has no key with a service for "
        f"{_key_name(main_id)}, nor for any of the {others} other ids of the controller"
    )
    if control_set.binding is not None:
        lack = f"{facts.hive.path}: {control_set.binding.key_path} has a ClassGUID but no Service: it binds no driver"
    if control_set.service_name is None:
        return Finding(
            MISSING,
            severity_in(control_set),
            f"no driver for {main_id} in {control_set.name}",
            consequence(facts, control_set),
            (lack,),
            Remedy.DRIVER,
            stop_code=INACCESSIBLE_BOOT_DEVICE,
        )
    bound = next(each for each in control_set.instances if each.service == control_set.service_name)
    return Finding(
        ONLY_INSTANCE,
        Severity.WARNING,
        f"the driver for {main_id} is bound to one PCI slot only in {control_set.name}",
        "Windows starts if the controller stands in the slot that it stood in before, and stops with 0x7B elsewhere.",
        (lack, f"{facts.hive.path}: {bound.key_path} names the service {bound.service}"),
        Remedy.DRIVER,
        leaves_open=control_set.is_default,
    )


def _key_name(device_id: str) -> str:
    return device_id.replace("\\", "#").lower()
