"""Gate 4: does an old device instance keep the CriticalDeviceDatabase from being asked?

The kernel consults the CriticalDeviceDatabase only for an instance without ClassGUID; one that is disabled
(ConfigFlags bit 0), or has a class but no service or another one, defeats the binding.
"""

from collections.abc import Iterable

from bootgraft.changes import FileId, RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Stage
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.values import ValueType, dword_data, text_data
from bootgraft.windows.bindings import CONFIGFLAG_DISABLED, EnumInstance

ID = "enum-instance-defeats-binding"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 2000 and later",
    cause="The machine met this controller before: its Enum instance is disabled, or has a device class with no "
    "service or with another one. The kernel then does not look into the CriticalDeviceDatabase or DriverDatabase.",
    evidence="The instance's key with its ClassGUID, Service and ConfigFlags.",
    fix="Service is set to the bound one and the disabled bit of ConfigFlags is cleared; nothing is deleted.",
    limits="Instances with another subsystem id belong to another device and are left alone.",
    symptoms=(Symptom.STOP_7B,),
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-enum-registry-tree",
    ),
)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each instance that keeps the bound service from the controller."""
    return tuple(
        _finding(facts, link, instance, link.service_name)
        for link in facts.links
        if link.service_name
        for instance in link.instances
        if defeats(instance, link.service_name)
    )


def defeats(instance: EnumInstance, service: str) -> bool:
    """Whether this instance keeps ``service`` from being started for its device."""
    other = bool(instance.class_guid) and (instance.service or "").casefold() != service.casefold()
    return instance.disabled or other


def rebind(hive: FileId, instances: Iterable[EnumInstance], service: str) -> tuple[SetValue, ...]:
    """The changes that let ``service`` serve these instances again."""
    changes: list[SetValue] = []
    for instance in instances:
        if instance.disabled:
            flags = instance.config_flags or 0
            changes.append(
                SetValue(hive, instance.key_path, "ConfigFlags", _dword(flags & ~CONFIGFLAG_DISABLED), _dword(flags))
            )
        if instance.class_guid and (instance.service or "").casefold() != service.casefold():
            before = None if instance.service is None else _text(instance.service)
            changes.append(SetValue(hive, instance.key_path, "Service", _text(service), before))
    return tuple(changes)


def _finding(facts: ControllerFacts, link: LinkFacts, instance: EnumInstance, service: str) -> Finding:
    state = "disabled" if instance.disabled else f"bound to {instance.service or 'no service'}"
    evidence = (
        f"{facts.hive.path}: {instance.key_path} has ClassGUID={instance.class_guid or '(none)'}, "
        f"Service={instance.service or '(none)'}, ConfigFlags={instance.config_flags or 0}; "
        f"it takes Service={service} and ConfigFlags bit 0 clear"
    )
    return Finding(
        ID,
        severity_in(link),
        f"an old device instance of {link.main_id} is {state} in {link.control_set}",
        consequence(facts, link),
        (evidence,),
        Remedy.CHANGES,
        rebind(facts.hive, (instance,), service),
        INACCESSIBLE_BOOT_DEVICE,
    )


def _dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))


def _text(text: str) -> RegistryData:
    return RegistryData(ValueType.REG_SZ, text_data(text))


CHECK = Check(Stage.CONTROLLER, 80, (DOC,), lambda guest: check(guest.facts) if guest.facts else ())
