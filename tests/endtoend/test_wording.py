"""What the administrator reads when it goes wrong: every message in full, as ``goldens/`` has it.

A message is good where somebody with a dead server at one in the morning knows what to type next. To take over a
message that was changed on purpose: ``WRITE_GOLDENS=1 pytest tests/endtoend/test_wording.py``, then read the diff.
"""

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct
from tests.conftest import CommandResult
from tests.endtoend.processes import kill_at, qemu_io, qemu_nbd, steps
from tests.endtoend.refusals import TARGET, Run, prefixed
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, flat_extents, snapshot_child
from tests.machines.spec import Architecture, HiveState, VolumeState
from tests.machines.windows_hives import ControlSet
from tests.storage.images.test_vhdx import with_log

Build = Callable[..., BuiltMachine]
GOLDENS = Path(__file__).with_name("goldens")


class Stage(Struct, frozen=True):
    """What a scene is played with; machines are built when it asks for them."""

    folder: Path
    build_server1: Build
    build_donor: Build
    convert: Callable[[Path, ImageForm], Path]
    run: Run

    def dead(self, **variant: object) -> Path:
        return self.build_server1(**variant).disk

    def donor(self, **variant: object) -> Path:
        return self.build_donor(**variant).disk

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def check(self, *words: str | Path) -> CommandResult:
        return self.run("check", *words, *TARGET, "--quiet")

    def repair(self, *words: str | Path) -> CommandResult:
        return self.run("repair", *words, *TARGET, "--quiet")

    def graft(self, image: str | Path, *words: str | Path) -> CommandResult:
        return self.repair(image, "--drivers", self.donor(), *words)


Scene = Callable[[Stage], CommandResult]
SCENES: dict[str, Scene] = {}


def scene(play: Scene) -> Scene:
    """Add a scene under its function's name."""
    SCENES[play.__name__.replace("_", "-")] = play
    return play


# The command line.


@scene
def no_image(stage: Stage) -> CommandResult:
    return stage.run("check")


@scene
def no_target(stage: Stage) -> CommandResult:
    return stage.run("repair", "server1.vmdk")


@scene
def unknown_target(stage: Stage) -> CommandResult:
    return stage.run("check", "server1.vmdk", "--target", "vmware:lsilogik")


@scene
def unknown_command(stage: Stage) -> CommandResult:
    told = stage.run("fix", "server1.vmdk")
    return CommandResult(told.status, told.stdout, re.sub(r"\(choose from .*\)", "(choose from …)", told.stderr))


@scene
def file_without_reg(stage: Stage) -> CommandResult:
    return stage.repair("server1.vmdk", "--file", "symmpi.sys")


@scene
def disk_given_twice(stage: Stage) -> CommandResult:
    disk = stage.dead()
    return stage.repair(disk, "--drivers", disk)


@scene
def unknown_windows(stage: Stage) -> CommandResult:
    return stage.check(stage.dead(), "--windows", "C:")


# The image.


@scene
def missing_file(stage: Stage) -> CommandResult:
    return stage.check(stage.folder / "server1.vmdk")


@scene
def machine_configuration(stage: Stage) -> CommandResult:
    return stage.check(stage.file("server1.vmx", b'config.version = "8"\nvirtualHW.version = "4"\n'))


@scene
def empty_file(stage: Stage) -> CommandResult:
    return stage.check(stage.file("server1.vmdk", b""))


@scene
def blank_disk(stage: Stage) -> CommandResult:
    return stage.check(stage.file("server1.raw", bytes(1 << 20)))


@scene
def one_volume(stage: Stage) -> CommandResult:
    machine = stage.build_server1()
    return stage.check(oracles.extract_volume(machine.disk, machine.span(0), stage.folder / "c.raw"))


@scene
def cut_short(stage: Stage) -> CommandResult:
    image = stage.convert(stage.dead(), ImageForm.MONOLITHIC_FLAT)
    os.truncate(flat_extents(image)[0], 40 << 20)
    return stage.check(image)


@scene
def wrong_format(stage: Stage) -> CommandResult:
    return stage.check(stage.dead(), "--format", "vmdk")


@scene
def file_elsewhere(stage: Stage) -> CommandResult:
    image = stage.convert(stage.dead(), ImageForm.MONOLITHIC_FLAT)
    image.write_text(image.read_text().replace('"server1-flat.vmdk"', '"../server1/server1.raw"'))
    return stage.check(image)


@scene
def vhdx_log(stage: Stage) -> CommandResult:
    return stage.check(with_log(stage.convert(stage.dead(), ImageForm.VHDX)))


@scene
def marked_read_only(stage: Stage) -> CommandResult:
    disk = stage.dead()
    disk.chmod(0o444)
    return stage.graft(disk)


@scene
def stream_optimized(stage: Stage) -> CommandResult:
    return stage.graft(stage.convert(stage.dead(), ImageForm.STREAM_OPTIMIZED))


@scene
def snapshot(stage: Stage) -> CommandResult:
    image = stage.convert(stage.dead(), ImageForm.MONOLITHIC_SPARSE)
    snapshot_child(image, image.parent)
    return stage.graft(image)


@scene
def in_use(stage: Stage) -> CommandResult:
    disk = stage.dead()
    with qemu_io(disk, "raw"):
        return stage.check(disk)


@scene
def vmware_lock(stage: Stage) -> CommandResult:
    disk = stage.dead()
    disk.with_name(disk.name + ".lck").mkdir()
    return stage.check(disk)


@scene
def nbd_server_gone(stage: Stage) -> CommandResult:
    return stage.check(f"nbd+unix:///?socket={stage.folder}/nbd.sock")


# Windows.


@scene
def dirty_hive(stage: Stage) -> CommandResult:
    return stage.check(stage.dead(system_state=HiveState.DIRTY))


@scene
def no_hive(stage: Stage) -> CommandResult:
    return stage.check(stage.dead(system_state=HiveState.NOT_A_HIVE))


@scene
def unclean_volume(stage: Stage) -> CommandResult:
    return stage.graft(stage.dead(volume_state=VolumeState.UNCLEAN))


@scene
def hibernated(stage: Stage) -> CommandResult:
    return stage.graft(stage.dead(volume_state=VolumeState.HIBERNATED))


@scene
def fast_start_up(stage: Stage) -> CommandResult:
    return stage.graft(stage.dead(volume_state=VolumeState.LOG_2_0))


# The driver.


@scene
def donor_without_driver(stage: Stage) -> CommandResult:
    return stage.repair(stage.dead(), "--drivers", stage.donor(control_sets=(ControlSet(1), ControlSet(2))))


@scene
def donor_of_another_architecture(stage: Stage) -> CommandResult:
    return stage.repair(stage.dead(), "--drivers", stage.donor(arch=Architecture.X64))


@scene
def donor_with_dirty_hive(stage: Stage) -> CommandResult:
    donor = stage.build_server1(name="donor", system_state=HiveState.DIRTY).disk
    return stage.repair(stage.dead(), "--drivers", donor)


@scene
def blank_donor(stage: Stage) -> CommandResult:
    return stage.repair(stage.dead(), "--drivers", stage.file("donor.raw", bytes(1 << 20)))


@scene
def reg_file_too_far(stage: Stage) -> CommandResult:
    reg = stage.file("all.reg", b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Enum\\PCI]\r\n")
    return stage.repair(stage.dead(), "--reg", reg)


# The journal.


@scene
def no_space(stage: Stage) -> CommandResult:
    command = ("repair", stage.dead(), *TARGET, "--drivers", stage.donor(), "--quiet")
    return prefixed("prlimit", "--fsize=4096")(*command)


@scene
def no_journal_folder(stage: Stage) -> CommandResult:
    return stage.graft(stage.dead(), "--journal", stage.folder / "journals" / "server1.journal")


@scene
def nothing_to_undo(stage: Stage) -> CommandResult:
    return stage.run("undo", stage.dead(), "--quiet")


@scene
def interrupted_repair(stage: Stage) -> CommandResult:
    disk = stage.dead()
    command = ("repair", disk, *TARGET, "--drivers", stage.donor())
    names = steps(*command, "--dry-run")
    kill_at(len(names) + 60, *command)
    return stage.check(disk)


@scene
def interrupted_undo(stage: Stage) -> CommandResult:
    disk = stage.dead()
    assert stage.graft(disk).status == 0
    kill_at(10, "undo", disk)
    return stage.check(disk)


@scene
def machine_has_run(stage: Stage) -> CommandResult:
    machine = stage.build_server1()
    assert stage.graft(machine.disk).status == 0
    hive = oracles.read_file(machine.disk, machine.span(1), r"\WINDOWS\system32\config\SYSTEM")[:4096]
    content = machine.disk.read_bytes()
    at = content.index(hive)
    with machine.disk.open("r+b") as disk:
        disk.seek(at + 4)
        disk.write(struct.pack("<II", 99, 99))
    refusal = stage.run("undo", machine.disk, "--quiet")
    return CommandResult(refusal.status, refusal.stdout, refusal.stderr.replace(str(at + 4), "OFFSET"))


@scene
def damaged_journal(stage: Stage) -> CommandResult:
    disk = stage.dead()
    assert stage.graft(disk).status == 0
    (journal,) = disk.parent.glob("*.journal")
    with journal.open("r+b") as file:
        file.write(b"\0" * 64)
    return stage.run("undo", disk, "--quiet")


@scene
def lost_journal(stage: Stage) -> CommandResult:
    disk = stage.dead()
    journal = stage.folder / "kept.journal"
    assert stage.graft(disk, "--journal", journal).status == 0
    journal.unlink()
    return stage.run("undo", disk, "--quiet")


@scene
def journal_for_an_nbd_export(stage: Stage) -> CommandResult:
    with qemu_nbd(stage.dead(), "raw", stage.folder):
        return stage.graft(f"nbd+unix:///?socket={stage.folder}/s")


@pytest.mark.parametrize("name", SCENES)
def test_what_is_said(
    name: str,
    tmp_path: Path,
    build_server1: Build,
    build_donor: Build,
    convert_image: Callable[[Path, ImageForm], Path],
    bootgraft: Run,
) -> None:
    result = SCENES[name](Stage(tmp_path, build_server1, build_donor, convert_image, bootgraft))
    told = f"exit status {result.status}\n{result.stderr.replace(str(tmp_path), 'DIR')}"
    told = re.sub(r"\(pid \d+,", "(pid N,", told)
    assert result.stdout == ""
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("WRITE_GOLDENS"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(told)
    assert told == golden.read_text()


def test_every_golden_has_its_scene() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(SCENES)
