"""Several flat extents as one device."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.imagekit import create, qemu_img, qemu_io

from bootgraft.errors import ImageError, ImageInUseError, ReadOnlyError
from bootgraft.storage.devices.flat import FlatDevice, FlatExtent
from bootgraft.storage.images.opening import identify, open_image

_PIECE = st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 20))


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(_PIECE, min_size=1, max_size=6),
    accesses=st.lists(st.tuples(st.integers(0, 250), st.binary(max_size=60)), max_size=6),
)
def test_behaves_like_one_bytearray(
    pieces: list[tuple[bool, int, int]],
    accesses: list[tuple[int, bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("flat")
    extents = []
    model = bytearray()
    stored: list[bool] = []
    for number, (real, length, skip) in enumerate(pieces):
        path = folder / f"f{number:03}" if real else None
        content = bytes((number * 37 + at) % 256 for at in range(length)) if real else bytes(length)
        if path:
            path.write_bytes(b"#" * skip + content + b"#" * 5)
        extents.append(FlatExtent(path, skip if real else 0, length))
        model += content
        stored += [real] * length
    device = FlatDevice(extents, writable=True, name="disk.vmdk")
    assert device.size == len(model)
    for offset, data in accesses:
        end = offset + len(data)
        if end > len(model):
            with pytest.raises(ImageError, match="outside"):
                device.write(offset, data)
        elif not all(stored[offset:end]):
            with pytest.raises(ReadOnlyError, match="ZERO"):
                device.write(offset, data)
        else:
            device.write(offset, data)
            model[offset:end] = data
            assert device.read(offset, len(data)) == data
    assert device.read(0, device.size) == model
    device.close()
    for extent in extents:
        if extent.path:
            assert extent.path.read_bytes().startswith(b"#" * extent.offset)
            assert extent.path.read_bytes().endswith(b"#####")


def test_a_short_extent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(99))
    with pytest.raises(ImageError, match="cut short"):
        FlatDevice([FlatExtent(tmp_path / "f", 0, 100)], writable=False, name="disk.vmdk")


def test_two_extents_of_one_file_share_its_lock_but_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(100) + b"x" * 100)
    with pytest.raises(ImageError, match="two extents"):
        FlatDevice([FlatExtent(path, 0, 101), FlatExtent(path, 100, 100)], writable=True, name="disk.vmdk")
    device = FlatDevice([FlatExtent(path, 100, 100), FlatExtent(path, 0, 100)], writable=True, name="disk.vmdk")
    assert device.read(99, 2) == b"x\0"
    device.close()
    device.close()


def test_a_failed_open_leaves_nothing_locked(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(bytes(100))
    extents = [FlatExtent(tmp_path / "a", 0, 100), FlatExtent(tmp_path / "b", 0, 100)]
    other = FlatDevice(extents[1:], writable=True, name="other")
    with pytest.raises(ImageInUseError):
        FlatDevice(extents, writable=True, name="disk.vmdk")
    FlatDevice(extents[:1], writable=True, name="disk.vmdk").close()
    other.close()


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentFlat"])
def test_agrees_with_qemu_and_leaves_the_descriptor_alone(tmp_path: Path, subformat: str) -> None:
    size = 2 * 2**31 + 2**20  # three extents for twoGbMaxExtentFlat; sparse files
    disk = create(tmp_path / "disk.vmdk", "vmdk", size, subformat=subformat)
    seam = 2 * 2**30 - 512  # qemu ends its extents at 2 GiB
    before = disk.read_bytes()
    with open_image(identify(str(disk)), writable=True) as image:
        assert image.device.size == size
        image.device.write(seam, b"\xa5" * 2048)
        image.device.write(size - 512, b"\x5a" * 512)
        image.device.flush()
    assert disk.read_bytes() == before
    checks = [f"read -P 0xa5 {seam} 2048", f"read -P 0x5a {size - 512} 512", f"read -P 0 {seam - 512} 512"]
    done = qemu_io(disk, "vmdk", *checks)
    assert done.returncode == 0
    assert "verification failed" not in done.stdout
    assert f'"virtual-size": {size}' in qemu_img("info", "--output=json", "-f", "vmdk", disk)


def test_a_zero_extent_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 1024)
    (tmp_path / "b").write_bytes(b"b" * 1024)
    disk = tmp_path / "disk.vmdk"
    disk.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
        'createType="custom"\nRW 1 FLAT "a" 1\nRW 2 ZERO\nRDONLY 2 FLAT "b" 0\n'
    )
    info = identify(str(disk))
    assert info.read_only_reason is not None
    assert "RDONLY" in info.read_only_reason
    with open_image(info, writable=False) as image:
        assert image.device.read(0, 5 * 512) == b"a" * 512 + bytes(1024) + b"b" * 1024
    # qemu leaves both the ZERO and the RDONLY extent out, which is why it is not asked.
    disk.write_text(disk.read_text().replace("custom", "monolithicFlat"))
    assert '"virtual-size": 512' in qemu_img("info", "--output=json", "-f", "vmdk", disk)


def test_sparse_is_kept_sparse(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", 2**40, subformat="monolithicFlat")
    with open_image(identify(str(disk)), writable=True) as image:
        image.device.write(2**39, b"x")
    used = subprocess.run(["du", "-k", str(tmp_path)], check=True, capture_output=True, text=True).stdout
    assert int(used.split()[0]) < 1024
