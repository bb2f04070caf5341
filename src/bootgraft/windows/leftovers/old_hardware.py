"""Drivers for the old machine's processor or AGP bridge that NT 5 starts without asking whether the hardware is there.

Processors: Microsoft KB 953356 (intelppm, on another make: STOP 0x7E) and VirtualBox' "Migrate Windows"; AGP filters:
Microsoft KB 324764 and Parallels KB 5756 (agp440 hangs or stops). From Vista on they are started by Plug and Play alone
(Start 3 in real hives of 7 and later).
"""

from enum import StrEnum
from itertools import islice

from msgspec import Struct

from bootgraft.registry.hive import Hive


class Hardware(StrEnum):
    """What a driver is for; of processors, whose make it drives."""

    AGP = "the AGP bridge"
    ANY_PROCESSOR = "processors"
    INTEL = "Intel's processors"
    AMD = "AMD's processors"
    TRANSMETA = "Transmeta's processors"


class OldDriver(Struct, frozen=True):
    """One driver: its service, what it is for, and the value of Start with which it is started on any hardware."""

    service: str
    hardware: Hardware
    start: int


OLD_DRIVERS = (
    *(OldDriver(each, Hardware.AGP, 0) for each in ("agp440", "agpCPQ", "viaagp", "sisagp", "amdagp", "alim1541")),
    *(OldDriver(each, Hardware.INTEL, 1) for each in ("intelppm", "P3")),
    *(OldDriver(each, Hardware.AMD, 1) for each in ("AmdK6", "AmdK7", "AmdK8", "AmdPPM")),
    OldDriver("Crusoe", Hardware.TRANSMETA, 1),
    OldDriver("Processor", Hardware.ANY_PROCESSOR, 1),
)
_INTEL = (
    "conroe core2duo coreduo penryn nehalem westmere sandybridge ivybridge haswell broadwell skylake cascadelake "
    "cooperlake icelake denverton snowridge sapphirerapids graniterapids sierraforest knightsmill n270 pentium kvm64"
)
_AMD = ("athlon", "phenom", "opteron", "epyc", "dhyana")


_SELF_NAMES = {"genuineintel": Hardware.INTEL, "authenticamd": Hardware.AMD, "genuinetmx86": Hardware.TRANSMETA}
"""What processors call themselves (CPUID): their instances below Enum\\ACPI begin so, as in real hives of XP."""
_MAX_DEVICES = 1024


def processors_met(system: Hive, control_set: int) -> tuple[Hardware, ...]:
    """Whose processors a Windows has met, each once. Raises HiveError where its SYSTEM hive is damaged there."""
    key = system.key(f"ControlSet{control_set:03d}\\Enum\\ACPI")
    names = () if key is None else tuple(each.name.casefold() for each in islice(key.keys(), _MAX_DEVICES))
    return tuple(make for start, make in _SELF_NAMES.items() if any(name.startswith(start) for name in names))


def make_of(model: str) -> Hardware | None:
    """Whose processor a model of qemu's is (``qemu-system-x86_64 -cpu help``); None where that is not known."""
    name = model.casefold()
    if any(name.startswith(each) for each in _INTEL.split()):
        return Hardware.INTEL
    return Hardware.AMD if any(name.startswith(each) for each in _AMD) else None
