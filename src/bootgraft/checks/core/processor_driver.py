r"""Windows 2000 to Server 2003: a driver for the old machine's processor that runs on any, and stops on another.

``intelppm.sys`` and its like ask the processor for what only those of their maker know. Where an image of a machine
with an Intel processor came to another one they stop with 0x7E (Microsoft, Knowledge Base 953356); in virtual machines
whose processor answers otherwise 0xCE is reported (softantenna.com, VirtualBox without VT-x). No machine needs them.
"""

from collections.abc import Iterator
from itertools import islice

from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import disable_service
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.hive import Key
from bootgraft.windows.installation import control_set_name
from bootgraft.windows.versions import VISTA, WINDOWS_2000

ID = "processor-driver-of-old-machine"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 2000 to Server 2003",
    cause="intelppm, processr, p3, amdk6, amdk7, amdk8, amdppm, gv3 or crusoe is started with the system. It was "
    "chosen for the processor of a physical machine: on one of another maker, or one shown otherwise by a hypervisor, "
    "it stops with 0x7E or 0xCE.",
    evidence="The service with its Start, and the processor or the physical machine that it is of.",
    fix="`--fix processor-driver-of-old-machine` sets Start to 4 in every control set. Windows runs without it.",
    limits="A warning: with a processor of the same maker most machines start. Nothing is said of a Windows that has "
    "met the devices of a hypervisor, unless the only processor that it knows is of another maker than the driver.",
    symptoms=(Symptom.STOP_7E, Symptom.RESTART_LOOP),
    references=("https://mskb.pkisolutions.com/kb/953356", "https://support.microsoft.com/kb/953356"),
)
_INTEL, _AMD, _TRANSMETA = "genuineintel", "authenticamd", "genuinetmx86"
_DRIVERS = {
    "intelppm": _INTEL, "p3": _INTEL, "gv3": _INTEL, "processr": "", "amdk6": _AMD, "amdk7": _AMD, "amdk8": _AMD,
    "amdppm": _AMD, "crusoe": _TRANSMETA,
}  # fmt: skip
"""By service: how processors of its maker call themselves; '' for that which serves all."""
_STARTED = (0, 1)
_HYPERVISORS = ("VEN_15AD", "VEN_80EE", "VEN_1AF4", "VEN_1B36", "VEN_1234", "VEN_1414", "VEN_5853", "VEN_1AB8")
"""PCI vendors whose devices only hypervisors present: VMware, VirtualBox, Red Hat, qemu, Microsoft, Xen, Parallels."""
_MAX_KEYS = 1024


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for the drivers of a processor that the new machine need not have."""
    core = guest.core
    if core is None or not WINDOWS_2000 <= core.version < VISTA:
        return
    number = core.installation.select.default
    started = [each for name in _DRIVERS if (each := core.driver(number, name)).start in _STARTED]
    if not started:
        return
    makers = _processors(core)
    foreign = [each for each in started if makers and _DRIVERS[each.name.casefold()] not in ("", *makers)]
    is_physical = _is_physical(core)
    if not foreign and not is_physical:
        return
    shown = foreign or started
    why = (
        f"the processor that this Windows knows is {' and '.join(sorted(makers))}"
        if foreign
        else "this Windows has met the devices of no hypervisor: it comes from a physical machine"
    )
    yield Finding(
        ID,
        Severity.WARNING,
        f"{' and '.join(each.name for each in shown)} serve{'s' if len(shown) == 1 else ''} the processor of the old "
        "machine",
        "On a processor of another maker, or one that a hypervisor shows otherwise, it stops with 0x7E or 0xCE: "
        "Windows restarts again and again. Nothing needs it in a virtual machine.",
        (*(f"{core.file.path}: {each.shown_start}" for each in shown), why),
        Remedy.OFFERED,
        tuple(change for each in shown for change in disable_service(core.installation, core.hive, each.name)),
    )


def _processors(core: CoreFacts) -> frozenset[str]:
    """How the processors call themselves that this Windows has met (``GenuineIntel_-_x86_Family_6…``)."""
    names = (each.name.casefold() for each in _enum(core, "ACPI"))
    return frozenset(maker for name in names for maker in (_INTEL, _AMD, _TRANSMETA) if name.startswith(maker))


def _is_physical(core: CoreFacts) -> bool:
    devices = [each.name.upper() for each in _enum(core, "PCI")]
    return bool(devices) and not any(name.startswith(_HYPERVISORS) for name in devices)


def _enum(core: CoreFacts, enumerator: str) -> Iterator[Key]:
    key = core.hive.key(f"{control_set_name(core.installation.select.default)}\\Enum\\{enumerator}")
    yield from islice(key.keys(), _MAX_KEYS) if key is not None else ()


CHECK = Check(Stage.CORE, 40, (DOC,), find)
