"""Machines that have no Windows to boot, or one that must not be touched: told why, and left as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.endtoend.ntfs_marks import compress_with_wof, encrypt
from tests.endtoend.refusals import TARGET, Photograph, Run, check_and_repair, diagnosed, only_finding, refused
from tests.machines.build import BuiltMachine
from tests.machines.spec import HiveState, MachineSpec, Volume, VolumeState
from tests.machines.windows2003 import arc, boot_ini, server1
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import Symmpi

Build = Callable[..., BuiltMachine]
SYSTEM = r"\WINDOWS\system32\config\SYSTEM"
_ENTRY = "Windows Server 2003"

BOOT_INIS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "another partition": (
        boot_ini(arc(4, "WINDOWS"), (arc(4, "WINDOWS"), _ENTRY)),
        "blocked",
        ("boot.ini points at", "partition 4", "on disk 0 partition 2"),
    ),
    "another directory": (
        boot_ini(arc(2, "WINNT"), (arc(2, "WINNT"), _ENTRY)),
        "blocked",
        ("boot.ini points at", r"\WINNT", r"\WINDOWS"),
    ),
    "another disk": (
        boot_ini(arc(2, "WINDOWS", disk=1), (arc(2, "WINDOWS", disk=1), _ENTRY)),
        "blocked",
        ("boot.ini points at", "disk 1", r"\WINDOWS"),
    ),
    "no default": (
        f"[boot loader]\r\ntimeout=30\r\n[operating systems]\r\n{arc(2, 'WINDOWS')}={_ENTRY}\r\n",
        "unknown",
        ("boot.ini has entries but no default", r"\WINDOWS on disk 0 partition 2"),
    ),
    "empty": ("", "blocked", ("boot.ini lists no operating system", r"\WINDOWS on disk 0 partition 2")),
}


@pytest.mark.parametrize("kind", BOOT_INIS)
def test_a_boot_ini_that_points_at_nothing(
    kind: str, tmp_path: Path, build_server1: Build, donor: BuiltMachine, bootgraft: Run
) -> None:
    """A diagnosis, which says what was found and what is there instead; looking at it changes nothing."""
    text, verdict, told = BOOT_INIS[kind]
    machine = build_server1(boot_ini_text=text)
    before = Photograph.of(tmp_path)
    check = bootgraft("check", machine.disk, *TARGET, "--json")
    assert check.status == 1
    assert check.json["verdict"] == verdict
    finding = check.json["findings"][0]
    found = " | ".join((finding["title"], finding["explanation"], *finding["evidence"]))
    for words in told:
        assert words in found
    shown = bootgraft("repair", machine.disk, *TARGET, "--drivers", donor.disk, "--dry-run")
    assert shown.status in (0, 1)
    assert "Traceback" not in shown.stderr
    assert before.differences(Photograph.of(tmp_path)) == []


def test_an_empty_boot_ini_is_not_repaired_where_two_could_be_meant(
    tmp_path: Path, build_server1: Build, donor: BuiltMachine, bootgraft: Run
) -> None:
    machine = build_server1(boot_ini_text="", decoy=True)
    document = diagnosed(bootgraft, machine.disk, watch=tmp_path, donor=donor.disk)
    assert (document["verdict"], document["windows"]) == ("blocked", None)


def _without(spec: MachineSpec, partition: int, *paths: str) -> MachineSpec:
    """The machine without some files of a volume; without any, where none is named."""
    (disk,) = spec.disks
    volume = disk.partitions[partition].volume
    assert volume is not None
    left = tuple(file for file in volume.files if paths and file.path not in paths)
    return _with_volume(spec, partition, replace(volume, files=left))


def _with_volume(spec: MachineSpec, partition: int, volume: Volume | None) -> MachineSpec:
    (disk,) = spec.disks
    partitions = list(disk.partitions)
    partitions[partition] = replace(partitions[partition], volume=volume)
    return replace(spec, disks=(replace(disk, partitions=tuple(partitions)),))


@pytest.mark.parametrize("formatted", [True, False])
def test_no_windows(formatted: bool, tmp_path: Path, build_machine: Build, donor: BuiltMachine, bootgraft: Run) -> None:
    spec = _without(server1(), 1) if formatted else _with_volume(server1(), 1, None)
    machine = build_machine(spec)
    found = only_finding(diagnosed(bootgraft, machine.disk, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert (
        "no volume has a Windows directory" in found if formatted else "the boot sector of the volume is empty" in found
    )


def test_two_disks_swapped_or_one_left_out(
    tmp_path: Path, build_server1: Build, donor: BuiltMachine, bootgraft: Run
) -> None:
    first, second = build_server1(second_disk=True).disks
    swapped = only_finding(diagnosed(bootgraft, second, first, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert "disk 1 has an active partition with ntldr: if the machine starts from it, give that image first" in swapped
    half = only_finding(diagnosed(bootgraft, first, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert "boot.ini points at disk 1, which was not given" in half


# The SYSTEM hive.


def test_a_missing_system_hive(tmp_path: Path, build_server1: Build, donor: BuiltMachine, bootgraft: Run) -> None:
    machine = build_server1(system_missing=True)
    found = only_finding(diagnosed(bootgraft, machine.disk, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert "the Windows that boot.ini points at has no SYSTEM" in found
    assert f"disk 0 partition 2: {SYSTEM}: put one back" in found


BAD_HIVES = {
    HiveState.DIRTY: ("pending", "shut it down cleanly and convert it again"),
    HiveState.CORRUPT: ("has a wrong size", "Restore this hive from a backup"),
    HiveState.TRUNCATED: ("the base block says 94208 bytes of bins", "Restore this hive from a backup"),
    HiveState.NOT_A_HIVE: ("it does not begin with 'regf'", "Restore this hive from a backup"),
}


@pytest.mark.parametrize("state", BAD_HIVES)
def test_a_bad_system_hive(
    state: HiveState, tmp_path: Path, build_server1: Build, donor: BuiltMachine, bootgraft: Run
) -> None:
    machine = build_server1(system_state=state)
    refusal = refused(bootgraft, *check_and_repair(machine.disk, "--drivers", donor.disk), watch=tmp_path)
    what, advice = BAD_HIVES[state]
    assert refusal.where == f"disk 0 partition 2: {SYSTEM}"
    assert what in refusal.what
    assert advice in refusal.advice


# The state of the volume.

UNSAFE = {
    VolumeState.UNCLEAN: ("unclean", "changes were never written to their places"),
    VolumeState.HIBERNATED: ("hibernated", "hiberfil.sys holds a hibernated session"),
    VolumeState.LOG_2_0: ("not fully shut down", "its $LogFile is version 2.0"),
}


@pytest.mark.parametrize("state", UNSAFE)
def test_a_volume_that_is_not_clean(
    state: VolumeState, tmp_path: Path, build_server1: Build, donor: BuiltMachine, bootgraft: Run
) -> None:
    """It is read and reported; a repair is refused, and so is one that only shows what it would do."""
    machine = build_server1(volume_state=state)
    before = Photograph.of(tmp_path)
    check = bootgraft("check", machine.disk, *TARGET, "--json")
    assert check.status == 1
    found = {each["id"]: each for each in check.json["findings"]}
    is_hibernated = state is VolumeState.HIBERNATED
    warning = found["hibernated-session" if is_hibernated else "volume-not-clean"]
    name, reason = UNSAFE[state]
    assert warning["severity"] == "warning"
    place = "disk 0 partition 2"
    title = f"Windows is hibernated on {place}" if is_hibernated else f"the volume {place} is {name}"
    assert warning["title"] == title
    repair = ("repair", machine.disk, *TARGET, "--drivers", donor.disk)
    refusal = refused(bootgraft, (*repair, "--dry-run"), repair, watch=tmp_path)
    assert refusal.where == "disk 0 partition 2"
    assert f"this volume is {name} (" in refusal.what
    assert reason in refusal.what
    assert "`shutdown /s /t 0`" in refusal.advice
    assert ("--discard-hibernation" if is_hibernated else "--reset-journal") in refusal.advice
    refused(bootgraft, (*repair, "--overlay", tmp_path / "out.qcow2"), watch=tmp_path)
    assert before.differences(Photograph.of(tmp_path)) == []


# Driver files that cannot be read offline.


@pytest.mark.parametrize(
    ("mark", "told"), [(compress_with_wof, "compressed with WOF"), (encrypt, "encrypted with EFS")]
)
def test_a_driver_file_that_no_loader_can_read(
    mark: Callable[[BuiltMachine, str], None],
    told: str,
    tmp_path: Path,
    build_server1: Build,
    donor: BuiltMachine,
    bootgraft: Run,
) -> None:
    machine = build_server1(symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD)
    assert bootgraft("check", machine.disk, *TARGET).status == 0
    mark(machine, r"\WINDOWS\system32\drivers\symmpi.sys")
    before = Photograph.of(tmp_path)
    check = bootgraft("check", machine.disk, *TARGET, "--json")
    assert check.status == 1
    blocker = check.json["findings"][0]
    assert (blocker["id"], blocker["severity"]) == ("driver-file-unusable", "blocker")
    assert told in blocker["evidence"][0]
    refusal = refused(bootgraft, ("repair", machine.disk, *TARGET, "--drivers", donor.disk), watch=tmp_path)
    assert r"\windows\system32\drivers\symmpi.sys" in refusal.where.lower()
    assert "the file to be replaced is " in refusal.what
    assert "delete this file there" in refusal.advice
    assert before.differences(Photograph.of(tmp_path)) == []


def test_another_windows_than_there_is(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    command = ("check", server1.disk, *TARGET, "--windows", "disk0-partition1-WINNT")
    refusal = refused(bootgraft, command, watch=tmp_path, status=2)
    assert refusal.advice.endswith("There are: disk0-partition2-WINDOWS")
