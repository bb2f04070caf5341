"""Gate 4, first half: does anything tell the kernel which driver serves this controller?"""

from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import BindingStore, ControllerFacts, LinkFacts
from bootgraft.checks.controller.inbox import bind
from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.symptom import Symptom

MISSING = "device-binding-missing"
ONLY_INSTANCE = "device-binding-only-in-enum"
DETECTED = "device-binding-by-detection"
_REFERENCES = (
    "https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x7b--inaccessible-boot-device",
)
_MINIPORTS = (
    "https://learn.microsoft.com/windows-hardware/drivers/storage/scsi-miniport-initialization-under-plug-and-play"
)
DOCS = (
    FindingDoc(
        id=MISSING,
        applies_to="every Windows from NT 4 on",
        cause="The machine never had this controller: Setup of Windows 2000 to 7 made no CriticalDeviceDatabase key "
        "for any of its ids, or no entry of the DriverDatabase of Windows 8 and later leads to a service. NT 4 looks "
        "no driver up; there the finding means that no driver for the controller is known.",
        evidence="The control set and the ids looked for, and where each entry of the DriverDatabase ends.",
        fix="Where Windows ships the driver and its service and file are there, CriticalDeviceDatabase keys are made "
        "and the service is completed; where it has the file in one of its own caches (driver.cab, a service pack's "
        "cabinet or folder, dllcache), it is taken from there. A package that waits in the driver store of Vista "
        "and later does too. Else driver and bindings come from the driver source.",
        limits="A key without ClassGUID does not count: the kernel skips it. One without Service binds to no driver. "
        "An id in the DriverDatabase alone is no binding: packages that were only staged have that too. Of the "
        "channels of an IDE controller the first is looked at.",
        symptoms=(Symptom.STOP_7B,),
        references=_REFERENCES,
    ),
    FindingDoc(
        id=ONLY_INSTANCE,
        applies_to="Windows 2000 and later",
        cause="The machine ran with this controller before, so its Enum instance names the service, but neither the "
        "CriticalDeviceDatabase nor the DriverDatabase does: in another slot the controller is a new device without a "
        "driver.",
        evidence="The instance's key and its service.",
        fix="The bindings are made as where there is no instance.",
        limits="Which slot the virtual machine will use cannot be determined from the disk.",
        symptoms=(Symptom.STOP_7B,),
        references=_REFERENCES,
    ),
    FindingDoc(
        id=DETECTED,
        applies_to="Windows 2000, XP and Server 2003",
        cause="No binding names a driver for the controller, but a SCSI miniport that starts at boot has no "
        "Parameters\\PnpInterface: it looks for its adapters by itself, as on NT 4, and may find this one.",
        evidence="The ids looked for, and the miniport, which imports scsiport.sys and has the vendor and the device "
        "of the controller in its code.",
        fix="The bindings are made as where no miniport looks for the controller.",
        limits="What the miniport makes of the adapter is in its code, so the verdict is unknown; a first start on a "
        "copy of the disk settles it.",
        symptoms=(Symptom.STOP_7B,),
        references=(_MINIPORTS,),
    ),
)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each control set that binds no service to a device of the chain, or only in one slot."""
    return tuple(_check_link(facts, link) for link in facts.links if not link.is_bound)


def _check_link(facts: ControllerFacts, link: LinkFacts) -> Finding:
    changes = bind(facts, link)
    remedy = Remedy.CHANGES if changes else Remedy.DRIVER
    if link.detecting:
        names = " or ".join(each.name for each in link.detecting)
        return Finding(
            DETECTED,
            Severity.WARNING,
            f"only {names} may find {link.main_id} by itself in {link.control_set}",
            "No driver is bound to the controller. Windows starts if this miniport finds it, and stops with 0x7B "
            "otherwise: start a copy of the disk to see, or repair, which binds a driver.",
            (
                _lack(facts, link),
                *(f"{facts.hive.path}: {each.key_path} has Start=0 and no PnpInterface" for each in link.detecting),
            ),
            remedy,
            changes,
            leaves_open=link.is_default,
            device=link.main_id,
        )
    if link.service_name is None:
        return Finding(
            MISSING,
            severity_in(link),
            f"no driver for {link.main_id} in {link.control_set}",
            consequence(facts, link),
            (_lack(facts, link), *_dead_ends(facts, link)),
            remedy,
            changes,
            INACCESSIBLE_BOOT_DEVICE,
            device=link.main_id,
        )
    bound = next(each for each in link.instances if each.service == link.service_name)
    return Finding(
        ONLY_INSTANCE,
        Severity.WARNING,
        f"the driver for {link.main_id} is bound to one slot only in {link.control_set}",
        "Windows starts if the device stands in the slot that it stood in before, and stops with 0x7B elsewhere.",
        (_lack(facts, link), f"{facts.hive.path}: {bound.key_path} names the service {bound.service}"),
        remedy,
        changes,
        leaves_open=link.is_default,
        device=link.main_id,
    )


def _lack(facts: ControllerFacts, link: LinkFacts) -> str:
    hive, main_id, others = facts.hive.path, link.main_id, len(link.link.device_ids) - 1
    if link.store is BindingStore.NONE:
        return f"{hive}: {link.control_set}: no driver of NT 4 for {main_id} is known"
    if link.binding is not None and link.store is BindingStore.CRITICAL_DEVICES:
        return f"{hive}: {link.binding.key_path} has a ClassGUID but no Service: it binds no driver"
    if link.binding is not None:
        return f"{hive}: {link.binding.key_path} leads to a configuration without a Service: it binds no driver"
    device = "controller" if main_id == facts.controller.main_id else "device"
    any_other = f", nor for {_others(others)} of the {device}" if others else ""
    if link.store is BindingStore.DRIVER_DATABASE:
        return f"{hive}: DriverDatabase has no entry for {main_id} that leads to a service{any_other}"
    name = main_id.replace("\\", "#").lower()
    database = f"{link.control_set}\\Control\\CriticalDeviceDatabase"
    return f"{hive}: {database} has no key with a service for {name}{any_other}"


def _others(count: int) -> str:
    return "the 1 other id" if count == 1 else f"any of the {count} other ids"


def _dead_ends(facts: ControllerFacts, link: LinkFacts) -> tuple[str, ...]:
    return tuple(f"{facts.hive.path}: DriverDatabase\\{each}" for each in link.dead_ends)


CHECK = Check(Stage.CONTROLLER, 20, DOCS, lambda guest: check(guest.facts) if guest.facts else ())
