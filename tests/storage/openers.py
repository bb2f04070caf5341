"""Other programs that use an image: processes that have it open, loop devices over it, and what is mounted."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.machines.tools import run

_HOLD = {"r": "9<", "w": "9>>", "rw": "9<>"}


@contextmanager
def holding(path: Path, mode: str) -> Iterator[int]:
    """A process, called ``cat``, that has the file open until the block ends; its process id."""
    with holding_as(f'exec {_HOLD[mode]}"$1"', path) as number:
        yield number


@contextmanager
def holding_as(redirections: str, path: Path) -> Iterator[int]:
    """A process, called ``cat``, with a shell's redirections of ``$1``, the file."""
    line = ["sh", "-c", f"{redirections}; exec cat", "sh", str(path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")  # its echo tells that it is cat by now, not the shell that it was before
        process.stdin.flush()
        assert process.stdout.readline() == b"\n"
        try:
            yield process.pid
        finally:
            process.communicate()


@contextmanager
def loop_device(path: Path, *options: str) -> Iterator[Path]:
    """A loop device over a file.

    It goes when nobody has it open any more: a mount that a new mount namespace took along keeps it a moment longer.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can make a loop device")
    done = subprocess.run(["losetup", "-f", "--show", *options, path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"there are no loop devices here: {done.stderr.strip()}")
    device = Path(done.stdout.strip())
    try:
        yield device
    finally:
        run("losetup", "-d", device)


@contextmanager
def mounted(what: Path | str, point: Path, *options: str) -> Iterator[Path]:
    """A file system that is mounted at ``point``, a folder that is made for it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    point.mkdir(exist_ok=True)
    run("mount", *options, what, point)
    try:
        yield point
    finally:
        run("umount", point)


@contextmanager
def fuse_mounted(volume: Path, point: Path) -> Iterator[Path]:
    """A new NTFS volume in a file, mounted at ``point`` through FUSE, without a loop device."""
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        pytest.skip("this mounts an NTFS volume through FUSE, which needs root and /dev/fuse")
    with volume.open("wb") as file:
        file.truncate(16 << 20)
    run("mkntfs", "-F", "-q", "-Q", volume)
    point.mkdir()
    run("ntfs-3g", volume, point)
    try:
        yield point
    finally:
        run("umount", point)


@contextmanager
def partition_mounted(disk: Path, point: Path, *options: str) -> Iterator[Path]:
    """A loop device over a new disk whose second partition, an ext4, is mounted at ``point``."""
    with disk.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(
        ["sfdisk", "-q", disk], input="2048,8192,7\n10240,49152,83\n", text=True, check=True, capture_output=True
    )
    run("mkfs.ext4", "-q", "-E", f"offset={10240 * 512}", disk, "24M")
    with loop_device(disk, "--partscan") as device:  # so that the partitions go with it
        run("partx", "--update", device)  # a kernel need not know partition tables itself
        with mounted(Path(f"{device}p2"), point, *options):
            yield device


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder that every user may use, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def without_leases() -> tuple[str, ...]:
    """The start of a command line that is run as nobody, who may ask for a lease on nobody else's file.

    It may search every folder: Python itself may lie in one of root's.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, with setpriv")
    search = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *search)
