"""``repair --overlay``: the image stays as it is, and what boots is a qcow2 on top of it."""

import os
from pathlib import Path

import pytest
from tests.endtoend.story import LSI_LOGIC, WINDOWS, Bootgraft, Build, Convert, grafting, hashes, require_repaired
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, vhd_of_another_maker
from tests.machines.tools import run

STANDING_ON = (
    ImageForm.RAW,
    ImageForm.MONOLITHIC_SPARSE,
    ImageForm.VMFS,
    ImageForm.STREAM_OPTIMIZED,
    ImageForm.VMFS_SPARSE,
    ImageForm.SE_SPARSE,
    ImageForm.VHD_FIXED,
    ImageForm.VHD_DYNAMIC,
    ImageForm.VHDX,
    ImageForm.QCOW2_CHAIN,
)


def _require_good(out: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, folder: Path) -> None:
    """Assert that the overlay is a sound container of a repaired disk, of the right size, and would boot."""
    oracles.container_is_consistent(out, "qcow2")
    assert oracles.qemu_info(out, "qcow2")["virtual-size"] == server1.disk.stat().st_size
    raw = oracles.to_raw(out, "qcow2", folder / "judged.raw")
    require_repaired(raw, server1.span(WINDOWS), donor, folder)
    assert bootgraft("check", out, *LSI_LOGIC).status == 0


@pytest.mark.parametrize("form", STANDING_ON)
def test_the_image_stays_as_it_is(
    form: ImageForm,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Bootgraft,
    tmp_path: Path,
) -> None:
    image = convert_image(server1.disk, form)
    before = hashes(image.parent)
    out = image.parent / "out.qcow2"
    repaired = bootgraft("repair", image, *grafting(donor), "--overlay", out, "--json")
    assert repaired.status == 0, repaired
    assert repaired.json["overlays"] == [str(out)]
    assert repaired.json["journal"] is None
    assert {name: digest for name, digest in hashes(image.parent).items() if name != out.name} == before
    _require_good(out, server1, donor, bootgraft, tmp_path)


@pytest.mark.parametrize("form", [ImageForm.VHD_FIXED, ImageForm.VHD_DYNAMIC])
def test_a_vhd_of_another_maker_keeps_its_end(
    form: ImageForm,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Bootgraft,
    tmp_path: Path,
) -> None:
    """Left alone, qemu would take such a disk's size from its CHS geometry, and cut off what lies behind."""
    image = convert_image(server1.disk, form)
    vhd_of_another_maker(image)
    out = image.parent / "out.qcow2"
    assert bootgraft("repair", image, *grafting(donor), "--overlay", out).status == 0
    _require_good(out, server1, donor, bootgraft, tmp_path)


def test_an_overlay_that_is_there_is_never_overwritten(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    out = tmp_path / "out.qcow2"
    out.write_bytes(b"somebody's work")
    before = hashes(tmp_path)
    for taken in (out, _dangling_link(tmp_path / "link.qcow2")):
        refused = bootgraft("repair", server1.disk, *grafting(donor), "--overlay", taken)
        assert refused.status == 2
        assert str(taken) in refused.stderr
        assert "exists already" in refused.stderr
    assert hashes(tmp_path) == before


def _dangling_link(path: Path) -> Path:
    path.symlink_to("nowhere")
    return path


def test_an_overlay_elsewhere_is_checked_with_the_folder_of_its_image_allowed(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    assert bootgraft("repair", server1.disk, *grafting(donor), "--overlay", "out.qcow2", cwd=folder).status == 0
    confined = bootgraft("check", "out.qcow2", *LSI_LOGIC, cwd=folder)
    assert confined.status == 3
    assert f"--allow-path {server1.disk.parent}" in confined.stderr
    allowed = ("--allow-path", server1.disk.parent)
    assert bootgraft("check", "out.qcow2", *LSI_LOGIC, *allowed, cwd=folder).status == 0


def test_overlay_and_image_can_be_moved_together(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    assert bootgraft("repair", server1.disk, *grafting(donor), "--overlay", server1.disk.parent / "o.qcow2").status == 0
    moved = server1.disk.parent.rename(tmp_path / "moved")
    assert bootgraft("check", moved / "o.qcow2", *LSI_LOGIC).status == 0


def test_an_overlay_can_itself_be_repaired_and_undone(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    """An image with a snapshot on top is refused; the snapshot itself is repaired."""
    top = server1.disk.parent / "snapshot.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", server1.disk.name, "-F", "raw", top)
    before = oracles.sha256(server1.disk)
    refused = bootgraft("repair", server1.disk, *grafting(donor))
    assert refused.status == 3
    assert str(top) in refused.stderr
    assert bootgraft("repair", top, *grafting(donor)).status == 0
    assert oracles.sha256(server1.disk) == before
    _require_good(top, server1, donor, bootgraft, tmp_path)
    assert bootgraft("undo", top).status == 0
    run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", top, server1.disk)


def test_of_two_disks_only_the_changed_one_gets_an_overlay(
    build_server1: Build, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    machine = build_server1(second_disk=True)
    before = hashes(tmp_path)
    first, second = machine.disks
    out = second.parent / "out.qcow2"
    repaired = bootgraft("repair", first, second, *grafting(donor), "--overlay", out, "--json")
    assert repaired.status == 0
    assert repaired.json["overlays"] == [str(out)]
    assert set(hashes(tmp_path)) - set(before) == {str(out.relative_to(tmp_path))}
    assert bootgraft("check", first, out, *LSI_LOGIC).status == 0


def test_a_dry_run_writes_no_overlay(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    before = hashes(tmp_path)
    out = tmp_path / "out.qcow2"
    assert bootgraft("repair", server1.disk, *grafting(donor), "--overlay", out, "--dry-run").status == 0
    assert hashes(tmp_path) == before


def test_a_machine_that_boots_already_gets_none(donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path) -> None:
    before = hashes(tmp_path)
    done = bootgraft("repair", donor.disk, *LSI_LOGIC, "--overlay", tmp_path / "out.qcow2", "--json")
    assert done.status == 0
    assert done.json["overlays"] == []
    assert hashes(tmp_path) == before


def test_an_image_that_qemu_reads_otherwise_gets_none(
    server1: BuiltMachine, donor: BuiltMachine, convert_image: Convert, bootgraft: Bootgraft
) -> None:
    """qemu takes an extent twice where an empty line stands before it; VMware and bootgraft do not."""
    image = convert_image(server1.disk, ImageForm.VMFS)
    image.write_text(image.read_text().replace("\n# Extent description\n", "\n\n"))
    before = hashes(image.parent)
    out = image.parent / "out.qcow2"
    refused = bootgraft("repair", image, *grafting(donor), "--overlay", out)
    assert refused.status == 3
    assert "qemu would read that extent twice" in refused.stderr
    assert hashes(image.parent) == before
    assert bootgraft("repair", image, *grafting(donor)).status == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_overlay_in_a_folder_that_cannot_be_written(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    refused = bootgraft("repair", server1.disk, *grafting(donor), "--overlay", folder / "out.qcow2")
    assert refused.status == 3
    assert "Choose a folder that can be written" in refused.stderr
