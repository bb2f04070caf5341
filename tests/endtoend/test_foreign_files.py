"""A folder that others may write to as well: what the user nobody plants beside root's image, and gets nothing by."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import CommandResult
from tests.endtoend.refusals import TARGET, Run, digest, read_refusal, refused, started_by
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, convert
from tests.registry.support import built_hive
from tests.twousers import AS_NOBODY, NOBODY, as_nobody, shared_folder

JOURNAL = "m.img.bootgraft-1.journal"
POINTER = "m.img.bootgraft-journal-pointer"
STILL_DEAD = 1


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder


@pytest.fixture
def image(shared: Path, server1: BuiltMachine) -> Path:
    """Root's image of the dead server, which only root may read, in a sticky folder."""
    path = Path(shutil.copy(server1.disk, shared / "m.img"))
    path.chmod(0o600)
    return path


def grafting(donor: BuiltMachine) -> tuple[str | Path, ...]:
    return (*TARGET, "--drivers", donor.disk)


def owned(path: Path) -> tuple[int, str, int]:
    status = path.lstat()
    return status.st_uid, oct(status.st_mode), status.st_nlink


@pytest.mark.parametrize("plant", [": > {}", "mkfifo {}", "ln -s /dev/zero {}"])
def test_a_journal_is_roots_whoever_was_at_its_name_before(
    plant: str, image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run
) -> None:
    before = digest(image)
    as_nobody(shared, plant.format(f"{JOURNAL}.partial"))
    assert bootgraft("repair", image, *grafting(donor)).status == 0
    assert owned(shared / JOURNAL) == (0, "0o100600", 1)
    assert {path.name for path in shared.iterdir()} == {image.name, JOURNAL}
    assert bootgraft("undo", image).status == 0
    assert digest(image) == before


def _obeyed(shared: Path, image: Path, donor: BuiltMachine, bootgraft: Run) -> None:
    """Leave in ``true`` a sound journal that fits the image: who obeys it puts the image into another state."""
    assert bootgraft("repair", image, *grafting(donor)).status == 0
    shutil.copy(shared / JOURNAL, shared / "true")
    (shared / "true").chmod(0o644)
    (shared / JOURNAL).unlink()


def test_a_planted_journal_is_not_obeyed(
    image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    _obeyed(shared, image, donor, bootgraft)
    as_nobody(shared, f"cp true {JOURNAL}")
    commands = (
        ("undo", image),
        ("undo", image, "--journal", shared / JOURNAL),
        ("repair", image, "--resume"),
        ("repair", image, *grafting(donor)),
        ("undo", image, "--dry-run"),
    )
    refusal = refused(bootgraft, *commands, watch=shared)
    assert refusal.where == str(shared / JOURNAL)
    assert "it belongs to nobody (65534)" in refusal.what
    assert "nothing was written" in refusal.what
    for command in ("check", "inspect"):
        done = bootgraft(command, image, *(TARGET if command == "check" else ()), "--quiet")
        assert done.status == 0
        assert f"bootgraft: passed over: {shared / JOURNAL}: " in done.stderr
    out = tmp_path / "out.qcow2"
    assert bootgraft("repair", image, *grafting(donor), "--overlay", out).status in (0, STILL_DEAD)
    (shared / JOURNAL).unlink()
    assert "passed over" not in bootgraft("check", image, *TARGET).stderr


def test_the_same_journal_of_roots_own_is_obeyed(
    image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run
) -> None:
    before = digest(image)
    _obeyed(shared, image, donor, bootgraft)
    shutil.copy(shared / "true", shared / JOURNAL)
    assert bootgraft("undo", image).status == 0
    assert digest(image) == before


@pytest.mark.parametrize("plant", ["echo garbage > {}", "mkfifo {}", "ln -s /dev/zero {}"])
def test_a_planted_pointer_keeps_nobody_from_a_diagnosis(
    plant: str, image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run
) -> None:
    as_nobody(shared, plant.format(POINTER))
    check = bootgraft("check", image, *TARGET)
    assert check.status == STILL_DEAD
    assert f"passed over: {shared / POINTER}: this pointer to an undo journal does not count" in check.stderr
    refusal = refused(bootgraft, ("repair", image, *grafting(donor)), watch=shared)
    assert refusal.where == str(shared / POINTER)
    (shared / POINTER).unlink()
    assert bootgraft("repair", image, *grafting(donor)).status == 0


def test_a_planted_lock_of_vmwares_keeps_nobody_off(
    image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run
) -> None:
    number = image.stat().st_ino.to_bytes(8, "little").hex()
    as_nobody(shared, f"mkdir m.img.lck; : > .lck-{number}")
    for command, status in ((("check", image, *TARGET), STILL_DEAD), (("repair", image, *grafting(donor)), 0)):
        done = bootgraft(*command, "--quiet")
        assert done.status == status
        for name in ("m.img.lck", f".lck-{number}"):
            assert f"passed over: the lock {shared / name} belongs to nobody (65534)" in done.stderr
    assert f"{shared / 'm.img.lck'}" in bootgraft("undo", image).stderr


@pytest.mark.parametrize("whose", ["root's", "the owner's"])
def test_a_true_lock_of_vmwares_holds(whose: str, image: Path, shared: Path, bootgraft: Run) -> None:
    if whose == "root's":
        (shared / "m.img.lck").mkdir()
    else:
        shutil.chown(image, NOBODY)
        as_nobody(shared, "mkdir m.img.lck")
    refusal = refused(bootgraft, ("check", image, *TARGET), watch=shared)
    assert refusal.what == f"VMware holds it: the lock {shared / 'm.img.lck'} exists"


def test_what_a_user_repaired_root_may_undo(
    image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    """The journal's owner owns the disk: that word counts."""
    nobody = _nobody(shared)
    shutil.copy(donor.disk, shared / "donor.img")
    before = digest(image)
    shutil.chown(image, NOBODY)
    done = nobody("repair", image, *TARGET, "--drivers", shared / "donor.img")
    assert done.status == 0, done
    assert owned(shared / JOURNAL) == (NOBODY, "0o100600", 1)
    assert bootgraft("check", image, *TARGET).status == 0
    assert bootgraft("undo", image).status == 0
    assert digest(image) == before


def _nobody(folder: Path) -> Run:
    """A function that runs the command line as nobody, with an interpreter that is not locked away in root's home."""
    paths = os.pathsep.join(path for path in sys.path if path.endswith(("site-packages", "src")))
    user = (*AS_NOBODY, "env", f"TMPDIR={folder}", "HOME=/", f"PYTHONPATH={paths}", "PYTHONDONTWRITEBYTECODE=1")
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        words = [*user, python, "-c", "import bootgraft, cffi, pefile"]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return started_by(*user, python)
    pytest.skip("the user nobody cannot run what is tested here")


def test_one_who_is_not_root_is_told_the_way_on(image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run) -> None:
    """In a sticky folder another's file cannot be removed."""
    nobody = _nobody(shared)
    shutil.copy(donor.disk, shared / "donor.img")
    shutil.chown(image, NOBODY)
    repair = ("repair", image, *TARGET, "--drivers", shared / "donor.img")
    (shared / f"{JOURNAL}.partial").write_bytes(b"root's")
    refusal = refused(nobody, repair, watch=shared)
    assert refusal.where == str(shared / f"{JOURNAL}.partial")
    assert "it belongs to root (0)" in refusal.what
    assert "--journal PATH" in refusal.advice
    (shared / "theirs").mkdir()
    shutil.chown(shared / "theirs", NOBODY)
    assert nobody(*repair, "--journal", shared / "theirs" / "j").status == 0
    assert owned(shared / "theirs" / "j") == (NOBODY, "0o100600", 1)
    assert nobody("undo", image).status == 0


def test_a_descriptor_of_nobodys_does_not_lead_its_journal_into_roots_extent(
    shared: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    """The journal is nobody's, and so is the disk that it names; the file that would be written is root's."""
    disk = convert(server1.disk, ImageForm.MONOLITHIC_FLAT, tmp_path / "flat")
    for path in disk.parent.iterdir():
        shutil.copy(path, shared / path.name)
    image = shared / disk.name
    (extent,) = shared.glob("*-flat.vmdk")
    extent.chmod(0o600)
    assert bootgraft("repair", image, *grafting(donor)).status == 0
    for path in (image, shared / f"{image.name}.bootgraft-1.journal"):
        shutil.chown(path, NOBODY)
    refusal = refused(bootgraft, ("undo", image), watch=shared)
    assert "does not own every disk and file that it is about" in refusal.what


def test_an_overlay_is_roots_whoever_was_at_its_name_before(
    image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run
) -> None:
    (shared / "precious").write_bytes(b"mine")
    as_nobody(shared, "ln -s precious out.qcow2.partial")
    done = bootgraft("repair", image, *grafting(donor), "--overlay", shared / "out.qcow2")
    assert done.status == 0, done
    assert owned(shared / "out.qcow2") == (0, "0o100600", 1)
    assert (shared / "precious").read_bytes() == b"mine"
    nobody = _nobody(shared)
    (shared / "other.qcow2.partial").write_bytes(b"root's")
    image.chmod(0o644)
    shutil.copy(donor.disk, shared / "donor.img")
    words = ("repair", image, *TARGET, "--drivers", shared / "donor.img", "--overlay", shared / "other.qcow2")
    refusal = read_refusal(nobody(*words, "--quiet"))
    assert "what is there cannot be removed" in refusal.what
    assert "--overlay" in refusal.advice


def test_a_description_is_not_written_through_what_lies_beside_it(
    image: Path, shared: Path, donor: BuiltMachine, bootgraft: Run
) -> None:
    (shared / "precious").write_bytes(b"mine")
    text = 'scsi0.present = "TRUE"\nscsi0.virtualDev = "lsilogic"\nscsi0:0.present = "TRUE"\n'
    text += 'scsi0:0.fileName = "m.img"\nscsi0:0.deviceType = "scsi-hardDisk"\nethernet0.present = "TRUE"\n'
    vm = shared / "m.vmx"
    vm.write_text(text)
    as_nobody(shared, "ln -s precious m.vmx.bootgraft-partial")
    done = bootgraft("repair", "--vm", vm, "--isolate", "--drivers", donor.disk)
    assert done.status == 0, done
    assert (shared / "precious").read_bytes() == b"mine"
    assert "startConnected" in vm.read_text()
    assert not list(shared.glob("*partial"))
    assert bootgraft("undo", image, "--vm", vm).status == 0
    assert vm.read_text() == text


# A hive file by itself


@pytest.fixture
def hive(shared: Path, tmp_path: Path) -> Path:
    path = shared / "SYSTEM"
    path.write_bytes(built_hive(tmp_path, minor=5, text='\n[\\Other]\n"a"="b"\n'))
    path.chmod(0o644)
    return path


def test_a_planted_backup_does_not_become_the_hive(hive: Path, shared: Path, bootgraft: Run) -> None:
    before = hive.read_bytes()
    assert bootgraft("reg", "set", hive, "New").status == 0
    start = hashlib.sha256(hive.read_bytes()).hexdigest()[:16]
    as_nobody(shared, f"echo theirs > SYSTEM.bootgraft-999999.{start}.bak; mkfifo SYSTEM.bootgraft-5.{start}.bak")
    done = bootgraft("undo", hive)
    assert done.status == 0
    assert "this backup of a hive does not count: it belongs to nobody" in done.stderr
    assert hive.read_bytes() == before
    assert bootgraft("reg", "set", hive, "New").status == 0
    assert bootgraft("undo", hive).status == 0, "the planted number is not counted on from"
    assert hive.read_bytes() == before


def test_the_new_hive_is_roots_whoever_was_at_its_name_before(hive: Path, shared: Path, bootgraft: Run) -> None:
    (shared / "precious").write_bytes(b"mine")
    as_nobody(shared, "ln -s precious SYSTEM.bootgraft-new")
    assert bootgraft("reg", "set", hive, "New").status == 0
    assert owned(hive) == (0, "0o100644", 1)
    assert (shared / "precious").read_bytes() == b"mine"


def test_a_planted_log_is_not_replayed(hive: Path, shared: Path, bootgraft: Run) -> None:
    as_nobody(shared, "echo theirs > SYSTEM.LOG1; chmod 600 SYSTEM.LOG1; mkfifo SYSTEM.LOG2")
    read = bootgraft("reg", "query", hive, "Other")
    assert read.status == 0
    assert f"passed over: {shared / 'SYSTEM.LOG1'}: this log of a hive does not count" in read.stderr
    refusal = read_refusal(bootgraft("reg", "set", hive, "New", "--quiet"))
    assert refusal.what.startswith(f"{shared / 'SYSTEM.LOG1'}: this log of a hive does not count")


# What is made for later use


@pytest.mark.parametrize("command", ["harvest", "kit"])
def test_a_folder_of_others_is_named(
    command: str, shared: Path, donor: BuiltMachine, bootgraft: Run, tmp_path: Path
) -> None:
    words = {
        "harvest": ("drivers", "harvest", donor.disk, "--target", "vmware:lsilogic"),
        "kit": ("kit", "--target", "vmware:lsilogic", "--windows", "2003", "--drivers", donor.disk),
    }[command]
    as_nobody(shared, "mkdir theirs")
    done: CommandResult = bootgraft(*words, "--out", shared / "theirs")
    assert done.status == 0, done
    assert f"{shared / 'theirs'}: nobody (65534) can exchange files in this folder" in done.stderr
    assert "exchange" not in bootgraft(*words, "--out", tmp_path / "mine").stderr
