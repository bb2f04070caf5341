"""A domain controller with its database on a second disk, and what keeps it from stopping: judged by hivexregedit."""

import shlex
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.endtoend.story import Bootgraft
from tests.machines import oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.registry_text import RegistryValue, reg_text
from tests.machines.spec import Disk, File, FileSystem, MachineSpec, Partition, Volume
from tests.machines.windows_hives import Letter

BuildMachine = Callable[[MachineSpec], BuiltMachine]
SYSTEM = r"\Windows\system32\config\system"
SAS = ("--target", "vmware:lsisas1068")
WINDOWS = 1
_NTFS, _START, _SECTORS = 0x07, 2048, 16 * 2048


def domain_controller() -> MachineSpec:
    """Server 2008 R2 on disk 0, the database on D:, which is all of disk 1."""
    keys: dict[str, dict[str, RegistryValue]] = {}
    for number in (1, 2):
        root = f"ControlSet{number:03d}"
        keys[rf"{root}\Control\ProductOptions"] = {"ProductType": "LanmanNT"}
        keys[rf"{root}\Services\partmgr\Parameters"] = {"SanPolicy": 2}
        keys[rf"{root}\Services\NTDS\Parameters"] = {
            "DSA Database file": r"D:\NTDS\ntds.dit",
            "DSA Working Directory": r"D:\NTDS",
            "Database log files path": r"D:\NTDS",
        }
    letters = (
        Letter("C", vista.SIGNATURE, vista.WINDOWS.offset),
        Letter("D", vista.SECOND_SIGNATURE, _START * 512),
    )
    files = vista.installation(registry="\n" + reg_text(keys), letters=letters)
    spec = vista.system_reserved(name="domain-controller", files=files)
    content = (File(r"\NTDS\ntds.dit", b"stands for a database" * 500), File(r"\NTDS\edb.log", b"log"))
    volume = Volume(FileSystem.NTFS, content, label="NTDS")
    data = Disk(_START + _SECTORS + 2048, vista.SECOND_SIGNATURE, (Partition(_START, _SECTORS, _NTFS, volume),))
    return replace(spec, disks=(*spec.disks, data))


@pytest.fixture
def machine(build_machine: BuildMachine) -> BuiltMachine:
    """The images."""
    return build_machine(domain_controller())


def test_its_database_is_brought_online(machine: BuiltMachine, bootgraft: Bootgraft) -> None:
    before = [oracles.sha256(disk) for disk in machine.disks]
    checked = bootgraft("check", *machine.disks, *SAS, "--json")
    assert (checked.status, checked.json["stop_code"]) == (1, "0xc00002e2"), checked
    shown = bootgraft("check", *machine.disks, *SAS).stdout
    assert "0xC00002E2" in shown
    assert "select disk 1" in shown
    assert bootgraft("check", *machine.disks, "--target", "vmware:ahci").stdout.count("offline") == 0

    repaired = bootgraft("repair", *machine.disks, *SAS)
    assert repaired.status == 0, repaired
    exported = oracles.export_hive_of(machine.disks[0], machine.span(WINDOWS), SYSTEM)
    for number in (1, 2):
        assert exported[rf"ControlSet{number:03d}\Services\partmgr\Parameters"]["SanPolicy"] == "dword:00000001"
    assert oracles.sha256(machine.disks[1]) == before[1], "the data disk is left as it is"
    assert bootgraft("check", *machine.disks, *SAS).status == 0
    assert bootgraft("undo", *machine.disks).status == 0
    assert [oracles.sha256(disk) for disk in machine.disks] == before


def test_the_command_that_is_advised_says_again_what_was_said(machine: BuiltMachine, bootgraft: Bootgraft) -> None:
    """The description has the database's disk on another controller than that of Windows, which no target tells."""
    vm = machine.disks[0].parent / "301.conf"
    system, data = (disk.name for disk in machine.disks)
    vm.write_text(f"bootdisk: ide0\ncpu: host\nide0: a:{system}\nscsi1: a:{data}\nscsihw: virtio-scsi-pci\n")
    said = ("--secure-boot", "off")
    checked = bootgraft("check", "--vm", vm, *said)
    assert (checked.status, "domain-database-offline" in checked.stdout) == (1, True), checked
    _, *words = shlex.split(checked.stdout.splitlines()[-1])
    assert words == ["repair", *map(str, machine.disks), "--vm", str(vm), *said]
    assert bootgraft(*words).status == 0
    assert bootgraft("check", "--vm", vm).status == 0
    assert bootgraft("undo", *machine.disks).status == 0

    alone = bootgraft("check", machine.disks[0], "--target", "vmware:ahci", "--these-are-all-disks")
    assert alone.stdout.endswith(" --target vmware:ahci --these-are-all-disks\n")


def test_the_disk_that_was_left_behind_is_asked_for(machine: BuiltMachine, bootgraft: Bootgraft) -> None:
    checked = bootgraft("check", machine.disks[0], *SAS, "--json")
    assert (checked.status, checked.json["verdict"]) == (1, "unknown"), checked
    assert "domain-database-disk-not-given" in {each["id"] for each in checked.json["findings"]}
    sure = bootgraft("check", machine.disks[0], *SAS, "--these-are-all-disks", "--json")
    assert (sure.json["verdict"], sure.json["stop_code"]) == ("blocked", "0xc00002e2")
