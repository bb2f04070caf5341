"""Gate 4 of Windows 8 and later: does an override take a driver of the chain out of the boot?

Windows leaves every in-box boot driver at Start 0 and demotes those that the machine did not need by a subkey
``StartOverride``: a value named after the hardware configuration, data 3 (seen in hives of Windows 8.1 and 10).
"""

from collections.abc import Sequence

from bootgraft.changes import RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.controller.wording import consequence, severity_in
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.values import ValueType, dword_data
from bootgraft.windows.services import Service, StartOverride

ID = "boot-service-start-override"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 8, Server 2012 and later",
    cause="The service has Start 0, but a value below its key StartOverride is not 0: Windows demoted the driver, as "
    "the machine started without it, and the loader leaves it on the disk.",
    evidence="Each value of StartOverride that is not 0.",
    fix="Each such value is set to 0.",
    limits="A value counts for one hardware configuration. Where HardwareConfig\\LastId tells as which one Windows "
    "last ran, values for others are only a warning: they matter if it takes the new machine for one of those. A "
    "machine that it takes for a new one may start in spite of all of them.",
    symptoms=(Symptom.STOP_7B,),
    references=("https://learn.microsoft.com/windows-hardware/drivers/install/specifying-driver-load-order",),
)
_FIRST = (6, 2)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each service of the chain and control set that an override demotes."""
    if facts.version < _FIRST:
        return ()
    found = (_check_link(facts, link, link.service) for link in facts.links if link.service is not None)
    return tuple(finding for finding in found if finding)


def _check_link(facts: ControllerFacts, link: LinkFacts, service: Service) -> Finding | None:
    demoting = [each for each in service.start_overrides if each.start != 0]
    if not demoting:
        return None
    if all(each.is_elsewhere for each in demoting):
        return _elsewhere(facts, link, service, demoting)
    return Finding(
        ID,
        severity_in(link),
        f"the service {service.name} is kept from starting at boot by StartOverride in {link.control_set}",
        consequence(facts, link),
        (_evidence(facts, demoting),),
        Remedy.CHANGES,
        tuple(_lift(facts, each) for each in demoting),
        INACCESSIBLE_BOOT_DEVICE,
    )


def _elsewhere(facts: ControllerFacts, link: LinkFacts, service: Service, demoting: Sequence[StartOverride]) -> Finding:
    numbers = " and ".join(each.name for each in demoting)
    return Finding(
        ID,
        Severity.WARNING,
        f"the service {service.name} is kept from starting at boot on another hardware in {link.control_set}",
        "Windows last ran as another hardware configuration, in which it starts at boot. It stops with 0x7B only if it "
        f"takes the new machine for configuration {numbers} again.",
        (_evidence(facts, demoting), f"{facts.hive.path}: HardwareConfig: LastId is another"),
        Remedy.CHANGES,
        tuple(_lift(facts, each) for each in demoting),
    )


def _evidence(facts: ControllerFacts, demoting: Sequence[StartOverride]) -> str:
    shown = ", ".join(f"{each.name}={'no number' if each.start is None else each.start}" for each in demoting)
    return f"{facts.hive.path}: {demoting[0].key_path}: {shown}; needed is 0"


def _lift(facts: ControllerFacts, override: StartOverride) -> SetValue:
    before = None if override.start is None else _dword(override.start)
    return SetValue(facts.hive, override.key_path, override.name, _dword(0), before)


def _dword(number: int) -> RegistryData:
    return RegistryData(ValueType.REG_DWORD, dword_data(number))


CHECK = Check(Stage.CONTROLLER, 40, (DOC,), lambda guest: check(guest.facts) if guest.facts else ())
