"""A real file system on a disk that fails when it is told to: ext4 on a loop device over nbdfuse over nbdkit.

Linux' page cache lies between bootgraft and the disk as on any server. Needs root, loop devices and FUSE.
"""

import contextlib
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.storage.nbdservers import nbdkit

_PROGRAMS = ("nbdkit", "nbdfuse", "losetup", "mkfs.ext4", "mount", "umount")
_SECONDS = 60


class FailingDisk:
    """The file system's folder, and the ways to have its disk fail."""

    def __init__(self, folder: Path, trigger: Path, device: str) -> None:
        self.folder = folder
        self._trigger = trigger
        self._device = device

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Have every write fail that reaches the disk during the block."""
        self._trigger.touch()
        try:
            yield
        finally:
            self._trigger.unlink()

    def remount(self) -> None:
        """Forget the page cache, as a restart of the host does: what is read now is what reached the disk."""
        _run("umount", self.folder)
        _run("mount", self._device, self.folder)

    def synchronise(self) -> None:
        """Bring all that was written so far to the disk."""
        _run("sync", "-f", self.folder)


@contextlib.contextmanager
def failing_disk(folder: Path, *, error: str = "EIO", size: int = 256 * 2**20) -> Iterator[FailingDisk]:
    """Make one of ``size`` bytes whose writes fail with ``error`` (ENOSPC: a thin disk that has run full)."""
    _require_means()
    for name in ("fuse", "mnt", "kit"):
        (folder / name).mkdir()
    disk, trigger = folder / "disk", folder / "trigger"
    with disk.open("wb") as file:
        file.truncate(size)
    _run("mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal", disk)
    errors = [f"error-pwrite={error}", "error-pwrite-rate=100%", f"error-pwrite-file={trigger}"]
    with contextlib.ExitStack() as stack:
        uri = stack.enter_context(nbdkit(folder / "kit", "--filter=error", "file", str(disk), *errors))
        stack.enter_context(_nbdfuse(folder / "fuse", uri, folder))
        device = stack.enter_context(_loop_device(folder / "fuse" / "nbd"))
        _run("mount", device, folder / "mnt")
        stack.callback(_run, "umount", folder / "mnt")
        yield FailingDisk(folder / "mnt", trigger, device)


@contextlib.contextmanager
def _nbdfuse(mountpoint: Path, uri: str, folder: Path) -> Iterator[None]:
    ready = folder / "ready"
    os.mkfifo(ready)  # nbdfuse writes its process id there once the mountpoint can be used
    descriptor = os.open(ready, os.O_RDONLY | os.O_NONBLOCK)
    command = ["nbdfuse", "--pidfile", str(ready), str(mountpoint), uri]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ended = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(ended, select.POLLIN)
        if (descriptor, select.POLLIN) not in poll.poll(_SECONDS * 1000):
            pytest.skip("FUSE cannot be used here")
        yield
    finally:
        os.close(descriptor)
        os.close(ended)
        process.terminate()
        process.wait(_SECONDS)


@contextlib.contextmanager
def _loop_device(file: Path) -> Iterator[str]:
    done = subprocess.run(["losetup", "--find", "--show", str(file)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"loop devices cannot be used here: {done.stderr}")
    device = done.stdout.strip()
    try:
        yield device
    finally:
        _run("losetup", "--detach", device)


def _require_means() -> None:
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"mounting needs root and {', '.join(missing or _PROGRAMS)}")


def _run(*command: str | Path) -> None:
    subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, check=True)
