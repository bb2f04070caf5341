"""The three machines of each finding of ``cpu_hot_plug``."""

from msgspec.structs import replace
from tests.checks.case import Case
from tests.core_windows import core_windows, guest, repaired
from tests.machines.registry_text import reg_text
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10, Release
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.cpu_hot_plug import ID, find
from bootgraft.checks.finding import Finding

SERVER_2016 = replace(WINDOWS_10, build="14393")
BUTTON = reg_text({r"DriverDatabase\DeviceIds\ACPI\ACPI0010": {"hidinterrupt.inf": b"\x01\xff\0\0"}}) + "\n\n"


def server(edits: str = BUTTON, release: Release = SERVER_2016) -> MemoryWindows:
    """Server 2016, with the binding of a button."""
    return core_windows(edits, release=release, arch=Architecture.X64)


def found(windows: MemoryWindows, target: str = "kvm:virtio-blk") -> tuple[Finding, ...]:
    """What is found on a controller."""
    return tuple(find(guest(windows, target)))


CASES = {
    ID: Case(found(server()), found(repaired(server(), found(server()))), found(server(""))),
}
