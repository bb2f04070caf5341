"""What is pending on a volume is given up only where the user says so: and then the repair is like any other.

Judged by ntfsresize, ntfsinfo, sleuthkit and hivexregedit; reverted to the same bytes.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.endtoend.refusals import refused
from tests.endtoend.story import LOADER, LSI_LOGIC, WINDOWS, Bootgraft, Build, findings, grafting, require_repaired
from tests.machines import bcd, oracles, vista
from tests.machines.build import BuiltMachine
from tests.machines.spec import FileSystem, MachineSpec, VolumeState
from tests.machines.tools import run
from tests.machines.windows2003 import arc, boot_ini
from tests.machines.windows_files import DriverFile
from tests.machines.windows_hives import WINDOWS_8, Symmpi

RESET, DISCARD = "--reset-journal", "--discard-hibernation"
HIBERFIL = r"\hiberfil.sys"
RESUME = "5189b25d-0000-4bf2-bca4-289b11bd2999"


def flags(raw: Path, span: tuple[int, int], folder: Path) -> str:
    """The flags of $Volume, by ntfsinfo."""
    volume = oracles.extract_volume(raw, span, folder / "volume")
    try:
        report = run("ntfsinfo", "-f", "-m", volume).decode()
    finally:
        volume.unlink()
    return next(line.partition(":")[2].strip() for line in report.splitlines() if "Volume Flags" in line)


@pytest.mark.parametrize("state", [VolumeState.UNCLEAN, VolumeState.LOG_2_0])
def test_a_journal_is_emptied_and_the_volume_marked_for_chkdsk(
    state: VolumeState, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_server1(volume_state=state)
    before = oracles.sha256(machine.disk)
    repair = ("repair", machine.disk, *grafting(donor))
    shown = bootgraft(*repair, RESET, "--dry-run")
    assert shown.status == 0, shown
    note = "note: disk 0 partition 2: its journal ($LogFile) is emptied (--reset-journal); this discards "
    assert note in shown.stdout
    assert "Windows runs chkdsk at its next start." in shown.stdout
    assert "partition 1: its journal" not in shown.stdout
    assert oracles.sha256(machine.disk) == before

    done = bootgraft(*repair, RESET, "--json", "--quiet")
    assert done.status == 0, done
    assert [each for each in done.json["notes"] if "its journal ($LogFile) is emptied" in each]
    assert done.json["committed"]
    require_repaired(machine.disk, machine.span(WINDOWS), donor, tmp_path)
    assert oracles.ntfs_is_consistent(machine.disk, machine.span(WINDOWS))
    assert "DIRTY" in flags(machine.disk, machine.span(WINDOWS), tmp_path)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, findings(check)) == (0, [])
    assert bootgraft(*repair).stdout.startswith("Nothing to do")

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_a_journal_that_nothing_is_written_under_is_left_alone(build_server1: Build, bootgraft: Bootgraft) -> None:
    machine = build_server1(symmpi=Symmpi.READY, binding=True, driver=DriverFile.GOOD, volume_state=VolumeState.UNCLEAN)
    before = oracles.sha256(machine.disk)
    done = bootgraft("repair", machine.disk, *LSI_LOGIC, RESET, "--json", "--quiet")
    assert (done.status, done.json["committed"], done.json["notes"]) == (0, False, [])
    assert oracles.sha256(machine.disk) == before


def test_a_machine_that_has_run_since_is_not_undone(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    """The emptied journal is a witness too: Windows writes restart pages into it when it mounts the volume."""
    machine = build_server1(volume_state=VolumeState.UNCLEAN)
    assert bootgraft("repair", machine.disk, *grafting(donor), RESET).status == 0
    start, _ = machine.span(WINDOWS)
    report = run("istat", "-o", str(start // 512), machine.disk, "2").decode()
    cluster = int(report.split("Type: $DATA")[1].splitlines()[1].split()[0])
    with machine.disk.open("r+b") as disk:
        disk.seek(start + cluster * 4096)
        assert disk.read(4) == b"\xff" * 4
        disk.seek(start + cluster * 4096)
        disk.write(b"RSTR")
    undone = bootgraft("undo", machine.disk)
    assert undone.status == 3
    assert "run" in undone.stderr


def test_reg_writes_under_an_emptied_journal_too(build_server1: Build, bootgraft: Bootgraft, tmp_path: Path) -> None:
    machine = build_server1(volume_state=VolumeState.UNCLEAN)
    before = oracles.sha256(machine.disk)
    words = ("reg", "set", machine.disk, r"HKLM\SYSTEM\Setup", "--value", "Repaired", "--data", "yes")
    refusal = refused(bootgraft, words, watch=tmp_path)
    assert RESET in refusal.advice
    done = bootgraft(*words, RESET)
    assert done.status == 0, done
    assert "its journal ($LogFile) is emptied" in done.stdout
    registry = oracles.export_hive_of(machine.disk, machine.span(WINDOWS), r"\WINDOWS\system32\config\SYSTEM", "Setup")
    assert any("Repaired" in str(values) for values in registry.values())
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_a_fat_volume_is_written_and_keeps_its_dirty_flag(
    build_server1: Build, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    wrong = boot_ini(arc(4, "WINDOWS"), (arc(4, "WINDOWS"), "Windows Server 2003"))
    ready = {"symmpi": Symmpi.READY, "binding": True, "driver": DriverFile.GOOD}
    machine = build_server1(**ready, system_filesystem=FileSystem.FAT16, boot_ini_text=wrong)
    span = machine.span(LOADER)
    with machine.disk.open("r+b") as disk:
        disk.seek(span[0] + 0x25)
        disk.write(b"\1")  # the NT driver's own flag (Microsoft's fastfat sample: FAT_BOOT_SECTOR_DIRTY)
    before = oracles.sha256(machine.disk)
    repair = ("repair", machine.disk, *LSI_LOGIC)
    refusal = refused(bootgraft, repair, watch=tmp_path)
    assert refusal.where == "disk 0 partition 1"
    assert RESET in refusal.advice
    done = bootgraft(*repair, RESET)
    assert done.status == 0, done
    assert "disk 0 partition 1: its dirty flag stays set (--reset-journal)" in done.stdout
    assert b"partition(2)" in oracles.read_file(machine.disk, span, r"\boot.ini")
    assert machine.disk.read_bytes()[span[0] + 0x25] == 1
    volume = oracles.extract_volume(machine.disk, span, tmp_path / "volume")
    assert "Dirty bit is set" in run("fsck.fat", "-n", volume, expect=(0, 1)).decode()
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


@pytest.mark.parametrize("state", [VolumeState.HIBERNATED, VolumeState.HIBERNATED_LOG_2_0])
def test_a_session_is_dropped(
    state: VolumeState, build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_server1(volume_state=state)
    span, before = machine.span(WINDOWS), oracles.sha256(machine.disk)
    repair = ("repair", machine.disk, *grafting(donor))
    refusal = refused(bootgraft, repair, watch=tmp_path)
    needed = (DISCARD,) if state is VolumeState.HIBERNATED else (DISCARD, RESET)
    assert "hiberfil.sys holds a hibernated session" in refusal.what
    assert f"go on without it: {' '.join(needed)}. This discards the saved session" in refusal.advice
    if len(needed) == 2:
        assert "and not fully shut down" in refusal.what
        half = refused(bootgraft, (*repair, DISCARD), watch=tmp_path)
        assert half.advice == refusal.advice

    shown = bootgraft(*repair, *needed, "--dry-run")
    assert shown.status == 0, shown
    assert r"the first page of \hiberfil.sys on disk 0 partition 2  (4096 bytes)" in shown.stdout
    assert "note: the saved session on disk 0 partition 2 is discarded (--discard-hibernation)" in shown.stdout
    assert oracles.sha256(machine.disk) == before

    done = bootgraft(*repair, *needed, "--json", "--quiet")
    assert (done.status, done.json["before"][0]["verdict"]) == (0, "blocked"), done
    assert "hibernated-session" in [each["id"] for each in done.json["before"][0]["findings"]]
    assert [each["kind"] for each in done.json["changes"]].count("write-sectors") == 1
    page = oracles.read_file(machine.disk, span, HIBERFIL)
    assert len(page) == 65536 + 4
    assert not any(page[:4096])
    assert any(page[4096:])
    require_repaired(machine.disk, span, donor, tmp_path)
    assert oracles.ntfs_is_consistent(machine.disk, span)
    assert ("DIRTY" in flags(machine.disk, span, tmp_path)) is (len(needed) == 2)
    check = bootgraft("check", machine.disk, *LSI_LOGIC, "--json")
    assert (check.status, findings(check)) == (0, [])

    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_a_session_alone_is_dropped_where_all_else_is_right(build_server1: Build, bootgraft: Bootgraft) -> None:
    ready = {"symmpi": Symmpi.READY, "binding": True, "driver": DriverFile.GOOD}
    machine = build_server1(**ready, volume_state=VolumeState.HIBERNATED)
    before = oracles.sha256(machine.disk)
    check = bootgraft("check", machine.disk, *LSI_LOGIC)
    assert check.status == 1
    assert f"    bootgraft repair {machine.disk} --target vmware:lsilogic {DISCARD}\n" in check.stdout
    done = bootgraft("repair", machine.disk, *LSI_LOGIC, DISCARD, "--json", "--quiet")
    assert (done.status, done.json["before"][0]["verdict"], done.json["after"][0]["verdict"]) == (0, "unknown", "boots")
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_a_session_on_the_system_partition_speaks_for_the_windows_on_the_next(
    build_machine: Callable[[MachineSpec], BuiltMachine],
    build_server1: Build,
    donor: BuiltMachine,
    bootgraft: Bootgraft,
) -> None:
    spec = build_server1().spec
    (disk,) = spec.disks
    system = disk.partitions[0]
    assert system.volume is not None
    hibernated = replace(system, volume=replace(system.volume, state=VolumeState.HIBERNATED))
    machine = build_machine(
        replace(spec, name="elsewhere", disks=(replace(disk, partitions=(hibernated, *disk.partitions[1:])),))
    )
    before = oracles.sha256(machine.disk)
    refusal = bootgraft("repair", machine.disk, *grafting(donor), "--json", "--quiet")
    assert refusal.status == 3
    error = refusal.json["error"]
    assert error["where"] == "disk 0 partition 2"
    assert "on disk 0 partition 1" in error["what"]
    assert DISCARD in error["advice"]
    done = bootgraft("repair", machine.disk, *grafting(donor), DISCARD)
    assert done.status == 0, done
    assert not any(oracles.read_file(machine.disk, machine.span(0), HIBERFIL)[:4096])
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before


def test_windows_8_is_told_to_neither_resume_nor_sleep_again(
    build_machine: Callable[[MachineSpec], BuiltMachine], bootgraft: Bootgraft
) -> None:
    """Fast start-up: bootmgr's store and every control set of SYSTEM are edited along with the page."""
    power = "".join(
        f'\n[\\ControlSet00{number}\\Control\\Session Manager\\Power]\n"HiberbootEnabled"=dword:00000001\n'
        for number in (1, 2)
    )
    device = bcd.mbr_device(vista.SIGNATURE, vista.WINDOWS.offset)
    manager = bcd.bootmgr(
        bcd.mbr_device(vista.SIGNATURE, vista.RESERVED.offset),
        vista.DEFAULT,
        (vista.DEFAULT,),
        resumes=True,
        sequence=(RESUME,),
    )
    resume = bcd.Entry(RESUME, {0x12000004: "Windows Resume Application"}, bcd.RESUME)
    store = bcd.store(manager, bcd.loader(vista.DEFAULT, device, title="Windows 8"), resume)
    spec = vista.system_reserved(store, name="win8", files=vista.installation(release=WINDOWS_8, registry=power))
    (disk,) = spec.disks
    windows = disk.partitions[1]
    assert windows.volume is not None
    hibernated = replace(windows, volume=replace(windows.volume, state=VolumeState.HIBERNATED_LOG_2_0))
    machine = build_machine(replace(spec, disks=(replace(disk, partitions=(disk.partitions[0], hibernated)),)))
    before = oracles.sha256(machine.disk)
    words = ("reg", "set", machine.disk, r"HKLM\SYSTEM\Setup", "--value", "Repaired", "--data", "yes")
    named = (*words, "--windows", "disk0-partition2-Windows")
    assert bootgraft(*named, DISCARD).status == 3
    done = bootgraft(*named, DISCARD, RESET, "--json", "--quiet")
    assert done.status == 0, done
    changed = {(each.get("key", each["kind"]), each.get("name")) for each in done.json["changes"]}
    elements = f"Objects\\{{{bcd.BOOTMGR}}}\\Elements"
    assert changed == {
        ("write-sectors", None),
        (f"{elements}\\26000005", "Element"),
        (f"{elements}\\24000002", None),
        (r"ControlSet001\Control\Session Manager\Power", "HiberbootEnabled"),
        (r"ControlSet002\Control\Session Manager\Power", "HiberbootEnabled"),
        ("Setup", "Repaired"),
    }
    exported = str(oracles.export_hive_of(machine.disk, machine.span(1), r"\Windows\system32\config\SYSTEM"))
    assert exported.count("HiberbootEnabled") == 2
    values = [each["value"]["data"] for each in done.json["changes"] if each.get("name") == "HiberbootEnabled"]
    assert values == ["AAAAAA=="] * 2
    assert "Repaired" in exported
    for span in (machine.span(0), machine.span(1)):
        assert oracles.ntfs_is_consistent(machine.disk, span)
    assert "26000005" in str(oracles.export_hive_of(machine.disk, machine.span(0), r"\Boot\BCD"))
    assert bootgraft("undo", machine.disk).status == 0
    assert oracles.sha256(machine.disk) == before
