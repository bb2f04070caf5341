"""The end of the boot chain: control set, boot drivers, file system driver."""

from pathlib import Path

from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import ControlSet, Symmpi
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.boot.start import start_steps
from bootgraft.boot.steps import Step


def steps(windows: MemoryWindows) -> tuple[Step, ...]:
    return start_steps(windows.installation, windows.hive)


def test_a_windows_that_starts(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True), driver=DriverFile.GOOD)
    control_set, drivers, mount = steps(windows)
    assert (control_set.link, drivers.link, mount.link) == (
        "SYSTEM (Default=1)",
        "18 boot drivers",
        "volume mounted by ntfs.sys",
    )
    assert control_set.evidence == "Select: Default=1, Current=1, LastKnownGood=2, Failed=0"
    assert ", atapi, mraid35x, symmpi, Disk, " in drivers.evidence
    assert mount.evidence.startswith("through one of atapi, mraid35x, symmpi:")
    assert all(each.holds for each in (control_set, drivers, mount))


def test_a_driver_without_its_file_is_told(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1, Symmpi.READY, binding=True))
    _, drivers, _ = steps(windows)
    assert drivers.holds
    assert drivers.evidence.endswith("; without a file: symmpi")


def test_a_critical_driver_without_its_file_breaks_the_chain(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    windows.filesystem.files.pop("\\WINDOWS\\system32\\drivers\\pci.sys")
    _, drivers, _ = steps(windows)
    assert (drivers.holds, drivers.what) == (
        False,
        "boot drivers without which Windows does not start have no file: PCI",
    )


def test_without_the_file_system_driver(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, ControlSet(1))
    windows.filesystem.files.pop("\\WINDOWS\\system32\\drivers\\ntfs.sys")
    *_, mount = steps(windows)
    assert (mount.holds, mount.what) == (False, "the file system driver ntfs.sys is missing")
