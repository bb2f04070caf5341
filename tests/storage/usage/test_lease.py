"""Leases: what Linux tells of who else has a file open, and that asking harms nobody."""

import fcntl
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.storage.openers import folder_for_all, fuse_mounted, holding, loop_device, mounted, without_leases

from bootgraft.storage.usage import lease
from bootgraft.storage.usage.lease import Others

_ASK = """
import fcntl, os, sys
from bootgraft.storage.usage import lease
real = fcntl.fcntl
def and_another_opens(descriptor, command, argument):
    answer = real(descriptor, command, argument)
    if command == fcntl.F_SETLEASE and argument != fcntl.F_UNLCK:
        if os.fork() == 0:
            try:
                os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
            except BlockingIOError:
                os._exit(17)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 17
    return answer
fcntl.fcntl = and_another_opens
for writing in (False, True):
    with open(sys.argv[1], "rb") as file:
        print(lease.ask(file.fileno(), writing=writing).name)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    path.write_bytes(bytes(8192))
    return path


def answers(path: Path) -> tuple[Others, Others]:
    """What is answered to a reader and to a writer."""
    found = []
    for writing, flags in ((False, os.O_RDONLY), (True, os.O_RDWR)):
        descriptor = os.open(path, flags)
        found.append(lease.ask(descriptor, writing=writing))
        assert fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_UNLCK, "it is given back at once"
        os.close(descriptor)
    return found[0], found[1]


def test_nobody_else(file: Path) -> None:
    assert answers(file) == (Others.NONE, Others.NONE)
    with file.open("rb") as reader:
        assert lease.ask(reader.fileno(), writing=True) is Others.NONE


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("r", (Others.NONE, Others.SOME)), ("w", (Others.SOME, Others.SOME)), ("rw", (Others.SOME, Others.SOME))],
)
def test_another_process(file: Path, mode: str, expected: tuple[Others, Others]) -> None:
    with holding(file, mode):
        assert answers(file) == expected
    assert answers(file) == (Others.NONE, Others.NONE)


def test_another_name_of_the_file(file: Path) -> None:
    link = file.with_name("link")
    link.hardlink_to(file)
    with holding(link, "rw"):
        assert answers(file) == (Others.SOME, Others.SOME)


def test_a_mapping_counts_when_its_descriptor_is_closed(file: Path) -> None:
    with file.open("r+b") as opened:
        mapped = mmap.mmap(opened.fileno(), 4096)
    assert answers(file) == (Others.SOME, Others.SOME)
    mapped.close()
    assert answers(file) == (Others.NONE, Others.NONE)


@pytest.mark.parametrize(("options", "reader"), [((), Others.SOME), (("-r",), Others.NONE)])
def test_a_loop_device(file: Path, options: tuple[str, ...], reader: Others) -> None:
    with loop_device(file, *options) as device:
        assert answers(file) == (reader, Others.SOME)
        with device.open("rb") as opened:
            assert lease.ask(opened.fileno(), writing=False) is Others.NOT_TOLD


def test_an_open_that_meets_the_lease_ends_neither_process(file: Path) -> None:
    """SIGIO, which Linux sends where no other signal was chosen, would end the one that asks."""
    done = subprocess.run([sys.executable, "-c", _ASK, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["NONE", "NONE"]), done


def test_another_user_may_not_ask() -> None:
    script = "import sys; from bootgraft.storage.usage import lease; file = open(sys.argv[1], 'r+b'); "
    script += "print(lease.ask(file.fileno(), writing=True).name)"
    with folder_for_all() as folder:
        file = folder / "disk.raw"
        file.write_bytes(bytes(4096))
        file.chmod(0o666)
        line = [*without_leases(), sys.executable, "-W", "ignore", "-c", script, str(file)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stdout == "NOT_FOR_US\n", done


def test_what_is_no_file_has_no_leases(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    descriptor = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    try:
        assert lease.ask(descriptor, writing=True) is Others.NOT_TOLD
    finally:
        os.close(descriptor)


def test_a_file_system_in_memory(tmp_path: Path) -> None:
    with mounted("memory", tmp_path / "mount", "-t", "tmpfs") as point:
        file = point / "disk.raw"
        file.write_bytes(bytes(4096))
        assert answers(file) == (Others.NONE, Others.NONE)
        with holding(file, "rw"):
            assert answers(file) == (Others.SOME, Others.SOME)
        with loop_device(file):
            assert answers(file) == (Others.SOME, Others.SOME)


def test_an_overlay_does_not_know_who_opens_what_is_below(tmp_path: Path) -> None:
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "upper" / "disk.raw").write_bytes(bytes(4096))
    places = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    with mounted("overlay", tmp_path / "mount", "-t", "overlay", "-o", places) as point:
        with holding(point / "disk.raw", "rw"):
            assert answers(point / "disk.raw") == (Others.SOME, Others.SOME)
        with holding(tmp_path / "upper" / "disk.raw", "rw"):
            assert answers(point / "disk.raw") == (Others.NONE, Others.NONE)


def test_fuse(tmp_path: Path) -> None:
    """Whether FUSE has leases is the kernel's to say: what it tells must be right."""
    with fuse_mounted(tmp_path / "volume", tmp_path / "mount") as point:
        file = point / "disk.raw"
        file.write_bytes(bytes(4096))
        assert answers(file) in ((Others.NONE, Others.NONE), (Others.NOT_TOLD, Others.NOT_TOLD))
        with holding(file, "rw"):
            assert Others.NONE not in answers(file)
