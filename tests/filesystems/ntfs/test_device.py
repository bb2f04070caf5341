"""The C callbacks: errors, threads and re-entrance; nothing may cross the library, nothing may stay open."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.filesystems.ntfs.images import CountingDevice, assert_consistent, blank, directory, file, fill, mount

from bootgraft.errors import FileSystemError, ImageError
from bootgraft.filesystems.ntfs.device import Operations
from bootgraft.filesystems.ntfs.library import load
from bootgraft.filesystems.ntfs.volume import NtfsVolume, mount_ntfs
from bootgraft.storage.devices.blockdevice import BlockDevice, Slice


class Failing(Struct):
    """A device that fails (by raising what ``error`` returns) once it has been asked ``left`` more times."""

    device: BlockDevice
    left: int
    error: Callable[[], BaseException]
    only_writes: bool = False

    @property
    def size(self) -> int:
        return self.device.size

    def read(self, offset: int, length: int, /) -> bytes:
        if not self.only_writes:
            self._count()
        return self.device.read(offset, length)

    def write(self, offset: int, data: bytes, /) -> None:
        self._count()
        self.device.write(offset, data)

    def flush(self) -> None:
        self._count()
        self.device.flush()

    def close(self) -> None:
        self.device.close()

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.error()


def bad_sector() -> BaseException:
    return ImageError("sector 7 cannot be read", where="server1.vmdk", advice="Copy the image again")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = blank(tmp_path_factory.mktemp("ntfs") / "volume")
    return fill(image, directory("WINDOWS/system32"), file("WINDOWS/system32/hal.dll", os.urandom(400_000)))


@pytest.fixture
def volume(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "volume"))


def use(mounted: NtfsVolume) -> None:
    mounted.listdir("\\WINDOWS")
    mounted.read("\\WINDOWS\\system32\\hal.dll")
    mounted.create("\\WINDOWS\\system32\\new.sys", bytes(100_000))
    mounted.write("\\WINDOWS\\system32\\hal.dll", 390_000, bytes(50_000))


def test_a_failing_device_raises_its_own_error_wherever_it_fails(volume: Path) -> None:
    """Each read and write in turn fails once; the first exception comes out as it was, and the library lives on."""
    before = volume.read_bytes()
    failures = []
    for allowed in range(1000):
        device = Failing(CountingDevice(volume), allowed, bad_sector)
        try:
            with mount_ntfs(device, writable=True, name="volume") as mounted:
                use(mounted)
        except ImageError as error:
            failures.append(error.what)
            volume.write_bytes(before)
        else:
            break
    assert 20 < len(failures) < 1000
    assert set(failures) == {"sector 7 cannot be read"}
    with mount(volume) as mounted:
        assert mounted.stat("\\WINDOWS\\system32\\new.sys").size == 100_000


def test_an_unmount_that_cannot_flush_raises(volume: Path) -> None:
    device = Failing(CountingDevice(volume), 1 << 30, bad_sector, only_writes=True)
    mounted = mount_ntfs(device, writable=True, name="volume")
    mounted.create("\\new", bytes(50_000))
    device.left = 0
    with pytest.raises(ImageError, match="sector 7"):
        mounted.close()
    mounted.close()


def test_an_interrupt_inside_the_device_comes_out(volume: Path) -> None:
    device = Failing(CountingDevice(volume), 2, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        mount_ntfs(device, writable=False, name="volume")
    mount(volume).close()


def test_a_second_thread_is_refused_while_a_volume_is_mounted(volume: Path) -> None:
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            mount(volume).close()
        except FileSystemError as error:
            caught.append(error)

    with mount(volume):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert "second thread" in str(caught[0])
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_a_call_from_inside_a_device_callback_is_refused(volume: Path) -> None:
    with mount(volume) as first:

        def call_back() -> BaseException:
            first.listdir("\\")
            return AssertionError("the library was entered twice")

        device = Failing(CountingDevice(volume), 1, call_back)
        with pytest.raises(FileSystemError, match="from a device callback"):
            mount_ntfs(device, writable=False, name="second")
        assert first.listdir("\\")


def test_two_volumes_at_once(volume: Path, tmp_path: Path) -> None:
    other = blank(tmp_path / "other", label="OTHER")
    with mount(volume) as first, mount(other, writable=True) as second:
        second.create("\\copy.dll", first.read("\\WINDOWS\\system32\\hal.dll"))
        assert second.read("\\COPY.DLL") == first.read("\\WINDOWS\\system32\\hal.dll")
        assert (first.label, second.label) == ("TEST", "OTHER")


def test_a_volume_inside_a_disk(volume: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(b"\xaa" * 32256 + volume.read_bytes() + b"\xbb" * 5000)
    part = Slice(CountingDevice(disk), 32256, volume.stat().st_size, "disk 0 partition 1")
    with mount_ntfs(part, writable=True, name="disk 0 partition 1") as mounted:
        use(mounted)
    content = disk.read_bytes()
    assert content[:32256] == b"\xaa" * 32256
    assert content[-5000:] == b"\xbb" * 5000


def test_nothing_stays_open(volume: Path) -> None:
    """Every inode and attribute that a failing operation opens is closed again: the next unmount is consistent."""
    with mount(volume, writable=True) as mounted:
        for path in ("\\nothing", "\\WINDOWS\\nothing", "\\WINDOWS"):
            with pytest.raises(FileSystemError):
                mounted.read(path)
        with pytest.raises(FileSystemError):
            mounted.create("\\WINDOWS\\system32\\hal.dll", b"")
        with pytest.raises(FileSystemError):
            mounted.create("\\too large", bytes(60 << 20))
        with pytest.raises(ValueError, match="count from 0"):
            mounted.read("\\WINDOWS\\system32\\hal.dll", -1)
        with pytest.raises(ValueError, match="counts from 0"):
            mounted.write("\\WINDOWS\\system32\\hal.dll", -1, b"")
        mounted.create("\\fits", bytes(100_000))
    with mount(volume) as mounted:
        assert mounted.read("\\fits") == bytes(100_000)
    assert_consistent(volume)


OFFSETS = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-10, 20_000))


@settings(max_examples=100, deadline=None)
@given(offset=OFFSETS, count=st.integers(-5, 9000), whence=st.sampled_from([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END]))
def test_the_operations_stay_inside_the_device(offset: int, count: int, whence: int) -> None:
    library = load()
    device = Failing(CountingDevice(Path(__file__)), 1 << 30, bad_sector)
    operations = Operations(library, device, "this file")
    content = Path(__file__).read_bytes()
    buffer = library.ffi.new("char[]", 9000)
    dev, table = operations.pointer, operations.pointer.d_ops
    assert table.open(dev, os.O_RDONLY) == 0
    done = table.pread(dev, buffer, count, offset)
    expected = content[offset : offset + count] if offset >= 0 and count >= 0 else None
    assert done == (-1 if expected is None else len(expected))
    if expected is not None:
        assert bytes(library.ffi.buffer(buffer, done)) == expected
    assert table.pwrite(dev, buffer, count, offset) == -1
    assert library.ffi.errno == errno.EROFS
    start = {os.SEEK_SET: 0, os.SEEK_CUR: 0, os.SEEK_END: len(content)}[whence]
    if -(1 << 63) <= start + offset < 1 << 63:
        assert table.seek(dev, offset, whence) == (start + offset if start + offset >= 0 else -1)
        if start + offset >= 0 and count >= 0:
            assert table.read(dev, buffer, count) == len(content[start + offset :][:count])
    assert table.stat(dev, library.ffi.NULL) == table.ioctl(dev, 0, library.ffi.NULL) == -1
    assert library.ffi.errno == errno.EOPNOTSUPP
    assert table.close(dev) == 0
    operations.free()
