"""The five commands on every image format, judged in the format's own terms by qemu-img and in Windows' by others."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.endtoend.story import (
    LSI_LOGIC,
    WINDOWS,
    Bootgraft,
    Convert,
    driver,
    grafting,
    hashes,
    loop_device,
    require_grafted,
    require_repaired,
    system_hive,
)
from tests.machines import oracles
from tests.machines.build import BuiltMachine
from tests.machines.formats import READ_ONLY, ImageForm, flat_extents
from tests.machines.spec import SECTOR
from tests.machines.tools import run
from tests.storage.nbdservers import serve, unix_listener

WRITABLE = tuple(form for form in ImageForm if form not in READ_ONLY)
FLAT = (ImageForm.MONOLITHIC_FLAT, ImageForm.TWO_GB_FLAT, ImageForm.VMFS)
BYTE_FOR_BYTE = (ImageForm.RAW, ImageForm.BARE_FLAT, *FLAT)

_DESCRIPTOR_AT = 28
_DRIVERS = {
    ImageForm.RAW: "raw",
    ImageForm.BARE_FLAT: "raw",
    ImageForm.VHD_FIXED: "vpc",
    ImageForm.VHD_DYNAMIC: "vpc",
    ImageForm.VHDX: "vhdx",
    ImageForm.VDI: "vdi",
    ImageForm.QCOW2: "qcow2",
    ImageForm.QCOW2_CHAIN: "qcow2",
}


def qemu_name(form: ImageForm) -> str:
    """qemu's name of the format."""
    return _DRIVERS.get(form, "vmdk")


def as_raw(image: Path, form: ImageForm, folder: Path) -> Path:
    """What a guest would read, by qemu-img."""
    return oracles.to_raw(image, qemu_name(form), folder / "judged.raw")


def descriptor(image: Path, form: ImageForm) -> bytes:
    """A VMDK's descriptor with its CID: a file of its own, or embedded where the sparse header says; else nothing."""
    if qemu_name(form) != "vmdk":
        return b""
    data = image.read_bytes()[: 2**20]
    if not data.startswith(b"KDMV"):
        return data
    start, length = struct.unpack_from("<QQ", data, _DESCRIPTOR_AT)
    return data[start * SECTOR : (start + length) * SECTOR]


def require_same_content(image: Path, form: ImageForm, raw: Path) -> None:
    """Assert that a guest reads what lies in ``raw``, in a container that its own checker finds sound."""
    run("qemu-img", "compare", "-f", qemu_name(form), "-F", "raw", image, raw)
    oracles.container_is_consistent(image, qemu_name(form))


def require_looking_writes_nothing(
    image: Path, server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft
) -> None:
    """Assert that ``inspect``, ``check`` and a dry run read the disk right, and leave every file as it is."""
    before = hashes(image.parent)
    inspected = bootgraft("inspect", image, "--json")
    assert inspected.status == 0
    (disk,) = inspected.json["disks"]
    assert disk["size"] == server1.disk.stat().st_size
    assert [windows["id"] for windows in inspected.json["windows"]] == ["disk0-partition2-WINDOWS"]
    assert bootgraft("check", image, *LSI_LOGIC).status == 1
    dry_run = bootgraft("repair", image, *grafting(donor), "--dry-run")
    assert dry_run.status == 0
    assert "nothing was written" in dry_run.stdout
    assert hashes(image.parent) == before


@pytest.mark.parametrize("form", WRITABLE)
def test_the_five_commands(
    form: ImageForm,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Bootgraft,
    tmp_path: Path,
) -> None:
    image = convert_image(server1.disk, form)
    before, its_descriptor = hashes(image.parent), descriptor(image, form)

    require_looking_writes_nothing(image, server1, donor, bootgraft)
    repaired = bootgraft("repair", image, *grafting(donor))
    assert repaired.status == 0, repaired
    assert bootgraft("check", image, *LSI_LOGIC).status == 0

    oracles.container_is_consistent(image, qemu_name(form))
    assert descriptor(image, form) == its_descriptor
    require_repaired(as_raw(image, form, tmp_path), server1.span(WINDOWS), donor, tmp_path)

    undone = bootgraft("undo", image)
    assert undone.status == 0, undone
    require_same_content(image, form, server1.disk)
    assert descriptor(image, form) == its_descriptor
    after = hashes(image.parent)
    assert set(after) == set(before)
    if form in BYTE_FOR_BYTE:
        assert after == before


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (ImageForm.STREAM_OPTIMIZED, "streamOptimized"),
        (ImageForm.VMFS_SPARSE, "vmfsSparse"),
        (ImageForm.SE_SPARSE, "seSparse"),
    ],
)
def test_what_cannot_be_written_in_place_says_so_and_offers_an_overlay(
    form: ImageForm,
    reason: str,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Bootgraft,
) -> None:
    image = convert_image(server1.disk, form)
    before = hashes(image.parent)
    require_looking_writes_nothing(image, server1, donor, bootgraft)
    refused = bootgraft("repair", image, *grafting(donor))
    assert refused.status == 3
    assert reason in refused.stderr
    assert "--overlay OUT.qcow2" in refused.stderr
    assert not refused.stdout
    assert hashes(image.parent) == before


def test_every_extent_of_a_split_disk_is_written(
    server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path
) -> None:
    """A disk of two flat extents whose boundary lies inside the Windows volume, with half of its files behind it."""
    start, length = server1.span(WINDOWS)
    middle = (start + length // 2) // SECTOR * SECTOR
    folder = tmp_path / "split"
    folder.mkdir()
    data = server1.disk.read_bytes()
    (folder / "server1-f001.vmdk").write_bytes(data[:middle])
    (folder / "server1-f002.vmdk").write_bytes(data[middle:])
    image = folder / "server1.vmdk"
    image.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=5e0a71c3\nparentCID=ffffffff\n"
        'createType="twoGbMaxExtentFlat"\n\n# Extent description\n'
        f'RW {middle // SECTOR} FLAT "server1-f001.vmdk" 0\n'
        f'RW {(len(data) - middle) // SECTOR} FLAT "server1-f002.vmdk" 0\n\n'
        'ddb.adapterType = "lsilogic"\n'
    )
    before = hashes(folder)
    assert bootgraft("repair", image, *grafting(donor)).status == 0
    changed = {name for name, digest in hashes(folder).items() if before.get(name) != digest}
    assert {"server1-f001.vmdk", "server1-f002.vmdk"} <= changed
    assert len(flat_extents(image)) == 2
    require_repaired(as_raw(image, ImageForm.TWO_GB_FLAT, tmp_path), server1.span(WINDOWS), donor, tmp_path)
    assert bootgraft("undo", image).status == 0
    assert hashes(folder) == before


def test_a_block_device(server1: BuiltMachine, donor: BuiltMachine, bootgraft: Bootgraft, tmp_path: Path) -> None:
    before = oracles.sha256(server1.disk)
    journal = tmp_path / "undo.journal"
    with loop_device(server1.disk) as device:
        assert bootgraft("inspect", device).status == 0
        assert bootgraft("check", device, *LSI_LOGIC).status == 1
        assert bootgraft("repair", device, *grafting(donor), "--dry-run").status == 0
        homeless = bootgraft("repair", device, *grafting(donor))
        assert homeless.status == 2
        assert "--journal" in homeless.stderr
        out = tmp_path / "out.qcow2"
        assert bootgraft("repair", device, *grafting(donor), "--overlay", out).status == 0
        assert bootgraft("check", out, *LSI_LOGIC, "--allow-path", device).status == 0
        out.unlink()
        assert oracles.sha256(server1.disk) == before
        assert bootgraft("repair", device, *grafting(donor), "--journal", journal).status == 0
        assert bootgraft("check", device, *LSI_LOGIC, "--journal", journal).status == 0
        require_repaired(server1.disk, server1.span(WINDOWS), donor, tmp_path)
        assert bootgraft("undo", device, "--journal", journal).status == 0
    assert oracles.sha256(server1.disk) == before


@contextmanager
def _served(command: Sequence[str | Path], socket: Path) -> Iterator[str]:
    with serve([str(word) for word in command], unix_listener(socket)):
        yield f"nbd+unix:///?socket={socket}"
    socket.unlink()


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.QCOW2])
def test_an_export_of_another_server(
    form: ImageForm,
    server1: BuiltMachine,
    donor: BuiltMachine,
    convert_image: Convert,
    bootgraft: Bootgraft,
    tmp_path: Path,
) -> None:
    """nbdkit serves the raw file, qemu-nbd the qcow2."""
    image = convert_image(server1.disk, form)
    raw_server: list[str | Path] = ["nbdkit", "--foreground", "file", image]
    qemu_server: list[str | Path] = ["qemu-nbd", "--persistent", "--format", "qcow2", image]
    server = raw_server if form is ImageForm.RAW else qemu_server
    journal = tmp_path / "undo.journal"
    with _served(server, tmp_path / "s") as uri:
        assert bootgraft("inspect", uri).status == 0
        assert bootgraft("check", uri, *LSI_LOGIC).status == 1
        homeless = bootgraft("repair", uri, *grafting(donor))
        assert homeless.status == 2
        assert "--journal" in homeless.stderr
        overlay = bootgraft("repair", uri, *grafting(donor), "--overlay", tmp_path / "out.qcow2")
        assert overlay.status == 2
        assert "cannot stand on an NBD export" in overlay.stderr
        assert bootgraft("repair", uri, *grafting(donor), "--journal", journal).status == 0
        assert bootgraft("check", uri, *LSI_LOGIC, "--journal", journal).status == 0
    oracles.container_is_consistent(image, qemu_name(form))
    raw = as_raw(image, form, tmp_path)
    assert oracles.read_file(raw, server1.span(WINDOWS), r"\WINDOWS\system32\drivers\symmpi.sys") == driver(donor)
    require_grafted(system_hive(raw, server1.span(WINDOWS), tmp_path))
    with _served(server, tmp_path / "s") as uri:
        assert bootgraft("undo", uri, "--journal", journal).status == 0
    require_same_content(image, form, server1.disk)


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.VHD_FIXED, ImageForm.BARE_FLAT])
def test_the_format_can_be_given(
    form: ImageForm, server1: BuiltMachine, convert_image: Convert, bootgraft: Bootgraft
) -> None:
    image = convert_image(server1.disk, form)
    given = {"raw": "raw", "vpc": "vhd"}[qemu_name(form)]
    assert bootgraft("check", image, *LSI_LOGIC, "--format", given).status == 1
    other = bootgraft("check", image, *LSI_LOGIC, "--format", "qcow2")
    assert other.status == 3
    assert f"--format {given}" in other.stderr
