"""Windows that virt-v2v converted: its first-boot service, the scripts that are left, and what its log says."""

from collections.abc import Sequence

from tests.core_windows import core_windows, in_sets
from tests.machines.registry_text import RegistryValue
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10, Release
from tests.memory_windows import MemoryWindows

from bootgraft.windows.leftovers.first_boot import FOLDER, LOG

DRIVERS, AGENT = "2000-0001-pnputil-install-drivers.bat", "5000-0002-install-qemu-ga.bat"
IMAGE = rf"C:{FOLDER}\rhsrvany.exe -s firstboot"
SERVICE: dict[str, dict[str, RegistryValue]] = {
    r"services\firstboot": {"Type": 0x10, "Start": 2, "ErrorControl": 1, "ImagePath": IMAGE},
    r"services\firstboot\Parameters": {"CommandLine": rf'cmd /c "C:{FOLDER}\firstboot.bat"', "PWD": f"C:{FOLDER}"},
}


def failed(script: str = DRIVERS, code: int = 249) -> str:
    """What one start leaves in the log where the script fails."""
    return (
        f'starting firstboot service\r\nrunning "C:{FOLDER}\\scripts\\{script}"\r\n'
        "Installing: smbus.inf.\r\nMicrosoft PnP Utility\r\n\r\n"
        "Adding the driver package failed : A certificate chain processed, but terminated in a root certificate.\r\n"
        f"Failed to install smbus.inf.\r\n.... exit code {code}\r\nScript failed, will retry on next boot\r\n"
    )


def converted(
    log: str | None, *, scripts: Sequence[str] = (DRIVERS, AGENT), edits: str = "", release: Release = WINDOWS_10
) -> MemoryWindows:
    """A Windows with the service, these scripts left, and this log."""
    windows = core_windows(f"{in_sets(SERVICE)}{edits}", release=release, arch=Architecture.X64)
    windows.filesystem.files |= {rf"{FOLDER}\scripts\{each}": b"@echo off\r\n" for each in scripts}
    if log is not None:
        windows.filesystem.files[LOG] = log.encode("cp850")
    return windows.reread()
