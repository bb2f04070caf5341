"""Files that are no disk image, or no whole one: refused in one message that says what to do, and left as they are."""

import gzip
import os
import re
import shutil
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.endtoend.refusals import (
    TARGET,
    Run,
    check_and_repair,
    diagnosed,
    only_finding,
    prefixed,
    read_refusal,
    refused,
    unprivileged,
)
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, flat_extents, snapshot_child
from tests.machines.spec import SECTOR
from tests.machines.tools import run
from tests.storage.images.test_vhdx import with_log

Convert = Callable[[Path, ImageForm], Path]
_TABLE_ENTRY = 446


def _text(path: Path) -> None:
    path.write_text("the disk lies on the other server\n" * 40)


def _gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(5000)))


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("server1.ovf"))


def _iso(path: Path) -> None:
    (path.parent / "tree").mkdir()
    run("genisoimage", "-quiet", "-o", path, path.parent / "tree")


def _directory(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def _vmx(path: Path) -> None:
    path.write_text('config.version = "8"\nvirtualHW.version = "4"\nscsi0:0.fileName = "server1.vmdk"\n')


NO_IMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "text": (_text, "this is a text file, not a disk image", "Give the disk image itself"),
    "gzip": (_gzip, "this is a gzip archive, not a disk image", "Unpack it first"),
    "ova": (
        _tar,
        "this is a tar archive (an .ova is one), not a disk image",
        "this folder, run:\n    tar xf /",
    ),
    "iso": (_iso, "this is an ISO 9660 CD or DVD image", "Give the machine's hard disk"),
    "vmx": (_vmx, "this is a VMware virtual machine's configuration", "give the disk images that it names"),
    "empty": (Path.touch, "the file is empty", "Copy the image again"),
    "directory": (_directory, "this is a directory, not a disk image", "Give the disk image's own file"),
    "pipe": (_pipe, "neither a file nor a block device", "Give the disk image's own file"),
    "circle": (_circle, "its path cannot be followed", "Check the path"),
    "missing": (lambda path: None, "there is no such file", "Check the path"),
}


@pytest.mark.parametrize("kind", NO_IMAGES)
def test_no_image(kind: str, tmp_path: Path, bootgraft: Run) -> None:
    make, what, advice = NO_IMAGES[kind]
    path = tmp_path / "server1.vmdk"
    make(path)
    refusal = refused(bootgraft, *check_and_repair(path), ("inspect", path), watch=tmp_path)
    assert what in refusal.what
    assert str(path) in refusal.where
    assert advice in refusal.advice


@pytest.mark.parametrize("name", ["x" * 300, "nowhere/server1.vmdk"])
def test_a_path_that_cannot_be(name: str, tmp_path: Path, bootgraft: Run) -> None:
    for command in (*check_and_repair(tmp_path / name), ("undo", tmp_path / name)):
        refusal = refused(bootgraft, command, watch=tmp_path)
        assert name in refusal.where
        assert "Check the path" in refusal.advice


@pytest.mark.parametrize("size", [100, SECTOR, 1 << 20])
def test_nothing_but_zeros(size: int, tmp_path: Path, bootgraft: Run) -> None:
    path = tmp_path / "server1.raw"
    path.write_bytes(bytes(size))
    refusal = refused(bootgraft, *check_and_repair(path), watch=tmp_path)
    assert refusal.what == "there is no partition table on it"
    assert "whole disk" in refusal.advice


def test_one_partition_in_place_of_the_disk(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    path = oracles.extract_volume(server1.disk, server1.span(1), tmp_path / "d.raw")
    refusal = refused(bootgraft, *check_and_repair(path), watch=tmp_path)
    assert refusal.what == "it holds one NTFS volume and no partition table"
    assert "the image of the whole disk" in refusal.advice


def test_no_partition_table(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    with server1.disk.open("r+b") as disk:
        disk.seek(_TABLE_ENTRY)
        disk.write(bytes(66))
    refusal = refused(bootgraft, *check_and_repair(server1.disk), watch=tmp_path)
    assert refusal.what == "there is no partition table on it"
    assert refusal.where == str(server1.disk)


def test_a_partition_beyond_the_end(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    with server1.disk.open("r+b") as disk:
        disk.seek(_TABLE_ENTRY + 16 + 8)
        disk.write(struct.pack("<II", 0x10000000, 98304))
    found = only_finding(diagnosed(bootgraft, server1.disk, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert "disk 0 partition 2: the partition ends at byte" in found
    assert "copy it again from the source" in found


# Cut short.


def _cut(path: Path, share: float = 0.5) -> None:
    os.truncate(path, int(path.stat().st_size * share) // SECTOR * SECTOR)


@pytest.mark.parametrize(("end", "slot"), [(8 << 20, 1), (40 << 20, 2), ((64 << 20) - 100, 2)])
def test_a_raw_disk_cut_in_a_partition(
    end: int, slot: int, tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run
) -> None:
    os.truncate(server1.disk, end)
    found = only_finding(diagnosed(bootgraft, server1.disk, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert re.search(rf"disk 0 partition {slot}: the (partition|file system) ends at byte", found)
    assert f"the disk ends at byte {end}" in found
    assert "truncated" in found


CUT: dict[ImageForm, tuple[str, str]] = {
    ImageForm.VHD_DYNAMIC: ("the file is cut short", "Copy the whole file again"),
    ImageForm.VHDX: ("Image has probably been truncated", "copy the whole file again"),
    ImageForm.VDI: ("the file is cut short", "Copy the whole file again"),
    ImageForm.MONOLITHIC_SPARSE: ("the file is cut short", "Copy the whole file again"),
    ImageForm.TWO_GB_SPARSE: ("the file is cut short", "Copy the whole file again"),
    ImageForm.STREAM_OPTIMIZED: ("the file is cut short", "Copy the whole file again"),
    ImageForm.MONOLITHIC_FLAT: ("the file is cut short", "Copy the whole file again"),
    ImageForm.TWO_GB_FLAT: ("the file is cut short", "Copy the whole file again"),
}


@pytest.mark.parametrize("form", CUT)
def test_a_container_cut_short(
    form: ImageForm, tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, form)
    is_split = form in (ImageForm.MONOLITHIC_FLAT, ImageForm.TWO_GB_FLAT, ImageForm.TWO_GB_SPARSE)
    _cut(flat_extents(image)[-1] if is_split else image, 0.7)
    what, advice = CUT[form]
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert what in refusal.what
    assert advice in refusal.advice


def test_a_qcow2_cut_in_its_data(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    """Its tables are spread over the file, so only what no longer makes sense on the disk tells."""
    image = convert_image(server1.disk, ImageForm.QCOW2)
    _cut(image)
    found = only_finding(diagnosed(bootgraft, image, watch=tmp_path, donor=donor.disk), "boot-chain-broken")
    assert "disk 0 partition 2" in found
    assert "Make sure that the image was copied whole (its size; qemu-img check)" in found


@pytest.mark.parametrize(
    "form", [ImageForm.MONOLITHIC_SPARSE, ImageForm.QCOW2, ImageForm.VHDX, ImageForm.VDI, ImageForm.VHD_DYNAMIC]
)
def test_a_container_cut_in_its_header(
    form: ImageForm, tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, form)
    os.truncate(image, SECTOR)
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert "cut short" in refusal.what
    assert "Copy the whole file again" in refusal.advice


def test_a_missing_extent(tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_FLAT)
    flat_extents(image)[0].unlink()
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert refusal.what == "its extent 'server1-flat.vmdk' is missing"
    assert "Copy all files of the disk into one folder" in refusal.advice


def test_a_missing_backing_file(tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run) -> None:
    image = convert_image(server1.disk, ImageForm.QCOW2_CHAIN)
    (image.parent / "server1.raw").unlink()
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert "server1.raw" in str(refusal)


# What must not be written.


def test_a_vmdk_with_a_snapshot(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    child = snapshot_child(image, image.parent)
    refusal = refused(bootgraft, ("repair", image, *TARGET, "--drivers", donor.disk), watch=tmp_path)
    assert f"{child} is built on it" in refusal.what
    assert "newest snapshot" in refusal.advice
    assert bootgraft("check", image, *TARGET).status == 1


def test_a_disk_under_a_qcow2_overlay(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    top = convert_image(server1.disk, ImageForm.QCOW2_CHAIN)
    for name, child in (("server1.raw", "server1-middle.qcow2"), ("server1-middle.qcow2", top.name)):
        command = ("repair", top.with_name(name), *TARGET, "--drivers", donor.disk)
        refusal = refused(bootgraft, command, watch=tmp_path)
        assert f"{child} is built on it" in refusal.what
        assert "--overlay" in refusal.advice


def test_a_vhdx_whose_log_wants_replay(
    tmp_path: Path, server1: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = with_log(convert_image(server1.disk, ImageForm.VHDX))
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert "log waits" in refusal.what
    assert f"qemu-img check -r all {image}" in refusal.advice


@pytest.mark.parametrize("name", ["../elsewhere/flat.raw", "ABSOLUTE", "link.raw"])
def test_a_descriptor_that_names_a_file_elsewhere(
    name: str, tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_FLAT)
    (flat,) = flat_extents(image)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    flat.rename(elsewhere / "flat.raw")
    if name == "link.raw":
        image.with_name(name).symlink_to(elsewhere / "flat.raw")
    named = name.replace("ABSOLUTE", str(elsewhere / "flat.raw"))
    image.write_text(image.read_text().replace(f'"{flat.name}"', f'"{named}"'))
    refusal = refused(bootgraft, *check_and_repair(image, "--drivers", donor.disk), watch=tmp_path)
    assert f"it names {named!r}, which lies outside its own folder" in refusal.what
    assert f"--allow-path {elsewhere}" in refusal.advice
    assert bootgraft("check", image, *TARGET, "--allow-path", elsewhere).status == 1


@pytest.mark.parametrize("name", ["/etc/passwd", "nbd://127.0.0.1:1/x", "json:{}", "../server1/server1.raw"])
def test_a_qcow2_that_names_a_file_elsewhere(name: str, tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    image = tmp_path / "vm" / "top.qcow2"
    image.parent.mkdir()
    run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", name, "-F", "raw", image, "64M")
    refusal = refused(bootgraft, *check_and_repair(image), watch=tmp_path)
    assert repr(name) in refusal.what
    assert refusal.where == str(image)


# Read-only files and folders.


def test_a_file_marked_read_only(
    tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Run
) -> None:
    for image in (server1.disk, convert_image(server1.disk, ImageForm.QCOW2)):
        image.chmod(0o444)
        refusal = refused(bootgraft, ("repair", image, *TARGET, "--drivers", donor.disk), watch=tmp_path)
        assert f"{image.name} is marked read-only (chmod u+w makes it writable)" in refusal.what
        assert "--overlay OUT.qcow2" in refusal.advice
        assert bootgraft("check", image, *TARGET).status == 1


def test_a_read_only_mount(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    place = server1.disk.parent
    run("mount", "--bind", "-o", "ro", place, place)
    try:
        refusal = refused(bootgraft, ("repair", server1.disk, *TARGET, "--drivers", donor.disk), watch=tmp_path)
        assert "cannot be opened for writing (Read-only file system)" in refusal.what
        assert "--overlay OUT.qcow2" in refusal.advice
        assert bootgraft("check", server1.disk, *TARGET).status == 1
    finally:
        run("umount", place)


def test_an_immutable_file(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Run) -> None:
    if os.geteuid() != 0 or shutil.which("chattr") is None:
        pytest.skip("only root can make a file immutable, with chattr")
    run("chattr", "+i", server1.disk)
    try:
        refusal = refused(bootgraft, ("repair", server1.disk, *TARGET, "--drivers", donor.disk), watch=tmp_path)
        assert "cannot be opened for writing (Operation not permitted)" in refusal.what
    finally:
        run("chattr", "-i", server1.disk)


def test_a_folder_that_this_user_may_not_search(server1: BuiltMachine) -> None:
    place = server1.disk.parent
    before = oracles.sha256(server1.disk)
    place.chmod(0o000)
    try:
        for command in (*check_and_repair(server1.disk), ("undo", server1.disk)):
            refusal = read_refusal(unprivileged()(*command, "--quiet"))
            assert str(server1.disk) in str(refusal)
            assert "permission" in str(refusal).lower()
    finally:
        place.chmod(0o755)
    assert oracles.sha256(server1.disk) == before


# The same disk twice.


def test_one_disk_given_twice(tmp_path: Path, server1: BuiltMachine, bootgraft: Run) -> None:
    (tmp_path / "link.raw").symlink_to(server1.disk)
    commands: list[tuple[str | Path, ...]] = [
        ("check", server1.disk, server1.disk, *TARGET),
        ("repair", server1.disk, tmp_path / "link.raw", *TARGET),
        ("repair", server1.disk, *TARGET, "--drivers", server1.disk),
    ]
    for command in commands:
        refusal = refused(bootgraft, command, watch=tmp_path, status=2)
        assert refusal.what == "this disk is given twice"


def test_from_a_folder_that_was_deleted(tmp_path: Path, server1: BuiltMachine) -> None:
    there = prefixed("sh", "-c", 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"', tmp_path / "gone")
    for command in (*check_and_repair(Path("x.raw")), ("inspect", "x.raw"), ("undo", "x.raw")):
        refusal = read_refusal(there(*command, "--quiet"))
        assert "x.raw" in refusal.what
    done = there("check", server1.disk, *TARGET, "--quiet")
    assert done.status == 1
    assert not done.stderr
