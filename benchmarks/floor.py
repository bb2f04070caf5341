"""The floor: the same edit by ntfs-3g and hivexregedit on a loop device, as root, without any of the thinking."""

import os
from pathlib import Path

from tests.machines.build import content
from tests.machines.registry_text import reg_text
from tests.machines.spec import SECTOR, Architecture
from tests.machines.windows2003 import server1
from tests.machines.windows_files import DriverFile, symmpi_file
from tests.machines.windows_hives import SERVER_2003, Symmpi, binding_keys, symmpi_keys

from benchmarks.cases import SYSTEM_MIB, Case

# Arguments: the disk, the volume's offset and size, a directory to mount on, the driver file, the .reg file.
_SCRIPT = """
set -e
loop=$(losetup --find --show --offset "$2" --sizelimit "$3" "$1")
trap 'losetup --detach "$loop"' EXIT
ntfs-3g "$loop" "$4"
trap 'umount "$4"; losetup --detach "$loop"' EXIT
cp "$5" "$4/WINDOWS/system32/drivers/symmpi.sys"
hivexregedit --merge "$4/WINDOWS/system32/config/system" "$6"
"""


def floor_command(case: Case, folder: Path) -> list[str | Path] | None:
    """The command that makes the edit on the case's raw disk, once; None where we are not root."""
    if os.geteuid() != 0:
        return None
    place = folder / "floor"
    mount_point = place / "mounted"
    mount_point.mkdir(parents=True, exist_ok=True)
    (file,) = symmpi_file(DriverFile.GOOD, "WINDOWS", SERVER_2003, Architecture.X86)
    driver, registry = place / "symmpi.sys", place / "symmpi.reg"
    driver.write_bytes(content(file, folder / "cache"))
    keys = symmpi_keys(Symmpi.READY) | binding_keys()
    both = {rf"ControlSet00{number}\{path}": values for number in (1, 2) for path, values in keys.items()}
    registry.write_text("Windows Registry Editor Version 5.00\n\n" + reg_text(both))
    windows = server1(system_mib=SYSTEM_MIB, windows_mib=2000).disks[0].partitions[1]
    where = (str(windows.start * SECTOR), str(windows.sectors * SECTOR))
    shell = ("unshare", "--mount", "sh", "-c", _SCRIPT, "floor")
    return [*shell, case.image, *where, mount_point, driver, registry]
