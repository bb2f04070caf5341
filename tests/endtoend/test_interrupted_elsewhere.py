"""Interrupted, then renamed, moved, linked, copied, or on a device beside which no journal lies: it is said anyway.

Every command says so, and what it says to type works when it is pasted.
"""

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.endtoend.processes import kill_at, steps, writes_of
from tests.endtoend.refusals import TARGET, Refusal, Run, digest, refused
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm
from tests.machines.tools import run
from tests.storage.nbdservers import nbdkit
from tests.storage.openers import loop_device

Convert = Callable[[Path, ImageForm], Path]
INTERRUPTED = "a repair of this machine was interrupted, and its disks hold old and new content mixed"


def interrupt(disk: Path | str, donor: BuiltMachine, *more: str | Path) -> None:
    """Have a repair killed when half of the image is written."""
    words = ("repair", disk, *TARGET, "--drivers", donor.disk, *more)
    first, seal = writes_of(steps(*words))
    assert len(undo := steps("undo", disk, *more)) > 1, undo
    kill_at((first + seal) // 2, *words)


def require_told(disk: Path | str, donor: BuiltMachine, bootgraft: Run, watch: Path) -> Refusal:
    """A command that reads the disk says that it is half-done, and one that would write it says the same."""
    repair = ("repair", disk, *TARGET, "--drivers", donor.disk, "--journal", watch / "another")
    told = refused(bootgraft, ("check", disk, *TARGET), repair, watch=watch)
    assert told.what == INTERRUPTED
    return told


def commands_in(refusal: Refusal) -> dict[str, list[str]]:
    """What a refusal says to type, by the verb."""
    lines = (line.strip() for line in refusal.advice.splitlines())
    commands = (shlex.split(line)[1:] for line in lines if line.startswith("bootgraft "))
    return {words[0]: words for words in commands}


@pytest.fixture
def half_done(server1: BuiltMachine, donor: BuiltMachine, tmp_path: Path) -> Path:
    """A raw disk in a folder of its own whose repair was interrupted; as it was before lies in ``original``."""
    disk = tmp_path / "vm" / "server1.img"
    disk.parent.mkdir()
    shutil.copy(server1.disk, disk)
    shutil.copy(server1.disk, tmp_path / "original")
    interrupt(disk, donor)
    return disk


def test_under_another_name(half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    """Renamed, moved, by another hard link, by a link: the number of its file is the same."""
    journal = half_done.with_name("server1.img.bootgraft-1.journal")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    places = [half_done.with_name("renamed.img"), elsewhere / "server1.img", elsewhere / "other name.img"]
    for place in places:
        half_done.rename(place)
        told = require_told(place, donor, bootgraft, tmp_path)
        assert told.where == str(journal)
        place.rename(half_done)
        place.hardlink_to(half_done)
        assert require_told(place, donor, bootgraft, tmp_path).where == str(journal)
        place.unlink()
    half_done.rename(places[2])
    history = bootgraft("history", places[2])
    assert "INTERRUPTED" in history.stdout
    assert shlex.join(["bootgraft", *commands_in(told)["undo"]]) in history.stdout
    assert bootgraft(*commands_in(told)["undo"]).status == 0
    assert digest(places[2]) == digest(tmp_path / "original")
    assert not journal.exists()
    assert bootgraft("check", places[2], *TARGET).stderr == ""


def test_every_command_says_so(half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    place = half_done.rename(tmp_path / "moved.img")
    told = refused(
        bootgraft,
        ("check", place),
        ("inspect", place),
        ("reg", "query", place, "HKLM\\SYSTEM\\Select"),
        ("drivers", "harvest", place, *TARGET, "--out", tmp_path / "package"),
        ("kit", "--image", place, *TARGET, "--out", tmp_path / "kit.zip"),
        ("repair", place, *TARGET, "--drivers", donor.disk, "--dry-run"),
        watch=tmp_path,
    )
    assert told.what == INTERRUPTED


def test_finished_under_another_name(
    half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path, state_home: Path
) -> None:
    place = tmp_path / "moved.img"
    half_done.rename(place)
    told = require_told(place, donor, bootgraft, tmp_path)
    assert bootgraft(*commands_in(told)["repair"]).status == 0
    assert bootgraft("check", place, *TARGET).status == 0
    assert list((state_home / "bootgraft" / "unfinished").iterdir()) == []
    assert bootgraft("undo", place).status == 0, "a pointer leads from it to the journal now"
    assert digest(place) == digest(tmp_path / "original")


def test_moved_to_another_file_system(half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    """It is another file then: its content tells."""
    place = tmp_path / "moved.img"
    shutil.copy(half_done, place)
    half_done.unlink()
    told = require_told(place, donor, bootgraft, tmp_path)
    assert bootgraft("undo", place).status == 0
    assert digest(place) == digest(tmp_path / "original")
    assert not Path(told.where).exists()


def test_without_an_index(
    half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path, state_home: Path
) -> None:
    """As where the folder was copied to another host: a journal lies in the disk's folder whose disk is gone."""
    shutil.rmtree(state_home)
    place = half_done.with_name("renamed.img")
    half_done.rename(place)
    told = require_told(place, donor, bootgraft, tmp_path)
    assert bootgraft(*commands_in(told)["undo"]).status == 0
    assert digest(place) == digest(tmp_path / "original")


def test_a_copy_of_it(half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.img"
    shutil.copy(half_done, copy)
    told = refused(
        bootgraft,
        ("check", copy, *TARGET),
        ("repair", copy, *TARGET, "--drivers", donor.disk),
        watch=tmp_path,
    )
    assert told.what.startswith(f"this is a copy of {half_done}, whose repair was interrupted: it holds old and new")
    assert bootgraft("undo", copy).status == 3
    assert f"bootgraft undo {half_done}" in told.advice
    assert bootgraft("undo", half_done).status == 0
    assert digest(half_done) == digest(tmp_path / "original")


def test_as_a_donor(
    half_done: Path, build_server1: Callable[..., BuiltMachine], bootgraft: Run, tmp_path: Path
) -> None:
    other = build_server1(name="other").disk
    renamed = half_done.rename(tmp_path / "donor.img")
    told = bootgraft("repair", other, *TARGET, "--drivers", renamed)
    assert told.status == 3
    assert (
        f"{INTERRUPTED}.\n  Do not start the machine. To go back, run:\n      bootgraft undo {renamed}" in told.stderr
    )
    assert f"{other}: it reads as {half_done} did before a repair" in told.stderr


@pytest.mark.parametrize("is_same_file", [True, False])
def test_a_snapshot_that_was_put_back(
    half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path, is_same_file: bool
) -> None:
    """It is not blocked, it is told; and so is a clone of the machine, whose journal is another's."""
    if not is_same_file:
        half_done.unlink()
    shutil.copy(tmp_path / "original", half_done)
    shutil.copy(tmp_path / "original", tmp_path / "clone.img")
    checked = bootgraft("check", half_done, *TARGET)
    assert checked.status == 1
    assert "0x7B" in checked.stdout
    assert "a repair of this disk was interrupted; the disk reads as before it" in checked.stderr
    undo = shlex.split(checked.stderr.rpartition("run:\n    bootgraft ")[2])
    repaired = bootgraft("repair", half_done, *TARGET, "--drivers", donor.disk)
    assert repaired.status == 3
    assert "a repair of this machine was interrupted; the disk reads as before it" in repaired.stderr
    assert bootgraft("repair", tmp_path / "clone.img", *TARGET, "--drivers", donor.disk).status == 0
    assert bootgraft("check", tmp_path / "clone.img", *TARGET).status == 0
    assert bootgraft(*undo).status == 0
    assert bootgraft("check", half_done, *TARGET).stderr == ""
    assert digest(half_done) == digest(tmp_path / "original")


@pytest.mark.parametrize("form", [ImageForm.QCOW2, ImageForm.MONOLITHIC_SPARSE])
def test_a_container(
    form: ImageForm, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run, tmp_path: Path
) -> None:
    disk = convert_image(server1.disk, form)
    interrupt(disk, donor)
    moved = disk.rename(tmp_path / f"moved{disk.suffix}")
    told = require_told(moved, donor, bootgraft, disk.parent)
    copied = shutil.copy(moved, tmp_path / f"copied{disk.suffix}")
    moved.unlink()
    assert require_told(copied, donor, bootgraft, disk.parent).what == told.what
    words = commands_in(require_told(copied, donor, bootgraft, disk.parent))["undo"]
    assert bootgraft(*words).status == 0
    assert b"identical" in run("qemu-img", "compare", "-F", "raw", copied, server1.disk)


def test_converted(
    server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run, tmp_path: Path
) -> None:
    """What it became is written where it is raw; a container that qemu would have to make grow is converted first."""
    original = digest(server1.disk)
    disk = convert_image(server1.disk, ImageForm.QCOW2)
    interrupt(disk, donor)
    raw, vdi = tmp_path / "converted.raw", tmp_path / "converted.vdi"
    for form, place in (("raw", raw), ("vdi", vdi)):
        run("qemu-img", "convert", "-O", form, disk, place)
    disk.unlink()
    told = commands_in(require_told(vdi, donor, bootgraft, disk.parent))
    assert "(`qemu-img convert -O raw`)" in refused(bootgraft, told["undo"], told["repair"], watch=tmp_path).advice
    told = commands_in(require_told(raw, donor, bootgraft, disk.parent))
    assert bootgraft(*told["repair"]).status == 0
    assert bootgraft("check", raw, *TARGET).status == 0
    history = bootgraft("history", raw).stdout
    assert bootgraft(*shlex.split(history.rpartition("run:\n    bootgraft ")[2])).status == 0
    assert digest(raw) == original


def test_exported(half_done: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    """A disk that is served is repaired under its own name, where that is still there."""
    with nbdkit(tmp_path, "file", str(half_done)) as uri:
        told = refused(bootgraft, ("check", uri, *TARGET), watch=half_done.parent)
        assert told.what.startswith(f"this is an export of {half_done}, whose repair was interrupted")
        assert bootgraft(*commands_in(told)["undo"]).status == 0
        assert bootgraft("check", uri, *TARGET).status == 1
    assert digest(half_done) == digest(tmp_path / "original")


def test_a_block_device(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    """Under the address that it had, and under another one."""
    original = digest(server1.disk)
    (tmp_path / "journals").mkdir()
    with loop_device(server1.disk) as device:
        interrupt(device, donor, "--journal", tmp_path / "journals" / "j")
        told = require_told(device, donor, bootgraft, tmp_path)
        assert told.where == str(tmp_path / "journals" / "j")
        assert commands_in(told)["undo"] == ["undo", str(device), "--journal", told.where]
        link = tmp_path / "by another name"
        link.symlink_to(device)
        assert require_told(link, donor, bootgraft, tmp_path).where == told.where
        assert "INTERRUPTED" in bootgraft("history", device).stdout
        assert bootgraft("undo", link).status == 0
        assert bootgraft("check", device, *TARGET).stderr == ""
    assert digest(server1.disk) == original


def test_a_journal_that_is_gone(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    """As where its file system is not mounted: the disk is not repaired on top, and the journal is looked for."""
    original = digest(server1.disk)
    mounted, elsewhere = tmp_path / "mounted", tmp_path / "elsewhere"
    for folder in (mounted, elsewhere):
        folder.mkdir()
    with loop_device(server1.disk) as device:
        interrupt(device, donor, "--journal", mounted / "j")
        (mounted / "j").rename(elsewhere / "j")
        words = ("repair", device, *TARGET, "--drivers", donor.disk, "--journal", elsewhere / "another")
        what = f"whether it was finished cannot be determined: its undo journal {mounted / 'j'} is not there"
        told = refused(bootgraft, words, watch=tmp_path)
        assert what in told.what
        assert what in bootgraft("check", device, *TARGET).stderr
        assert f"{mounted / 'j'}: this undo journal" in bootgraft("history").stderr
        link = tmp_path / "another address"
        link.symlink_to(device)
        assert "or of one that it is a clone of" in bootgraft("check", link, *TARGET).stderr
        entries = [Path(word) for word in shlex.split(told.advice.splitlines()[-1])[1:]]
        assert len(entries) > 1
        assert bootgraft("undo", device, "--journal", elsewhere / "j").status == 0
        assert not any(map(os.path.lexists, entries))
        assert bootgraft("check", device, *TARGET).stderr == ""
    assert digest(server1.disk) == original


def test_an_export(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path) -> None:
    original = digest(server1.disk)
    (tmp_path / "journals").mkdir()
    with nbdkit(tmp_path, "file", str(server1.disk)) as uri:
        interrupt(uri, donor, "--journal", tmp_path / "journals" / "j")
        told = require_told(uri, donor, bootgraft, tmp_path / "journals")
        assert told.where == str(tmp_path / "journals" / "j")
        assert "INTERRUPTED" in bootgraft("history", uri).stdout
        other = uri.replace(":///?", ":///anything?")
        told = require_told(other, donor, bootgraft, tmp_path / "journals")
        assert commands_in(told)["undo"] == ["undo", other, "--journal", told.where]
        assert bootgraft("undo", uri).status == 0
        assert bootgraft("check", uri, *TARGET).status == 1
    assert digest(server1.disk) == original
