r"""What a check is asked about: Windows Server 2003 in ``\WINDOWS`` with control sets 1 (the default) and 2.

Pure data: nothing here touches a disk.
"""

from msgspec.structs import replace
from tests.fakes import FakePartition, machine_of, volume_of

from bootgraft.boot.chain import BootChain, BootTarget, Step
from bootgraft.changes import FileId
from bootgraft.machine import Volume
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.installation import Architecture, Installation, Select

SCSI_ADAPTER = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
LSI_LOGIC = find_controller("vmware:lsilogic")
HIVE = FileId(0, 16128, "disk 0 partition 2", "\\WINDOWS\\system32\\config\\SYSTEM")


def volume() -> Volume:
    """The boot volume of a machine in memory."""
    hives = (f"\\WINDOWS\\system32\\config\\{name}" for name in ("SYSTEM", "SOFTWARE", "DEFAULT", "SAM", "SECURITY"))
    (found,) = machine_of([FakePartition(volume_of(contents=dict.fromkeys(hives, b"regf")))]).volumes()
    return found


def installation(*, select: Select | None = None, version: tuple[int, int] = (5, 2)) -> Installation:
    chosen = select or Select(1, 1, 0, 2)
    return Installation(
        "disk0-partition1-WINDOWS", volume(), "\\WINDOWS", "Microsoft Windows Server 2003", version, "3790",
        Architecture.X86, "Service Pack 2", (1, 2), chosen, "D:", default_boot=True,
    )  # fmt: skip


def gpt_installation(*, version: tuple[int, int]) -> Installation:
    """A 64-bit Windows on a GPT disk."""
    found = volume()
    found.partition = replace(found.partition, guid="0d2b7e51-8c40-4b67-8f00-51e2a0c3d003")
    return replace(installation(version=version), volume=found, arch=Architecture.X64)


def chain(*, holds: bool = True, understood: bool = True) -> BootChain:
    good = Step("disk 0 has a partition table", "disk 0, sector 0", "MBR", holds=True)
    if not holds:
        bad = Step("there is no ntldr on the active partition", "disk 0 partition 1: \\ntldr", "empty", holds=False)
        return BootChain((good, bad), None, (), understood)
    return BootChain((good,), BootTarget(volume(), "\\WINDOWS", "line 5"), ())
