"""VDI headers, of qemu-img and of VirtualBox."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.imagekit import container, create, patch, qemu_img, qemu_io, real

from bootgraft.errors import BootgraftError, ImageError
from bootgraft.storage.images import vdi
from bootgraft.storage.images.opening import ImageFormat, identify, open_image


@pytest.mark.parametrize(("static", "kind"), [("off", "dynamic"), ("on", "fixed")])
def test_kind_and_size(tmp_path: Path, static: str, kind: str) -> None:
    disk = create(tmp_path / "disk.vdi", "vdi", "8M", static=static)
    qemu_io(disk, "vdi", "write -P 1 3M 64k")
    info = identify(str(disk))
    assert (info.format, info.subformat, info.size) == (ImageFormat.VDI, kind, 2**23)
    with open_image(info, writable=False) as image:
        assert image.device.read(3 * 2**20, 65537) == b"\1" * 65536 + b"\0"


def test_a_real_one_by_virtualbox(tmp_path: Path) -> None:
    disk = real("vdi/virtualbox-convert/Lumiere-disk.vdi.gz", tmp_path)
    raw = tmp_path / "raw"
    qemu_img("convert", "-f", "vdi", "-O", "raw", disk, raw)
    info = identify(str(disk))
    with open_image(info, writable=False) as image:
        assert image.device.read(0, image.device.size) == raw.read_bytes()


def linked(folder: Path, parent: Path) -> Path:
    """A VDI turned into a differencing one: no free tool writes them."""
    child = create(folder / "child.vdi", "vdi")
    with container(parent) as file:
        identity = vdi.read_header(file).image_id
    patch(child, 0x4C, struct.pack("<I", 4))
    patch(child, 0x1A8, identity)
    return child


def test_a_differencing_disk_is_refused(tmp_path: Path) -> None:
    parent = create(tmp_path / "parent.vdi", "vdi")
    child = linked(tmp_path, parent)
    with pytest.raises(ImageError, match=r"differencing VDI.*VBoxManage"):
        identify(str(child))
    with container(child) as file, container(parent) as base:
        assert vdi.read_header(file).link_id == vdi.read_header(base).image_id


@pytest.mark.parametrize(
    ("offset", "data", "says"),
    [
        (0x44, struct.pack("<I", 0x00020001), r"version 2\.1"),
        (0x4C, struct.pack("<I", 7), "image type 7"),
        (0x170, struct.pack("<Q", 0), "does not cover"),
        (0x170, struct.pack("<Q", 2**50), "does not cover"),
        (0x178, struct.pack("<I", 0), "does not cover"),
        (0x180, struct.pack("<I", 2**31), "block map"),
        (0x184, struct.pack("<I", 7), "cut short"),
        (0x184, struct.pack("<I", 2**31), "counts more blocks"),
    ],
)
def test_a_contradiction_is_named(tmp_path: Path, offset: int, data: bytes, says: str) -> None:
    disk = create(tmp_path / "disk.vdi", "vdi")
    patch(disk, offset, data)
    with pytest.raises(ImageError, match=says):
        identify(str(disk))


def test_a_truncated_disk_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vdi", "vdi")
    qemu_io(disk, "vdi", "write 0 3M")
    content = disk.read_bytes()
    for length in (100, 500, 2 * 2**20):
        disk.write_bytes(content[:length])
        with pytest.raises(ImageError, match="cut short"):
            identify(str(disk))


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0x44, 0x1D0), st.binary(min_size=1, max_size=8)), min_size=1, max_size=3))
def test_a_mutated_header_is_an_error_or_an_answer(
    changes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.vdi"
    if not _made:
        create(path, "vdi")
        _made.append(path.read_bytes())
    path.write_bytes(_made[0])
    for offset, data in changes:
        patch(path, offset, data)
    try:
        info = identify(str(path))
    except BootgraftError:
        return
    assert info.size


_made: list[bytes] = []
