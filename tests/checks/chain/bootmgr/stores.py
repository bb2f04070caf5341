"""BIOS machines that bootmgr starts by a store."""

from tests.boot.bootmgr.test_chain import at, windows
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines import vista
from tests.machines.spec import Hive
from tests.windows.hives import spec_bytes

from bootgraft.checks.guest import Guest

RECOVERY_FILES = (vista.WIM, r"\Recovery\WindowsRE\boot.sdi")
RESUME_LOADER = r"\Windows\System32\winresume.exe"


def with_store(hive: Hive, *files: str) -> Guest:
    """A BIOS machine whose System Reserved partition has this store, and Windows' own these files too."""
    system = volume_of("\\bootmgr", "\\Boot\\memtest.exe", contents={"\\Boot\\BCD": spec_bytes(hive)})
    volumes = (FakePartition(system, active=True), FakePartition(windows("\\Windows", "winload.exe", *files)))
    return followed(machine_of(volumes))


def with_devices(system: bytes = at(1), windows: bytes = at(2), recovery: bytes = at(2)) -> Guest:
    """A machine with all that Setup makes, whose store names these partitions."""
    return with_store(vista.full_store(system, windows, recovery), RESUME_LOADER, *RECOVERY_FILES)


def of_the_other_firmware(*files: str) -> Guest:
    """A BIOS machine with all that Setup makes, whose store is that of a UEFI machine; with these files besides."""
    return with_store(vista.full_store(at(1), at(2), at(2), uefi=True), RESUME_LOADER, *RECOVERY_FILES, *files)
