"""One image, two programs: bootgraft keeps off what another has open, and keeps others off what it has open."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.endtoend.processes import finish, held_at, qemu_io, qemu_nbd, steps
from tests.endtoend.refusals import TARGET, Photograph, Run, check_and_repair, digest, read_refusal, refused
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm

Convert = Callable[[Path, ImageForm], Path]
FORMATS = {
    ImageForm.RAW: "raw",
    ImageForm.MONOLITHIC_SPARSE: "vmdk",
    ImageForm.MONOLITHIC_FLAT: "vmdk",
    ImageForm.VHDX: "vhdx",
    ImageForm.QCOW2: "qcow2",
}


@pytest.mark.parametrize("form", FORMATS)
def test_an_image_that_qemu_writes(
    form: ImageForm,
    tmp_path: Path,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Run,
) -> None:
    image = convert_image(server1.disk, form)
    with qemu_io(image, FORMATS[form]):
        commands = check_and_repair(image, "--drivers", donor.disk)
        refusal = refused(bootgraft, *commands, watch=tmp_path)
    assert "another program has it open" in refusal.what
    assert "lsof" in refusal.advice
    assert bootgraft("check", image, *TARGET).status == 1


def test_a_disk_of_a_running_machine(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, ImageForm.QCOW2)
    (tmp_path / "run").mkdir()
    with qemu_nbd(image, "qcow2", tmp_path / "run"):
        for command in (*check_and_repair(image, "--drivers", donor.disk), ("inspect", image)):
            refusal = read_refusal(bootgraft(*command, "--quiet"))
            assert "another program has it open (a running virtual machine" in refusal.what


@pytest.mark.parametrize("form", [ImageForm.MONOLITHIC_SPARSE, ImageForm.QCOW2])
def test_an_image_that_qemu_only_reads(
    form: ImageForm,
    tmp_path: Path,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Run,
) -> None:
    image = convert_image(server1.disk, form)
    check, repair = check_and_repair(image, "--drivers", donor.disk)
    with qemu_io(image, FORMATS[form], "-r"):
        assert bootgraft(*check).status == 1
        assert "has it open" in refused(bootgraft, repair, watch=tmp_path).what


def test_a_donor_that_runs(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    with qemu_io(donor.disk, "raw"):
        refusal = refused(bootgraft, ("repair", server1.disk, *TARGET, "--drivers", donor.disk), watch=tmp_path)
    assert refusal.where == str(donor.disk)


def _lock_folder(image: Path) -> Path:
    lock = image.with_name(image.name + ".lck")
    lock.mkdir()
    (lock / "M12345.lck").write_bytes(b"\xad\xde\xef\xbe")
    return lock


def _lock_file_of_esxi(image: Path) -> Path:
    lock = image.with_name(".lck-" + image.stat().st_ino.to_bytes(8, "little").hex())
    lock.write_bytes(bytes(84))
    return lock


@pytest.mark.parametrize("make", [_lock_folder, _lock_file_of_esxi])
def test_a_disk_that_vmware_holds(
    make: Callable[[Path], Path], tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    lock = make(image)
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert refusal.what == f"VMware holds it: the lock {lock} exists"
    assert "remove the lock" in refusal.advice


def _qemu_is_refused(image: Path, driver: str) -> bool:
    line = ["qemu-io", "-f", driver, "-c", "write 0 512", str(image)]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode != 0 and "lock" in done.stderr


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE])
def test_a_repair_under_way_keeps_all_others_off(
    form: ImageForm,
    tmp_path: Path,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Run,
) -> None:
    """Before the journal has its name, and again in the middle of writing the image."""
    image = convert_image(server1.disk, form)
    repair = ("repair", image, *TARGET, "--drivers", donor.disk)
    names = steps(*repair)
    assert bootgraft("undo", image).status == 0
    published = names.index("rename")
    for step in (published - 2, published + 8):
        with held_at(step, *repair) as under_way:
            before = Photograph.of(image.parent)
            assert _qemu_is_refused(image, FORMATS[form])
            for command in (("check", image, *TARGET), repair, ("undo", image)):
                refusal = read_refusal(bootgraft(*command, "--quiet"))
                if step > published and command[0] != "undo":
                    assert "another bootgraft is writing this machine's disks just now" in refusal.what
                    assert refusal.advice.startswith("Wait until it has ended")
                elif step > published or command[0] != "undo":  # until then there is nothing to undo
                    assert "has it open" in refusal.what
            assert before.differences(Photograph.of(image.parent)) == []
            assert finish(under_way).status == 0
        assert bootgraft("check", image, *TARGET).status == 0
        assert bootgraft("undo", image).status == 0
    assert not list(image.parent.glob("*journal*"))


def test_two_checks_at_once(server1: BuiltMachine, bootgraft: Run) -> None:
    before = digest(server1.disk)
    with qemu_io(server1.disk, "raw", "-r"), qemu_io(server1.disk, "raw", "-r"):
        assert bootgraft("check", server1.disk, *TARGET).status == 1
    assert digest(server1.disk) == before
