"""Image formats through qemu-nbd, judged by qemu-img and qemu-io; and that nothing of it outlives its user."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.imagekit import create, qemu_img, qemu_io
from tests.storage.nbdservers import wait_for_end

from bootgraft.confinement import landlock
from bootgraft.errors import ImageError, ImageInUseError, MissingDependencyError, ReadOnlyError
from bootgraft.storage.devices import qemunbd
from bootgraft.storage.devices.patience import limited
from bootgraft.storage.devices.qemunbd import Backing, create_overlay, find_program, open_qemu

pytestmark = pytest.mark.skipif(shutil.which("qemu-nbd") is None, reason="qemu-nbd is not installed")

MIB = 2**20
DRIVERS = ["raw", "qcow2", "vmdk", "vpc", "vhdx", "vdi"]


def content(path: Path, driver: str) -> bytes:
    """What qemu-img reads in an image."""
    flat = path.with_name(path.name + ".flat")
    qemu_img("convert", "-f", driver, "-O", "raw", path, flat)
    data = flat.read_bytes()
    flat.unlink()
    return data


@pytest.fixture
def vmdk(tmp_path: Path) -> Path:
    return create(tmp_path / "disk.vmdk", "vmdk")


@pytest.fixture
def fake_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in qemu-nbd's place."""

    def make(script: str) -> None:
        folder = tmp_path / "programs"
        folder.mkdir()
        program = folder / "qemu-nbd"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return make


# Reading and writing


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_format_holds_what_was_written(tmp_path: Path, driver: str) -> None:
    path = create(tmp_path / "disk", driver)
    with open_qemu(path, driver, writable=True) as device:
        assert device.server_pid
        assert not device.read_only
        model = bytearray(device.size)
        for at, data in (
            (0, b"start"),
            (MIB - 3, b"across"),
            (device.size - 4, b"last"),
            (3 * MIB + 1, bytes(range(256)) * 999),
        ):
            device.write(at, data)
            model[at : at + len(data)] = data
        device.flush()
        assert device.read(0, device.size) == model
    assert content(path, driver) == model
    if driver in ("qcow2", "vmdk", "vhdx", "vdi"):
        qemu_img("check", "-f", driver, path)
    with open_qemu(path, driver, writable=False) as device:
        assert device.read_only
        assert device.read(MIB - 4, 8) == b"\0across\0"


@pytest.fixture(scope="module")
def qcow2(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytearray]:
    """An image and what it should hold."""
    return create(tmp_path_factory.mktemp("qcow2") / "disk.qcow2", "qcow2", "1M"), bytearray(MIB)


@settings(deadline=None, max_examples=25)
@given(
    writes=st.lists(
        st.tuples(st.integers(0, MIB), st.binary(min_size=1, max_size=300), st.sampled_from([1, 300])), max_size=6
    )
)
def test_writes_anywhere_read_back(qcow2: tuple[Path, bytearray], writes: list[tuple[int, bytes, int]]) -> None:
    path, model = qcow2
    with open_qemu(path, "qcow2", writable=True) as device:
        for offset, data, times in writes:
            fitting = (data * times)[: MIB - offset]
            device.write(offset, fitting)
            model[offset : offset + len(fitting)] = fitting
    with open_qemu(path, "qcow2", writable=False) as device:
        assert device.read(0, MIB) == model


def test_reading_changes_no_byte_of_the_container(vmdk: Path) -> None:
    before = vmdk.read_bytes()
    with open_qemu(vmdk, "vmdk", writable=False) as device:
        device.read(0, device.size)
        with pytest.raises(ReadOnlyError):
            device.write(0, b"x")
        device.flush()
    assert vmdk.read_bytes() == before


@pytest.mark.parametrize("name", ["a,b=c,driver=raw.img", "json:{}", "with space\nand line", "-f", "nbd:x", "ümlaut"])
def test_odd_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create(tmp_path / "plain", "qcow2").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with open_qemu(Path(name), "qcow2", writable=True) as device:
        device.write(0, b"x")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"disk-\xff.qcow2")
    create(tmp_path / "plain", "qcow2").rename(path)
    with open_qemu(path, "qcow2", writable=True) as device:
        device.write(0, b"x")
    with pytest.raises(ImageError, match="qemu-nbd says"):
        open_qemu(path, "vhdx", writable=True)


def test_the_format_is_never_guessed(tmp_path: Path) -> None:
    """A raw disk whose first sectors the guest filled with a qcow2 header stays a raw disk."""
    path = create(tmp_path / "disk", "qcow2")
    with open_qemu(path, "raw", writable=False) as device:
        assert device.read(0, 4) == b"QFI\xfb"
        assert device.size < MIB


def test_the_backing_chain_is_opened_as_told(tmp_path: Path) -> None:
    """Formats and files come from the caller, not from the headers: the middle one names no format and a wrong file."""
    lowest = tmp_path / "lowest.vmdk"
    create(lowest, "vmdk")
    with open_qemu(lowest, "vmdk", writable=True) as device:
        device.write(5000, b"lowest")
    middle, top = tmp_path / "mid,dle.qcow2", tmp_path / "top.qcow2"
    create_overlay(middle, lowest, "vmdk")
    qemu_img("rebase", "-u", "-f", "qcow2", "-b", "/nonexistent", "-F", "raw", middle)
    create_overlay(top, lowest, "vmdk")
    chain = [Backing(middle, "qcow2"), Backing(lowest, "vmdk")]
    before = lowest.read_bytes(), middle.read_bytes()
    with open_qemu(top, "qcow2", writable=True, backing=chain) as device:
        assert device.read(5000, 6) == b"lowest"
        device.write(5002, b"__")
        device.flush()
        assert device.read(5000, 6) == b"lo__st"
    assert (lowest.read_bytes(), middle.read_bytes()) == before


def chs_sized(path: Path) -> Path:
    """A fixed VHD whose maker is one of those whose size qemu takes from the CHS geometry; "current size" says more."""
    create(path, "vpc", 10 * MIB + 512, subformat="fixed", force_size="on")
    data = bytearray(path.read_bytes())
    footer = data[-512:]
    footer[28:32] = b"vpc "
    footer[56:60] = struct.pack(">HBB", 300, 4, 17)
    footer[64:68] = bytes(4)
    footer[64:68] = struct.pack(">I", ~sum(footer) & 0xFFFFFFFF)
    data[-512:] = footer
    path.write_bytes(data)
    return path


def test_a_vhd_keeps_the_tail_that_qemu_left_alone_would_cut_off(tmp_path: Path) -> None:
    path = chs_sized(tmp_path / "disk.vhd")
    assert json.loads(qemu_img("info", "-f", "vpc", "--output=json", path))["virtual-size"] == 300 * 4 * 17 * 512
    with open_qemu(path, "vpc", writable=True) as device:
        assert device.size == 10 * MIB + 512
        device.write(10 * MIB, b"tail")
    assert path.read_bytes()[10 * MIB :][:4] == b"tail"


# Overlays


def test_an_overlay_beside_its_backing_file_can_move_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    backing = create(folder / "a:b.vmdk", "vmdk")
    create_overlay(folder / "new.qcow2", backing, "vmdk")
    folder.rename(tmp_path / "there")
    out = tmp_path / "there" / "new.qcow2"
    said = qemu_img("info", "--backing-chain", out)
    assert "backing file: ./a:b.vmdk" in said
    assert "backing file format: vmdk" in said
    with open_qemu(out, "qcow2", writable=True, backing=[Backing(out.with_name("a:b.vmdk"), "vmdk")]) as device:
        device.write(0, b"x")


def test_an_overlay_elsewhere_names_its_backing_file_in_full(tmp_path: Path, vmdk: Path) -> None:
    out = tmp_path / "elsewhere" / "new.qcow2"
    out.parent.mkdir()
    create_overlay(out, vmdk, "vmdk")
    assert f"backing file: {vmdk}\n" in qemu_img("info", out)


def test_an_overlay_over_a_vhd_records_how_its_size_is_found(tmp_path: Path) -> None:
    backing = Backing(chs_sized(tmp_path / "disk.vhd"), "vpc")
    create_overlay(tmp_path / "new.qcow2", backing.path, backing.driver)
    assert f"({10 * MIB + 512} bytes)" in qemu_img("info", tmp_path / "new.qcow2")
    with open_qemu(tmp_path / "new.qcow2", "qcow2", writable=False, backing=[backing]) as device:
        assert device.size == 10 * MIB + 512


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
def test_an_overlay_is_made_of_the_files_that_are_named(tmp_path: Path) -> None:
    """qemu-img opens the whole chain, as the headers say; out of its cage it reaches no other file, whoever we are."""
    lowest = create(tmp_path / "lowest.qcow2", "qcow2")
    middle = tmp_path / "middle.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-b", lowest, "-F", "qcow2", middle)
    with pytest.raises(ImageError, match="Permission denied"):
        create_overlay(tmp_path / "new.qcow2", middle, "qcow2")
    assert not (tmp_path / "new.qcow2").exists()
    create_overlay(tmp_path / "new.qcow2", middle, "qcow2", below=[lowest])
    assert f"backing file: {lowest}" in qemu_img("info", "--backing-chain", tmp_path / "new.qcow2")


def test_an_overlay_overwrites_nothing(tmp_path: Path, vmdk: Path) -> None:
    out = tmp_path / "new.qcow2"
    out.write_bytes(b"precious")
    with pytest.raises(ImageError, match="exists already"):
        create_overlay(out, vmdk, "vmdk")
    assert out.read_bytes() == b"precious"


def test_an_overlay_that_fails_leaves_no_file(tmp_path: Path, vmdk: Path) -> None:
    with pytest.raises(ImageError, match=r"qemu-img says: .*No such file") as caught:
        create_overlay(tmp_path / "new.qcow2", tmp_path / "missing.vmdk", "vmdk")
    assert caught.value.where == str(tmp_path / "new.qcow2")
    with pytest.raises(ImageError, match="cannot be created: No such file"):
        create_overlay(tmp_path / "nowhere" / "new.qcow2", vmdk, "vmdk")
    assert list(tmp_path.iterdir()) == [vmdk]


# What can go wrong


@pytest.mark.parametrize("writable", [False, True])
def test_an_image_in_use(vmdk: Path, writable: bool) -> None:
    before = vmdk.read_bytes()
    with open_qemu(vmdk, "vmdk", writable=True), pytest.raises(ImageInUseError, match='"write" lock') as caught:
        open_qemu(vmdk, "vmdk", writable=writable)
    assert "Shut the virtual machine down" in caught.value.advice
    assert vmdk.read_bytes() == before


def test_others_are_kept_out_while_it_is_open(vmdk: Path) -> None:
    with open_qemu(vmdk, "vmdk", writable=True):
        assert "lock" in qemu_io(vmdk, "vmdk", "read 0 512").stderr
    assert qemu_io(vmdk, "vmdk", "read 0 512").returncode == 0


def test_what_qemu_says_is_quoted(tmp_path: Path, vmdk: Path) -> None:
    with pytest.raises(ImageError, match=r"qemu-nbd says: Could not open '.*missing': No such file"):
        open_qemu(tmp_path / "missing", "vmdk", writable=False)
    with pytest.raises(ImageError, match="qemu-nbd says: Image is not in qcow2 format"):
        open_qemu(vmdk, "qcow2", writable=False)
    with pytest.raises(ImageError, match="qemu-nbd says: Unknown driver 'vmkd'"):
        open_qemu(vmdk, "vmkd", writable=False)
    with pytest.raises(ImageError, match="qemu-nbd says"):
        open_qemu(tmp_path, "raw", writable=False)


def test_a_truncated_image(tmp_path: Path) -> None:
    path = create(tmp_path / "disk.vhdx", "vhdx")
    os.truncate(path, 100_000)
    with pytest.raises(ImageError, match="qemu-nbd says"):
        open_qemu(path, "vhdx", writable=True)


def test_without_qemu_it_says_what_to_install(vmdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingDependencyError, match="qemu-nbd is not installed") as caught:
        open_qemu(vmdk, "vmdk", writable=False)
    assert "qemu-utils" in caught.value.advice
    with pytest.raises(MissingDependencyError, match="qemu-img is not installed"):
        create_overlay(vmdk.with_name("new"), vmdk, "vmdk")
    assert not vmdk.with_name("new").exists()


def test_a_qemu_that_does_not_answer_is_ended(
    vmdk: Path, fake_qemu: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_qemu("exec tail -f /dev/null")
    started: list[int] = []
    kill = qemunbd.QemuNbd.kill

    def note_and_kill(server: qemunbd.QemuNbd) -> None:
        started.append(server.pid)
        kill(server)

    monkeypatch.setattr(qemunbd.QemuNbd, "kill", note_and_kill)
    with limited(0.3), pytest.raises(ImageError, match=r"no answer in 0\.\d+ seconds") as caught:
        open_qemu(vmdk, "vmdk", writable=True)
    assert "--timeout" in caught.value.advice
    assert wait_for_end(started[0])


def test_a_flood_of_words_is_neither_waited_for_nor_quoted_in_full(
    vmdk: Path, fake_qemu: Callable[[str], None]
) -> None:
    fake_qemu("yes x | head -c 1000000 | tr -d '\\n' >&2; exit 1")
    with pytest.raises(ImageError, match="qemu-nbd says: xxx") as caught:
        open_qemu(vmdk, "vmdk", writable=False)
    assert len(str(caught.value)) < 3000


def test_control_characters_are_not_passed_on(vmdk: Path, fake_qemu: Callable[[str], None]) -> None:
    fake_qemu("printf 'qemu-nbd: a\\033[2Jb\\nc\\n' >&2; exit 1")
    with pytest.raises(ImageError) as caught:
        open_qemu(vmdk, "vmdk", writable=False)
    assert caught.value.what == "qemu-nbd says: a?[2Jb, c"


def test_its_environment_is_bare(vmdk: Path, fake_qemu: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "word")
    fake_qemu("env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; exit 1")
    with pytest.raises(ImageError) as caught:
        open_qemu(vmdk, "vmdk", writable=False)
    assert caught.value.what == "qemu-nbd says: LANG LC_ALL LISTEN_FDS LISTEN_PID PATH PWD"


def test_a_server_that_stops_moving_is_ended(vmdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = open_qemu(vmdk, "vmdk", writable=True)
    monkeypatch.setattr(qemunbd, "BROKEN_EXIT_TIMEOUT", 0.05)
    os.kill(device.server_pid or 0, signal.SIGSTOP)
    with limited(0.05), pytest.raises(ImageError, match=r"no answer in 0\.05 seconds"):
        device.read(0, 512)
    device.close()
    assert not alive(device.server_pid or 0)


def test_a_server_killed_in_the_middle_is_said(vmdk: Path) -> None:
    device = open_qemu(vmdk, "vmdk", writable=True)
    os.kill(device.server_pid or 0, signal.SIGKILL)
    with pytest.raises(ImageError, match="killed by SIGKILL"):
        device.write(0, bytes(MIB))
    with pytest.raises(ImageError):
        device.read(0, 512)
    device.close()
    device.close()


def test_a_server_killed_between_requests_is_said_on_closing(vmdk: Path) -> None:
    device = open_qemu(vmdk, "vmdk", writable=True)
    os.kill(device.server_pid or 0, signal.SIGKILL)
    with pytest.raises(ImageError, match="not close the image cleanly: it was killed by SIGKILL"):
        device.close()
    device.close()


# Nothing is left behind


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def open_descriptors() -> list[str]:
    """Those of this process."""
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def socket_names(pid: int) -> list[str]:
    """The names of the unix sockets that a process holds."""
    held = {path.readlink().name for path in Path(f"/proc/{pid}/fd").iterdir()}
    lines = (line.split() for line in Path("/proc/net/unix").read_text().splitlines())
    return [line[7] for line in lines if len(line) > 7 and f"socket:[{line[6]}]" in held]


@pytest.fixture
def bare_tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """TMPDIR, which has to be empty in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def test_nothing_is_left_after_closing(vmdk: Path, bare_tmpdir: Path) -> None:
    descriptors = open_descriptors()
    device = open_qemu(vmdk, "vmdk", writable=True)
    pid = device.server_pid or 0
    assert alive(pid)
    assert list(bare_tmpdir.iterdir()) == []
    device.close()
    assert not alive(pid)
    assert open_descriptors() == descriptors


def test_nothing_is_left_after_a_failure(vmdk: Path, bare_tmpdir: Path) -> None:
    descriptors = open_descriptors()
    with pytest.raises(ImageError):
        open_qemu(vmdk, "vhdx", writable=True)
    device = open_qemu(vmdk, "vmdk", writable=True)
    with pytest.raises(ImageError), device:
        device.read(device.size, 1)
    assert not alive(device.server_pid or 0)
    assert open_descriptors() == descriptors


def test_nobody_else_can_connect(vmdk: Path) -> None:
    with open_qemu(vmdk, "vmdk", writable=True) as device:
        names = set(socket_names(device.server_pid or 0))
        assert len(names) == 1
        with socket.socket(socket.AF_UNIX) as stranger, pytest.raises(ConnectionRefusedError):
            stranger.connect(names.pop().replace("@", "\0", 1))


def test_ctrl_c_at_the_terminal_does_not_reach_it(vmdk: Path) -> None:
    with open_qemu(vmdk, "vmdk", writable=True) as device:
        assert os.getsid(device.server_pid or 0) != os.getsid(0)


HOLDER = """
import sys
from pathlib import Path
from bootgraft.storage.devices.qemunbd import open_qemu
device = open_qemu(Path(sys.argv[1]), "vmdk", writable=True)
device.write(0, b"x" * 100000)
print(device.server_pid, flush=True)
while True:
    device.write(4 * 2**20, b"y" * 100000)
"""


STARTER = """
import sys
from pathlib import Path
from bootgraft.storage.devices import qemunbd
def start(*arguments, **options):
    started = real(*arguments, **options)
    print(started[0].pid, flush=True)
    return started
real, qemunbd._start = qemunbd._start, start
qemunbd.open_qemu(Path(sys.argv[1]), "vmdk", writable=True)
"""


def holder(*arguments: object, script: str = HOLDER) -> "subprocess.Popen[str]":
    """A process of its own that opens an image and goes on writing to it; it tells the server's process id."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)


def heed_interrupts() -> None:
    """Undo what a background job of a shell inherits: there SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_we_are_killed(vmdk: Path, bare_tmpdir: Path, how: signal.Signals) -> None:
    with holder(vmdk) as process:
        assert process.stdout
        server = int(process.stdout.readline())
        assert alive(server)
        process.send_signal(how)
        process.stdout.read()
    assert wait_for_end(server)
    qemu_img("check", "-f", "vmdk", vmdk)  # it ended by itself, in good order
    with open_qemu(vmdk, "vmdk", writable=True) as device:
        assert device.read(0, 3) == b"xxx"


def test_nothing_is_left_when_we_are_killed_before_it_answers(
    vmdk: Path, bare_tmpdir: Path, fake_qemu: Callable[[str], None]
) -> None:
    """A qemu-nbd that has not agreed on the protocol would wait for another client for ever."""
    fake_qemu("exec tail -f /dev/null")
    with holder(vmdk, script=STARTER) as process:
        assert process.stdout
        server = int(process.stdout.readline())
        assert alive(server)
        process.kill()
    assert wait_for_end(server)


def test_programs_are_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError):
        find_program("qemu-img")
    (tmp_path / "qemu-img").write_text("#!/bin/sh\n")
    with pytest.raises(MissingDependencyError):
        find_program("qemu-img")
    (tmp_path / "qemu-img").chmod(0o755)
    assert find_program("qemu-img") == str(tmp_path / "qemu-img")
