"""In use means in use: every other user of a file or block device is found and named, or said not to be asked for."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.machines.tools import run
from tests.storage.imagekit import create
from tests.storage.openers import (
    folder_for_all,
    fuse_mounted,
    holding,
    loop_device,
    mounted,
    partition_mounted,
    without_leases,
)

from bootgraft.errors import ImageInUseError
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.images.opening import identify, open_image
from bootgraft.storage.usage import inuse, lease

_PROBE = """
import json, sys
from pathlib import Path
from bootgraft.errors import ImageInUseError
from bootgraft.storage.devices.rawfile import RawFile
for writable in (False, True):
    try:
        with RawFile(Path(sys.argv[1]), writable=writable) as file:
            print(json.dumps(file.unasked))
    except ImageInUseError as error:
        print(json.dumps(str(error)))
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.truncate(8 << 20)
    return path


def refusal(path: Path, *, writable: bool) -> str:
    """Why a file is not opened; '' where it is."""
    try:
        RawFile(path, writable=writable).close()
    except ImageInUseError as error:
        return str(error)
    return ""


def test_a_file_that_nobody_uses(raw: Path) -> None:
    for writable in (False, True):
        with RawFile(raw, writable=writable) as file:
            assert file.unasked == ()


@pytest.mark.parametrize(("mode", "word"), [("r", "reading"), ("rw", "writing"), ("w", "writing")])
def test_another_program_is_named(raw: Path, mode: str, word: str) -> None:
    with holding(raw, mode) as number:
        expected = (
            f"{raw}: another program has it open: cat (pid {number}, for {word}). End that use of it, then try again"
        )
        assert refusal(raw, writable=True) == expected
        assert refusal(raw, writable=False) == ("" if mode == "r" else expected)
    assert refusal(raw, writable=True) == refusal(raw, writable=False) == ""


@pytest.mark.parametrize("options", [(), ("-r",)])
def test_a_loop_device_that_is_mounted(raw: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    run("mkfs.ext4", "-q", raw)
    with loop_device(raw, *options) as device, mounted(device, tmp_path / "mount", "-o", "ro") as point:
        said = refusal(raw, writable=True)
        assert f"the loop device {device} ({device} is mounted at {point})" in said
        assert f"(umount {point}; losetup -d {device})" in said
        # Even under a read-only mount, whoever can write to the loop device may.
        assert refusal(raw, writable=False) == ("" if options else said)


def test_a_look_of_a_moment_is_waited_for(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virus scanner opens what others open."""
    scanner = raw.open("rb")
    monkeypatch.setattr(time, "sleep", lambda _seconds: scanner.close())
    assert refusal(raw, writable=True) == ""
    assert scanner.closed


def test_a_file_on_which_another_has_a_lease(raw: Path) -> None:
    """As smbd has for a client (kernel oplocks): an open that does not wait fails."""
    script = "import fcntl, signal, sys; file = open(sys.argv[1], 'r+b'); signal.signal(signal.SIGIO, signal.SIG_IGN); "
    script += "fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK); print(flush=True); sys.stdin.read()"
    line = [sys.executable, "-c", script, str(raw)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ImageInUseError, match="another program has a lease on it"):
            RawFile(raw, writable=False)
        holder.communicate()
    assert refusal(raw, writable=True) == ""


def _for_all(folder: Path) -> Path:
    path = folder / "disk.raw"
    with path.open("wb") as file:
        file.truncate(8 << 20)
    path.chmod(0o666)
    return path


def _probed_by_another(path: Path) -> list[object]:
    """What a user to whom the file does not belong is told when it reads, and when it writes."""
    line = [*without_leases(), sys.executable, "-c", _PROBE, str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


def test_another_user_is_told_what_could_not_be_asked() -> None:
    note = "only its owner or root may ask Linux whether another program has it open; locks, loop devices and mounts"
    with folder_for_all() as folder:
        path = _for_all(folder)
        assert _probed_by_another(path) == [[f"{note} were looked at"]] * 2
        assert refusal(path, writable=True) == ""  # root asks for the same file in the same folder


@pytest.mark.parametrize("options", [(), ("-r",)])
def test_another_user_is_kept_off_what_a_loop_device_uses(options: tuple[str, ...]) -> None:
    with folder_for_all() as folder:
        path = _for_all(folder)
        with loop_device(path, *options) as device:
            reading, writing = _probed_by_another(path)
            assert f"another program has it open: the loop device {device}" in str(writing)
            assert (f"the loop device {device}" in str(reading)) is not bool(options)
            assert f"the loop device {device}" in refusal(path, writable=True)


def test_a_user_whose_file_root_has_open_hears_of_it_without_a_name() -> None:
    with folder_for_all() as folder:
        path = _for_all(folder)
        shutil.chown(path, 65534)
        with holding(path, "rw"):
            for said in _probed_by_another(path):
                assert "another program has it open that cannot be seen from here: another user's" in str(said)
                assert "Run the command as root" in str(said)


def test_a_kernel_user_that_nobody_can_see(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with raw.open("rb"):  # we are left out of the search, so it finds nobody
        said = refusal(raw, writable=True)
    assert "another container's, or the kernel itself (an NFS or iSCSI server)" in said


@pytest.mark.parametrize("kind", ["cifs", "nfs4"])
def test_a_server_that_promised_nothing_is_no_proof(raw: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Linux refuses a lease there too while nobody has the file open: no such server is at hand, so it is made up."""
    monkeypatch.setattr(inuse, "_file_system", lambda _status: kind)
    note = (
        f"its file system ({kind}) does not report whether another program has it open; locks, loop devices and mounts"
    )
    with holding(raw, "rw"), RawFile(raw, writable=True) as file:
        assert file.unasked == (f"{note} were looked at",)
    with loop_device(raw) as device:
        assert f"the loop device {device}" in refusal(raw, writable=True)


def test_a_file_system_without_leases(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "ask", lambda _descriptor, writing: lease.Others.NOT_TOLD)
    with RawFile(raw, writable=True) as file:
        assert file.unasked[0].startswith("its file system does not report whether another program has it open")
    with loop_device(raw, "-r") as device:
        assert refusal(raw, writable=False) == ""
        assert f"the loop device {device} (read-only)" in refusal(raw, writable=True)


def test_in_memory_and_on_an_overlay(tmp_path: Path) -> None:
    with mounted("memory", tmp_path / "memory", "-t", "tmpfs") as point:
        path = create(point / "disk.raw", "raw", "1M")
        with RawFile(path, writable=True) as file:
            assert file.unasked == ()
        with holding(path, "r"):
            assert "cat (pid" in refusal(path, writable=True)
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    create(tmp_path / "upper" / "disk.raw", "raw", "1M")
    places = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    with mounted("overlay", tmp_path / "mount", "-t", "overlay", "-o", places) as point:
        with RawFile(point / "disk.raw", writable=True) as file:
            assert file.unasked == (
                "its file system (overlay) tells only of programs that have it open through this mount",
            )
        with holding(point / "disk.raw", "r"):
            assert "cat (pid" in refusal(point / "disk.raw", writable=True)


def test_through_fuse(tmp_path: Path) -> None:
    with fuse_mounted(tmp_path / "volume", tmp_path / "mount") as point:
        path = create(point / "disk.raw", "raw", "1M")
        with RawFile(path, writable=True) as file:
            (note,) = file.unasked
            assert "fuse" in note
        said = refusal(tmp_path / "volume", writable=False)
        assert f"it is mounted at {point}; ntfs-3g (pid" in said
        assert f"(umount {point})" in said


def test_a_block_device_that_is_mounted(tmp_path: Path) -> None:
    with partition_mounted(tmp_path / "disk.raw", tmp_path / "mount") as device:
        what = f"{device}p2 is mounted at {tmp_path}/mount"
        assert f"the block device is in use: {what}" in refusal(device, writable=False)
        said = refusal(device, writable=True)
        assert "the block device is mounted, or LVM, RAID or another program holds it: " + what in said
        assert refusal(Path(f"{device}p1"), writable=False) == ""
        assert refusal(Path(f"{device}p1"), writable=True) == ""


def test_a_block_device_that_is_only_read(tmp_path: Path) -> None:
    with partition_mounted(tmp_path / "disk.raw", tmp_path / "mount", "-o", "ro") as device:
        with RawFile(device, writable=False) as file:
            assert file.unasked == (
                "Linux does not report who has a block device open; locks, mounts and holders were looked at",
            )
        assert f"{device}p2 is mounted at {tmp_path}/mount (read-only)" in refusal(device, writable=True)


def test_a_container_on_a_block_device_is_asked_for_alone(tmp_path: Path) -> None:
    """LVM, RAID and ZFS claim a device as O_EXCL does."""
    image = create(tmp_path / "disk.qcow2", "qcow2", "1M")
    with image.open("r+b") as file:
        file.truncate(4 << 20)
    with loop_device(image) as device:
        info = identify(str(device))
        with open(device, "rb", opener=lambda name, flags: os.open(name, flags | os.O_EXCL)):
            with pytest.raises(ImageInUseError, match="or another program holds it"):
                open_image(info, writable=True)
            open_image(info, writable=False).close()
        open_image(identify(str(device)), writable=True).close()


def _device_with_holder(_number: int) -> tuple[object, ...]:
    from bootgraft.storage.usage.blockuse import Use

    return (Use("/dev/dm-0 (vg0-root) is built on /dev/sdb2", None, ""),)


def test_what_is_built_on_a_block_device(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No device mapper is at hand: what sysfs says of it is tested where sysfs is read."""
    from bootgraft.storage.usage import blockuse

    with loop_device(raw) as device:
        monkeypatch.setattr(blockuse, "device_uses", _device_with_holder)
        with RawFile(device, writable=False) as file:
            assert file.unasked[0] == (
                "/dev/dm-0 (vg0-root) is built on /dev/sdb2: whether that writes to it cannot be determined"
            )
        assert "in use: /dev/dm-0 (vg0-root) is built on /dev/sdb2" in refusal(device, writable=True)


def _images(folder: Path) -> list[tuple[Path, Path]]:
    """Images of several formats, each with a file of it that another program may have open."""
    sparse = create(folder / "sparse.vmdk", "vmdk", subformat="twoGbMaxExtentSparse")
    flat = create(folder / "flat.vmdk", "vmdk", subformat="monolithicFlat")
    qcow2 = create(folder / "disk.qcow2", "qcow2")
    return [(qcow2, qcow2), (sparse, sparse), (sparse, folder / "sparse-s001.vmdk"), (flat, folder / "flat-flat.vmdk")]


def test_every_file_of_an_image_counts(tmp_path: Path) -> None:
    for image, part in _images(tmp_path):
        info = identify(str(image))
        for mode in ("r", "rw"):
            with holding(part, mode):
                with pytest.raises(ImageInUseError, match=rf"{part.name}: .* cat \(pid"):
                    open_image(info, writable=True)
                if mode == "r":
                    open_image(info, writable=False).close()
                else:
                    with pytest.raises(ImageInUseError, match=rf"{part.name}: .* cat \(pid"):
                        open_image(info, writable=False)
        open_image(info, writable=True).close()


def test_what_is_only_read_may_be_read_by_others(tmp_path: Path) -> None:
    base = create(tmp_path / "base.qcow2", "qcow2")
    top = create(tmp_path / "top.qcow2", "qcow2", "8M", backing_file=base.name, backing_fmt="qcow2")
    flat = create(tmp_path / "flat.vmdk", "vmdk", subformat="monolithicFlat")
    for image, part in ((top, base), (flat, flat)):
        with holding(part, "r"):
            open_image(identify(str(image)), writable=True).close()
        for writable in (False, True):
            with holding(part, "rw"), pytest.raises(ImageInUseError, match=rf"{part.name}: .* cat \(pid"):
                open_image(identify(str(image)), writable=writable)


def _second_look(image: Path, opener: AbstractContextManager[object]) -> None:
    with open_image(identify(str(image)), writable=True) as opened:
        opened.require_unused()
        with opener, pytest.raises(ImageInUseError):
            opened.require_unused()


def test_who_comes_later_is_seen_by_the_second_look(raw: Path, tmp_path: Path) -> None:
    flat = create(tmp_path / "flat.vmdk", "vmdk", subformat="monolithicFlat")
    _second_look(raw, holding(raw, "r"))
    _second_look(flat, holding(tmp_path / "flat-flat.vmdk", "r"))
    qcow2 = create(tmp_path / "disk.qcow2", "qcow2")
    _second_look(qcow2, loop_device(qcow2, "-r"))
    vmdk = create(tmp_path / "disk.vmdk", "vmdk")
    with open_image(identify(str(vmdk)), writable=True) as opened:
        opened.require_unused()
        (tmp_path / "disk.vmdk.lck").mkdir()
        with pytest.raises(ImageInUseError, match=r"disk\.vmdk\.lck"):
            opened.require_unused()


def test_whom_qemus_locks_tell_of_is_named_too(raw: Path) -> None:
    with RawFile(raw, writable=True):
        line = [sys.executable, "-c", _PROBE, str(raw)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    for text in done.stdout.splitlines():
        assert (
            f"a second bootgraft): {Path(f'/proc/{os.getpid()}/comm').read_text().strip()} (pid {os.getpid()}" in text
        )
