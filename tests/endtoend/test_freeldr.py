r"""A ReactOS machine after a conversion: FreeLoader's freeldr.ini points at a partition that is not there any more.

mtools reads what is on the disk, fsck.fat judges the volume.
"""

from pathlib import Path

from msgspec.structs import replace
from tests.endtoend.story import LSI_LOGIC, Bootgraft, Build, findings
from tests.endtoend.test_boot_ini import LOADER
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import File, FileSystem, Loader, Volume
from tests.machines.tools import run
from tests.machines.windows2003 import Server1, arc, dead_server
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi


def freeldr_ini(partition: int) -> str:
    """As ReactOS Setup writes it, with a debug entry beside the first one."""
    return "\r\n".join(
        [
            "[FREELOADER]", "DefaultOS=ReactOS", "TimeOut=10", "", "[Operating Systems]", 'ReactOS="ReactOS"',
            'ReactOS_Debug="ReactOS (Debug)"', "", "[ReactOS]", "BootType=Windows2003",
            f"SystemPath={arc(partition, 'ReactOS')}", "Options=/MAXMEM=512", "", "[ReactOS_Debug]",
            "BootType=Windows2003", f"SystemPath={arc(partition, 'ReactOS')}", "Options=/DEBUG /SOS", "",
        ]
    )  # fmt: skip


def reactos(build_machine: Build, text: str) -> BuiltMachine:
    """FreeLoader alone on partition 1, ReactOS with its driver on partition 2."""
    spec = dead_server(
        Server1(
            "reactos", directory="ReactOS", system_filesystem=FileSystem.FAT16, symmpi=Symmpi.READY, binding=True,
            driver=DriverFile.GOOD,
        )
    )  # fmt: skip
    (disk,) = spec.disks
    files = (File(r"\freeldr.sys", b"stands for FreeLoader" * 99), File(r"\freeldr.ini", text.encode()))
    first = replace(disk.partitions[LOADER], volume=Volume(FileSystem.FAT16, files, loader=Loader.FREELDR))
    return build_machine(replace(spec, disks=(replace(disk, partitions=(first, *disk.partitions[1:])),)))


def test_it_is_repaired_and_put_back(build_machine: Build, bootgraft: Bootgraft, tmp_path: Path) -> None:
    machine = reactos(build_machine, freeldr_ini(3))
    before = oracles.sha256(machine.disk)
    checked = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (checked.status, findings(checked)) == (1, [("blocker", "freeldr-ini-wrong-partition")])
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repaired.status == 0, repaired
    oracles.fat_is_consistent(machine.disk, machine.span(LOADER))
    volume = oracles.extract_volume(machine.disk, machine.span(LOADER), tmp_path / "volume")
    assert run("mtype", "-i", volume, "::freeldr.ini").decode() == freeldr_ini(2)
    again = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (again.status, findings(again)) == (0, [("warning", "boot-ini-switches")])
    assert "freeldr.ini, line 11" in again.json["findings"][0]["evidence"][0]
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before
