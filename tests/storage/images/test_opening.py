"""Images of every format: identified, opened, read and written; judged by qemu-img."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.machines.formats import READ_ONLY, ImageForm, convert
from tests.storage.imagekit import create, qemu_img, qemu_io

from bootgraft.errors import ImageError, ReadOnlyError
from bootgraft.storage.images.formats import reader_of
from bootgraft.storage.images.imageinfo import ImageReader
from bootgraft.storage.images.opening import ImageFormat, identify, open_image
from bootgraft.storage.usage import locks

SIZE = 4 * 2**20


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "server1.raw"
    path.write_bytes(b"\xeb\x63\x90" + bytes(509) + bytes(range(256)) * 4096 + bytes(SIZE - 512 - 256 * 4096))
    return path


def by_qemu(image: Path, driver: str, folder: Path) -> bytes:
    """The whole disk as qemu-img reads it."""
    out = folder / "by-qemu.raw"
    qemu_img("convert", "-f", driver, "-O", "raw", image, out)
    return out.read_bytes()


@pytest.mark.parametrize("form", list(ImageForm))
def test_every_format_reads_the_same(raw: Path, tmp_path: Path, form: ImageForm) -> None:
    info = identify(str(convert(raw, form, tmp_path)))
    assert info.size == SIZE
    assert (info.read_only_reason is not None) is (form in READ_ONLY)
    assert set(info.files) | set(info.backing) == set(tmp_path.iterdir())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with open_image(info, writable=False) as image:
        assert image.device.size == SIZE
        assert image.device.read(0, SIZE) == raw.read_bytes()
        with pytest.raises(ImageError):
            image.device.write(0, b"x" * 512)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("form", [form for form in ImageForm if form not in READ_ONLY])
def test_every_other_format_is_written(raw: Path, tmp_path: Path, form: ImageForm) -> None:
    path = convert(raw, form, tmp_path / "image")
    info = identify(str(path))
    expected = bytearray(raw.read_bytes())
    with open_image(info, writable=True) as image:
        assert image.writable
        for offset in (0, 1536, SIZE - 1024):
            image.device.write(offset, b"\xa5" * 1024)
            expected[offset : offset + 1024] = b"\xa5" * 1024
        image.device.flush()
    driver = "raw" if form is ImageForm.BARE_FLAT else info.format.qemu_driver
    assert by_qemu(path, driver, tmp_path) == expected
    assert identify(str(path)).size == SIZE


@pytest.mark.parametrize("form", READ_ONLY)
def test_what_cannot_be_written_offers_the_overlay(raw: Path, tmp_path: Path, form: ImageForm) -> None:
    info = identify(str(convert(raw, form, tmp_path)))
    with pytest.raises(ReadOnlyError, match=rf"{form}.*--overlay"):
        open_image(info, writable=True)


def test_a_file_marked_read_only_is_not_written_even_by_root(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.raw", "raw")
    disk.chmod(0o444)
    info = identify(str(disk))
    assert info.read_only_reason == "disk.raw is marked read-only (chmod u+w makes it writable)"
    with pytest.raises(ReadOnlyError, match="--overlay"):
        open_image(info, writable=True)
    open_image(info, writable=False).close()


def test_a_file_that_the_kernel_refuses_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = create(tmp_path / "disk.raw", "raw")
    real_open = os.open

    def refuse(path: Path, flags: int, *rest: int) -> int:
        if flags & os.O_RDWR:
            raise OSError(30, "Read-only file system")
        return real_open(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    assert identify(str(disk)).read_only_reason == "disk.raw cannot be opened for writing (Read-only file system)"


def test_a_format_that_is_not_written_in_place_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFormat.VDI, "not_in_place", "it may not survive a kill")
    assert identify(str(create(tmp_path / "disk.vdi", "vdi"))).read_only_reason == "it may not survive a kill"


def test_every_row_of_the_table_is_whole() -> None:
    for each in set(ImageFormat) - {ImageFormat.RAW, ImageFormat.NBD}:
        assert each.qemu_driver, each
        assert each.magics, each
        assert isinstance(reader_of(each), ImageReader), each
    assert ImageFormat.RAW.qemu_driver == "raw"
    drivers = [each.qemu_driver for each in ImageFormat]
    assert len(set(drivers)) == len(drivers)


def test_the_format_can_be_overridden(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.qcow2", "qcow2")
    info = identify(str(disk), format=ImageFormat.RAW)
    assert (info.format, info.size) == (ImageFormat.RAW, disk.stat().st_size)
    with pytest.raises(ImageError, match="by its content it is qcow2"):
        identify(str(disk), format=ImageFormat.VMDK)
    with pytest.raises(ImageError, match="not an NBD URI"):
        identify(str(disk), format=ImageFormat.NBD)
    text = tmp_path / "text"
    text.write_text("hello\n" * 1000)
    assert identify(str(text), format=ImageFormat.RAW).format is ImageFormat.RAW
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(ImageError, match="empty"):
        identify(str(empty), format=ImageFormat.RAW)


@pytest.mark.parametrize("location", ["", "nothing.vmdk", "a\0b", "http://host/disk.vmdk", "x" * 5000, "/dev/null"])
def test_what_does_not_exist_is_one_error(location: str) -> None:
    with pytest.raises(ImageError):
        identify(location)


def test_names_with_commas_quotes_and_odd_bytes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"a,b='c' \xff")
    folder.mkdir()
    disk = create(folder / 'd,driver="raw".qcow2', "qcow2")
    with open_image(identify(str(disk)), writable=True) as image:
        assert image.device.size == 2**23


def test_a_size_that_qemu_sees_otherwise_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.qcow2", "qcow2")
    info = identify(str(disk))
    qemu_img("resize", "-f", "qcow2", disk, "16M")
    with pytest.raises(ImageError, match="8388608 bytes, but its size is 16777216"):
        open_image(info, writable=False)


@pytest.mark.parametrize("scheme", ["nbd+unix://", "NBD+unix://"])
def test_an_nbd_uri(tmp_path: Path, scheme: str) -> None:
    disk = create(tmp_path / "disk.raw", "raw")
    qemu_io(disk, "raw", "write -P 7 0 512")
    socket = tmp_path / "socket"
    pid_file = tmp_path / "pid"
    line = ["qemu-nbd", "-f", "raw", "-k", str(socket), "--fork", "--pid-file", str(pid_file), str(disk)]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    info = identify(f"{scheme}/?socket={socket}")
    assert (info.format, info.files, info.read_only_reason) == (ImageFormat.NBD, (), None)
    with open_image(info, writable=True) as image:  # and with its only client the server ends
        assert image.device.read(0, 512) == b"\7" * 512


@pytest.fixture
def loop_device(tmp_path: Path) -> Iterator[str]:
    if os.geteuid():
        pytest.skip("a loop device needs root")
    disk = create(tmp_path / "backing.raw", "raw")
    done = subprocess.run(["losetup", "--find", "--show", str(disk)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this machine gives no loop devices")
    device = done.stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


def test_a_block_device(loop_device: str) -> None:
    info = identify(loop_device)
    assert (info.format, info.subformat, info.size) == (ImageFormat.RAW, "block-device", 2**23)
    assert info.read_only_reason is None
    with open_image(info, writable=True) as image:
        image.device.write(2**23 - 512, b"x" * 512)
        image.device.flush()
        with pytest.raises(ImageError, match=r"holds it|another program"):
            open_image(info, writable=True)
    with open_image(info, writable=False) as image:
        assert image.device.read(2**23 - 512, 512) == b"x" * 512


def test_opening_flat_disks_needs_neither_qemu_nor_libnbd(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat="monolithicFlat")
    program = (
        "import sys\n"
        "from bootgraft.storage.images.opening import identify, open_image\n"
        f"open_image(identify({str(disk)!r}), writable=True).close()\n"
        "print(sorted(name for name in sys.modules if name.startswith(('bootgraft', 'cffi', 'subprocess'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(re.findall(r"[\w.]+", done.stdout))
    assert not loaded & {"bootgraft.storage.devices.nbd", "bootgraft.storage.devices.qemunbd", "cffi", "subprocess"}


def test_a_failed_open_leaves_nothing_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = create(tmp_path / "disk.raw", "raw")
    info = identify(str(disk))
    os.truncate(disk, 2**20)
    with pytest.raises(ImageError, match="but its size is"):
        open_image(info, writable=True)
    descriptor = os.open(disk, os.O_RDONLY)
    locks.probe(descriptor, disk, writable=True)
    os.close(descriptor)
