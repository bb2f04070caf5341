"""One image, two programs: bootgraft keeps off what another has open, and keeps others off what it has open."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.endtoend.processes import finish, held_at, qemu_io, qemu_nbd, steps
from tests.endtoend.refusals import (
    TARGET,
    Photograph,
    Run,
    check_and_repair,
    digest,
    prefixed,
    read_refusal,
    refused,
)
from tests.endtoend.story import WINDOWS, require_repaired
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm
from tests.machines.tools import run
from tests.storage.openers import folder_for_all, holding, loop_device, without_leases

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


@contextmanager
def volume_mounted(machine: BuiltMachine, image: Path, point: Path) -> Iterator[Path]:
    """Its Windows volume, mounted read-write at ``point`` through a loop device."""
    offset, length = machine.span(WINDOWS)
    with loop_device(image, f"--offset={offset}", f"--sizelimit={length}") as device, ntfs(device, point):
        run("sync", device)  # what the mount itself writes is on the disk
        yield device


@contextmanager
def ntfs(device: Path, point: Path) -> Iterator[None]:
    """An NTFS volume that is mounted read-write."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("mounting an NTFS volume needs /dev/fuse")
    point.mkdir(exist_ok=True)
    run("ntfs-3g", device, point)
    try:
        yield
    finally:
        run("umount", point)


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_FLAT])
def test_an_image_whose_volume_is_mounted(
    form: ImageForm,
    tmp_path: Path,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Run,
) -> None:
    """The mount knows nothing of what is written below it, and what it writes when it ends destroys the volume."""
    image = convert_image(server1.disk, form)
    data = image.with_name("server1-flat.vmdk") if form is ImageForm.MONOLITHIC_FLAT else image
    point = tmp_path / "mount"
    repair = ("repair", image, *TARGET, "--drivers", donor.disk)
    with volume_mounted(server1, data, point) as device:
        refusal = refused(bootgraft, ("check", image, *TARGET), repair, watch=image.parent)
        assert f"the loop device {device} ({device} is mounted at {point})" in refusal.what
        assert f"umount {point}; losetup -d {device}" in refusal.advice
        (point / "new file").write_text("x")
    assert bootgraft(*repair).status == 0
    with volume_mounted(server1, data, point) as device:
        assert str(device) in refused(bootgraft, ("undo", image), watch=image.parent).what
        assert (point / "new file").read_text() == "x"
    if form is ImageForm.RAW:
        require_repaired(image, server1.span(WINDOWS), donor, tmp_path)


def test_a_loop_device_that_only_reads(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    """What is read through it would change under its cache."""
    image = server1.disk
    with loop_device(image, "-r") as device:
        assert bootgraft("check", image, *TARGET).status == 1
        refusal = refused(bootgraft, ("repair", image, *TARGET, "--drivers", donor.disk), watch=image.parent)
    assert f"the loop device {device} (read-only)" in refusal.what


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE])
def test_an_image_that_a_plain_program_has_open(
    form: ImageForm, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, form)
    check, repair = check_and_repair(image, "--drivers", donor.disk)
    with holding(image, "rw") as number:
        refusal = refused(bootgraft, check, repair, watch=image.parent)
        assert refusal.what == f"another program has it open: cat (pid {number}, for writing)"
    with holding(image, "r") as number:
        assert bootgraft(*check).status == 1
        refusal = refused(bootgraft, repair, watch=image.parent)
        assert refusal.what == f"another program has it open: cat (pid {number}, for reading)"


def test_a_donor_that_is_written(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    repair = ("repair", server1.disk, *TARGET, "--drivers", donor.disk)
    with holding(donor.disk, "rw"):
        assert refused(bootgraft, repair, watch=server1.disk.parent).where == str(donor.disk)
    with holding(donor.disk, "r"):
        assert bootgraft(*repair).status == 0


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE])
def test_whoever_comes_while_the_repair_is_proven(
    form: ImageForm, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, form)
    repair = ("repair", image, *TARGET, "--drivers", donor.disk)
    names = steps(*repair)
    assert bootgraft("undo", image).status == 0
    before = Photograph.of(image.parent)
    with held_at(names.index("rename") - 2, *repair) as under_way, loop_device(image, "-r") as device:
        done = finish(under_way)
    assert done.status == 3
    assert f"the loop device {device}" in done.stderr
    assert before.differences(Photograph.of(image.parent)) == []


def test_two_users_in_one_folder(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    """root owns the image: another user may write it, but not ask who has it open, and is told so."""
    with folder_for_all() as folder:
        for machine, name in ((server1, "server1.raw"), (donor, "donor.raw")):
            shutil.move(machine.disk, folder / name)
            (folder / name).chmod(0o666)
        image = folder / "server1.raw"
        repair = ("repair", image, *TARGET, "--drivers", folder / "donor.raw")
        nobody = prefixed(*without_leases())
        for options in ((), ("-r",)):
            with loop_device(image, *options) as device:
                for run_as in (nobody, bootgraft):
                    assert str(device) in refused(run_as, repair, watch=folder).what
                    result = run_as("check", image, *TARGET)
                    assert result.status == (1 if options else 3)
        told = nobody("check", image, *TARGET, "--verbose").stderr
        assert f"bootgraft: {image}: only its owner or root may ask Linux whether another program has it open" in told
        assert "may ask Linux" not in nobody("check", image, *TARGET).stderr
        assert "may ask Linux" not in bootgraft("check", image, *TARGET, "--verbose").stderr
        assert nobody(*repair).status == 0


def test_a_block_device_whose_partition_is_mounted(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    with loop_device(server1.disk, "--partscan") as device:
        run("partx", "--update", device)
        check = ("check", device, *TARGET)
        repair = ("repair", device, *TARGET, "--drivers", donor.disk, "--journal", tmp_path / "journal")
        with ntfs(Path(f"{device}p2"), tmp_path / "mount"):
            for command in (check, repair):
                refusal = read_refusal(bootgraft(*command, "--quiet"))
                assert f"{device}p2 is mounted at {tmp_path / 'mount'}" in refusal.what
        told = bootgraft(*check, "--verbose")
        assert told.status == 1
        assert f"bootgraft: {device}: Linux does not report who has a block device open" in told.stderr
        assert bootgraft(*repair).status == 0
        assert bootgraft("undo", device, "--journal", tmp_path / "journal").status == 0


def test_changed_blocks_that_hyper_v_tracks(
    server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    """The maps are there while the machine is off, too: no sign of use, but they miss what is written here."""
    image = convert_image(server1.disk, ImageForm.VHDX)
    image.with_name(f"{image.name}.rct").write_bytes(b"x")
    said = f"bootgraft: {image}: Hyper-V tracks this disk's changed blocks ({image.name}.rct)"
    check = ("check", image, *TARGET)
    assert said in bootgraft(*check, "--verbose").stderr
    assert said not in bootgraft(*check).stderr
    repaired = bootgraft("repair", image, *TARGET, "--drivers", donor.disk, "--quiet")
    assert (repaired.status, said in repaired.stderr) == (0, True)
    assert said in bootgraft("undo", image, "--quiet").stderr
