"""A Windows 7 whose loader is gone; the rest of it is as Setup leaves it."""

from collections.abc import Mapping

from tests.boot.bootmgr.test_chain import at
from tests.checks.guests import followed
from tests.core_windows import core_windows, driver_file
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines import bcd, vista
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_7, WINDOWS_10
from tests.windows.hives import spec_bytes

from bootgraft.checks.guest import Guest

LOADER = r"system32\winload.exe"
COMPONENT = "amd64_microsoft-windows-b..environment-windows_31bf3856ad364e35_6.1.7601.17514_none_0123456789abcdef"
BINARY = driver_file(WINDOWS_7, Architecture.X64)
"""It stands for a loader: what counts of one is its architecture and version."""
LATER = driver_file(WINDOWS_10, Architecture.X64)


def with_files(files: Mapping[str, bytes], *, osdevice: bytes = at(2)) -> Guest:
    """The machine, with these files below the Windows directory."""
    entry = bcd.loader(vista.DEFAULT, at(2), osdevice=osdevice)
    hive = bcd.store(bcd.bootmgr(at(1), vista.DEFAULT, (vista.DEFAULT,)), entry)
    system = volume_of("\\bootmgr", contents={"\\Boot\\BCD": spec_bytes(hive)})
    windows = core_windows(release=WINDOWS_7, arch=Architecture.X64, files=files)
    return followed(machine_of([FakePartition(system, active=True), FakePartition(windows.filesystem)]))
