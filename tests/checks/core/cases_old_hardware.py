"""The three machines of each finding of ``old_hardware``."""

from tests.checks.case import Case
from tests.core_windows import core_windows, driver_file, guest, in_sets, repaired
from tests.machines.windows_hives import WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.old_hardware import AGP, PROCESSOR, find
from bootgraft.checks.finding import Finding


def with_driver(
    name: str, start: int, release: Release = WINDOWS_XP, *, file: bool = True, met: str = ""
) -> MemoryWindows:
    """A Windows that has this driver, with or without its file, and has met this processor."""
    edits = in_sets({rf"Services\{name}": {"Type": 1, "Start": start, "ErrorControl": 1}})
    edits += in_sets({rf"Enum\ACPI\{met}\_0": {"Service": name}}) if met else ""
    files = {rf"system32\drivers\{name}.sys": driver_file(release)} if file else {}
    return core_windows(edits, release=release, files=files)


def found(windows: MemoryWindows, target: str = "kvm:ide") -> tuple[Finding, ...]:
    """What is found on a controller."""
    return tuple(find(guest(windows, target)))


def _case(name: str, start: int) -> Case:
    broken = found(with_driver(name, start))
    return Case(broken, found(repaired(with_driver(name, start), broken)), found(core_windows()))


CASES = {
    PROCESSOR: _case("intelppm", 1),
    AGP: _case("agp440", 0),
}
