"""The floor: the same edit by ntfs-3g and hivexregedit on a loop device, as root, without any of the thinking."""

import os
from pathlib import Path

from tests.machines.build import content
from tests.machines.registry_text import reg_text
from tests.machines.spec import SECTOR, Architecture
from tests.machines.windows2003 import server1
from tests.machines.windows_files import DriverFile, symmpi_file
from tests.machines.windows_hives import SERVER_2003, Symmpi, binding_keys, symmpi_keys

from benchmarks.disks import SYSTEM_MIB, WINDOWS_MIB, Case
from benchmarks.subjects import Question
from benchmarks.tasks import Program, Task

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
PROGRAM = Program("floor", "losetup, ntfs-3g, cp, hivexregedit")


class Edit:
    """The files of the edit: a driver and a .reg file for two control sets."""

    def __init__(self, folder: Path) -> None:
        place = folder / "floor"
        self.mount_point = place / "mounted"
        self.mount_point.mkdir(parents=True, exist_ok=True)
        (file,) = symmpi_file(DriverFile.GOOD, "WINDOWS", SERVER_2003, Architecture.X86)
        self.driver, self.registry = place / "symmpi.sys", place / "symmpi.reg"
        self.driver.write_bytes(content(file, folder / "cache"))
        keys = symmpi_keys(Symmpi.READY) | binding_keys()
        both = {rf"ControlSet00{number}\{path}": values for number in (1, 2) for path, values in keys.items()}
        self.registry.write_text("Windows Registry Editor Version 5.00\n\n" + reg_text(both))


def floor_task(case: Case, edit: Edit) -> Task | None:
    """The edit on the case's disk, if that is a raw one on which it makes sense and we are root."""
    subject = case.subject
    if os.geteuid() != 0 or subject.form != "raw" or not subject.disk_gb:
        return None
    if subject.packages or subject.latency_ms is not None:
        return None
    windows = server1(system_mib=SYSTEM_MIB, windows_mib=WINDOWS_MIB).disks[0].partitions[1]
    length = str(case.image.stat().st_size - windows.start * SECTOR)
    where = (case.image, str(windows.start * SECTOR), length, edit.mount_point, edit.driver, edit.registry)
    shell = ("unshare", "--mount", "sh", "-c", _SCRIPT, "floor")
    return Task(PROGRAM, Question.REPAIR, subject, (*shell, *where), before=case.restore)
