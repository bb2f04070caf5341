"""The volume with Windows came alone: started again from its own ServicePackFiles, or from a donor."""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from tests.endtoend.story import LSI_LOGIC, Bootgraft, findings
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.spec import Disk, File, MachineSpec, Partition
from tests.machines.tools import run
from tests.machines.windows2003 import Server1, dead_server, server1
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi

Build = Callable[[MachineSpec], BuiltMachine]
SETUP = b"[SetupData]\r\nMajorVersion = 5\r\nMinorVersion = 2\r\n"
FOLDER = r"\WINDOWS\ServicePackFiles\i386"
KEPT = (
    File(rf"{FOLDER}\ntldr", b"the loader of the service pack\r\n" * 8000),
    File(rf"{FOLDER}\ntdetect.com", b"the detection of the service pack\r\n" * 1000),
    File(rf"{FOLDER}\TXTSETUP.SIF", SETUP),
)


def windows_alone(*extra: File) -> MachineSpec:
    """The healthy server's second partition on a disk by itself; no partition is active."""
    whole = dead_server(Server1("alone", symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD, extra=extra))
    (disk,) = whole.disks
    windows = next(each for each in disk.partitions if each.volume and _has_windows(each))
    return MachineSpec(whole.name, (Disk(disk.sectors, disk.signature, (windows,)),))


def _has_windows(partition: Partition) -> bool:
    return any(file.path.casefold().endswith("config\\system") for file in partition.volume.files)  # type: ignore[union-attr]


def check(machine: BuiltMachine, bootgraft: Bootgraft) -> list[tuple[str, str]]:
    return findings(bootgraft("check", machine.disk, *LSI_LOGIC, "--json"))


def require_started(machine: BuiltMachine, bootgraft: Bootgraft, loader: bytes) -> None:
    assert bootgraft("check", machine.disk, *LSI_LOGIC, "--json").json["verdict"] == "boots"
    _, (entry,) = oracles.partitions(machine.disk)
    assert entry.active
    span = machine.span(0)
    assert oracles.read_file(machine.disk, span, "\\ntldr") == loader
    assert b"partition(1)\\WINDOWS" in oracles.read_file(machine.disk, span, "\\boot.ini")
    oracles.ntfs_is_consistent(machine.disk, span)


def test_from_its_own_service_pack(build_machine: Build, bootgraft: Bootgraft) -> None:
    machine = build_machine(windows_alone(*KEPT))
    before = oracles.sha256(machine.disk)
    assert ("blocker", "ntldr-start-files-missing") in check(machine, bootgraft)
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert repaired.status == 0, repaired
    content = KEPT[0].content
    assert isinstance(content, bytes)
    require_started(machine, bootgraft, content)
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_from_a_donor(build_machine: Build, donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    machine = build_machine(windows_alone())
    before = oracles.sha256(machine.disk)
    told = bootgraft("repair", machine.disk, *LSI_LOGIC)
    assert (told.status, oracles.sha256(machine.disk)) == (1, before)
    assert "the system partition was left behind" in told.stdout
    assert f"bootgraft repair {machine.disk} --target vmware:lsilogic --boot-code IMAGE" in told.stdout
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--boot-code", donor.disk)
    assert repaired.status == 0, repaired
    require_started(machine, bootgraft, oracles.read_file(donor.disk, donor.span(1), "\\ntldr"))


def test_from_a_setup_medium(build_machine: Build, tmp_path: Path, bootgraft: Bootgraft) -> None:
    medium = tmp_path / "medium"
    (medium / "I386").mkdir(parents=True)
    for file in KEPT:
        assert isinstance(file.content, bytes)
        (medium / "I386" / file.path.rpartition("\\")[2].upper()).write_bytes(file.content)
    run("genisoimage", "-quiet", "-J", "-r", "-o", tmp_path / "medium.iso", medium)
    machine = build_machine(windows_alone())
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--drivers", tmp_path / "medium.iso")
    assert repaired.status == 0, repaired
    content = KEPT[0].content
    assert isinstance(content, bytes)
    require_started(machine, bootgraft, content)


def test_one_file_that_was_deleted(build_machine: Build, donor: BuiltMachine, bootgraft: Bootgraft) -> None:
    path = "\\ntldr"
    whole = server1(symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD)
    (disk,) = whole.disks
    system, *rest = disk.partitions
    assert system.volume is not None
    volume = replace(system.volume, files=tuple(each for each in system.volume.files if each.path != path))
    spoilt = replace(system, volume=volume, active=False)
    machine = build_machine(replace(whole, disks=(replace(disk, partitions=(spoilt, *rest)),)))
    menu = oracles.read_file(machine.disk, machine.span(0), "\\boot.ini")
    repaired = bootgraft("repair", machine.disk, *LSI_LOGIC, "--drivers", donor.disk)
    assert repaired.status == 0, repaired
    given = oracles.read_file(donor.disk, donor.span(1), path)
    assert oracles.read_file(machine.disk, machine.span(0), path) == given
    assert oracles.read_file(machine.disk, machine.span(0), "\\boot.ini") == menu
    assert [each.active for each in oracles.partitions(machine.disk)[1]] == [True, False]
