"""VHD footers and dynamic disk headers, of qemu-img and of Windows."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.machines.formats import vhd_of_another_maker
from tests.storage.imagekit import container, create, patch, qemu_io, real

from bootgraft.errors import BootgraftError, ImageError
from bootgraft.storage.images import vhd
from bootgraft.storage.images.opening import ImageFormat, identify, open_image


def seal(footer: bytes) -> bytes:
    """Put the right checksum into a footer."""
    bare = footer[:64] + bytes(4) + footer[68:]
    return footer[:64] + struct.pack(">I", ~sum(bare) & 0xFFFFFFFF) + footer[68:]


def refoot(path: Path, offset: int, data: bytes) -> None:
    """Change both copies of a footer."""
    content = bytearray(path.read_bytes())
    for at in (0, len(content) - 512):
        if content[at : at + 8] == b"conectix":
            footer = bytearray(content[at : at + 512])
            footer[offset : offset + len(data)] = data
            content[at : at + 512] = seal(bytes(footer))
    path.write_bytes(content)


@pytest.mark.parametrize("subformat", ["fixed", "dynamic"])
def test_kinds_and_size(tmp_path: Path, subformat: str) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "8M", subformat=subformat, force_size="on")
    info = identify(str(disk))
    assert (info.format, info.subformat, info.size, info.read_only_reason) == (ImageFormat.VHD, subformat, 2**23, None)


@pytest.mark.parametrize("name", ["fixed", "dynamic"])
def test_real_ones_by_windows(tmp_path: Path, name: str) -> None:
    info = identify(str(real(f"vhd/dissect/{name}.vhd.gz", tmp_path)))
    assert (info.subformat, info.size) == (name, 10 * 2**20)
    with open_image(info, writable=True) as image:
        assert image.device.size == 10 * 2**20
        assert image.device.read(510, 2) == b"\x55\xaa"


@pytest.mark.parametrize("subformat", ["fixed", "dynamic"])
def test_the_tail_beyond_the_chs_size_is_there(tmp_path: Path, subformat: str) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "10M", subformat=subformat, force_size="on")
    vhd_of_another_maker(disk)
    info = identify(str(disk))
    with open_image(info, writable=True) as image:
        assert image.device.size == info.size == 10 * 2**20
        image.device.write(10 * 2**20 - 512, b"\xa5" * 512)
        image.device.flush()
    with open_image(identify(str(disk)), writable=False) as image:
        assert image.device.read(10 * 2**20 - 512, 512) == b"\xa5" * 512


def test_a_footer_of_511_bytes(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "1M", subformat="fixed", force_size="on")
    disk.write_bytes(disk.read_bytes()[:-1])
    with container(disk) as file:
        assert vhd.has_footer(file)
        assert vhd.read_footer(file).size == 2**20


def differencing(folder: Path, parent: Path) -> Path:
    """A dynamic VHD turned into a differencing one: no free tool writes them."""
    child = create(folder / "child.vhd", "vpc", "8M", subformat="dynamic", force_size="on")
    refoot(child, 60, struct.pack(">I", 4))
    with container(parent) as file:
        identity = vhd.read_footer(file).unique_id
    patch(child, 512 + 40, identity)
    patch(child, 512 + 64, f"C:\\VMs\\{parent.name}".encode("utf-16-be"))
    return child


def test_a_differencing_disk_names_its_parent(tmp_path: Path) -> None:
    parent = create(tmp_path / "parent.vhd", "vpc", "8M", force_size="on")
    child = differencing(tmp_path, parent)
    with pytest.raises(ImageError, match=r"differencing VHD.*'parent\.vhd'.*Merge"):
        identify(str(child))
    with container(child) as file, container(parent) as base:
        assert vhd.read_parent(file) == (vhd.read_footer(base).unique_id, "parent.vhd")
        assert vhd.read_parent(base) is None


@pytest.mark.parametrize(
    ("offset", "data", "says"),
    [
        (60, struct.pack(">I", 9), "disk type 9"),
        (48, struct.pack(">Q", 0), "0 bytes"),
        (48, struct.pack(">Q", 1000), "1000 bytes"),
        (48, struct.pack(">Q", 2**60), "cannot be"),
        (48, struct.pack(">Q", 2**40), "too small"),
        (16, struct.pack(">Q", 2**50), "cut short"),
        (16, struct.pack(">Q", 0), "dynamic disk header is missing"),
    ],
)
def test_a_contradiction_is_named(tmp_path: Path, offset: int, data: bytes, says: str) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "8M")
    refoot(disk, offset, data)
    with pytest.raises(ImageError, match=says):
        identify(str(disk))


def test_a_dynamic_disk_cut_short_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "8M")
    qemu_io(disk, "vpc", "write 0 1M")
    disk.write_bytes(disk.read_bytes()[:-1024])
    with pytest.raises(ImageError, match="cut short"):
        identify(str(disk))


def test_a_fixed_disk_cut_short_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "8M", subformat="fixed")
    content = disk.read_bytes()
    disk.write_bytes(content[: 2**20] + content[-512:])
    with pytest.raises(ImageError, match="cut short"):
        identify(str(disk))


def test_a_wrong_checksum_is_named(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhd", "vpc", "8M")
    patch(disk, disk.stat().st_size - 200, b"\1")
    with pytest.raises(ImageError, match="checksum"):
        identify(str(disk))


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 90), st.binary(min_size=1, max_size=8)), min_size=1, max_size=3))
def test_a_mutated_footer_is_an_error_or_an_answer(
    changes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.vhd"
    create(path, "vpc", "8M") if not _made else path.write_bytes(_made[0])
    if not _made:
        _made.append(path.read_bytes())
    for offset, data in changes:
        refoot(path, offset, data)
    try:
        info = identify(str(path))
    except BootgraftError:
        return
    assert info.size


_made: list[bytes] = []
