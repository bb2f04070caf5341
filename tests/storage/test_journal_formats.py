"""Commit, undo and resume on every format through the real qemu-nbd, also where that is killed in the middle."""

import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.storage.containers import AFTER, BEFORE, CHANGES, FORMATS, GROWING, MIB, Container
from tests.storage.journal_machine import noise

from bootgraft.confinement.server import ServerCage
from bootgraft.errors import BootgraftError, ImageError, JournalError, UsageError
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.fileidentity import FileIdentity
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.opening import identify, open_image
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.head import JournalState
from bootgraft.storage.journal.journalsearch import new_journal_path, require_journal
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction
from bootgraft.storage.journal.undo import resume, undo

pytestmark = pytest.mark.skipif(
    shutil.which("qemu-nbd") is None or shutil.which("qemu-img") is None, reason="qemu-utils is not installed"
)


def test_every_format_that_is_written_in_place_is_tried_here() -> None:
    written = {each.qemu_driver for each in ImageFormat if each.qemu_driver and not each.not_in_place}
    assert {driver for driver, _ in FORMATS.values()} == written


@pytest.mark.parametrize("kind", FORMATS)
def test_commit_and_undo(tmp_path: Path, kind: str) -> None:
    container = Container(tmp_path / "vm", kind)
    with container.open() as image:
        container.commit(image)
        assert require_journal([container.location]).state is JournalState.SEALED
    assert container.content() == AFTER
    container.check()
    container.recover(undo)
    assert not list(container.folder.glob("*bootgraft*"))


class KilledAt:
    """A device whose qemu-nbd is killed just before a write or flush."""

    def __init__(self, device: Any, at: int) -> None:
        self.device, self.left = device, at

    @property
    def size(self) -> int:
        return int(self.device.size)

    def read(self, offset: int, length: int, /) -> bytes:
        return bytes(self.device.read(offset, length))

    def write(self, offset: int, data: bytes, /) -> None:
        self._step()
        self.device.write(offset, data)

    def flush(self) -> None:
        self._step()
        self.device.flush()

    def read_back(self, offset: int, length: int, /) -> bytes:
        return bytes(self.device.read_back(offset, length))

    def opened_files(self) -> frozenset[FileIdentity]:
        return frozenset(self.device.opened_files())

    def close(self) -> None:
        self.device.close()

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(self.device.server_pid, signal.SIGKILL)


@pytest.mark.parametrize("kind", GROWING)
def test_qemu_killed_between_writes(tmp_path: Path, kind: str) -> None:
    container = Container(tmp_path / "vm", kind)
    clean = container.files()
    for at, work in ((3, undo), (9, resume)):
        container.restore(clean)
        image = container.open()
        image.device = KilledAt(image.device, at)
        with pytest.raises(JournalError, match=r"(?s)interrupted.*bootgraft undo .*--resume"):
            container.commit(image)
        image.close()
        container.recover(work)


@pytest.fixture(scope="module")
def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    if subprocess.run([program, "-f", "-qq", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    return program


@pytest.fixture
def killer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strace: str) -> Iterator[Path]:
    """A qemu-nbd that is killed at its nth system call that writes, n being what the file holds."""
    program, bin_folder = shutil.which("qemu-nbd"), tmp_path / "bin"
    bin_folder.mkdir()
    number = bin_folder / "n"
    calls = "pwrite64,pwritev,pwritev2,ftruncate,fallocate,fdatasync"
    (bin_folder / "qemu-nbd").write_text(
        f'#!/bin/sh\n[ -e {number} ] || exec {program} "$@"\n'
        f"exec {strace} -D -f -qq -o /dev/null -e trace={calls} "
        f'-e "inject={calls}:signal=KILL:when=$(cat {number})" {program} "$@"\n'
    )
    (bin_folder / "qemu-nbd").chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_folder), prepend=os.pathsep)
    monkeypatch.setattr(ServerCage, "enter", lambda _cage: None)  # there it could neither be traced nor read the number
    yield number
    number.unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["vhd-dynamic", "vhdx", "vdi"])
def test_qemu_killed_at_its_own_system_calls(tmp_path: Path, kind: str, killer: Path) -> None:
    container = Container(tmp_path / "vm", kind)
    clean = container.files()
    for at in (5, 7, 8):
        while not _commit_is_killed(container, clean, killer, at):
            at -= 1
        container.recover(undo if at == 7 else resume)


def _commit_is_killed(container: Container, clean: dict[Path, bytes], killer: Path, at: int) -> bool:
    """Whether the kill came: strace counts calls by thread, and qemu spreads its writes over as many as it likes."""
    container.restore(clean)
    killer.write_text(str(at))
    image = container.open()
    try:
        container.commit(image)
    except BootgraftError:
        return True
    finally:
        killer.unlink()
        image.close()
    return False


def crash_by_hand(container: Container) -> None:
    """Leave an unfinished journal over an image in which nothing was written yet."""
    image = container.open()
    image.device = KilledAt(image.device, 1)
    with pytest.raises(JournalError):
        container.commit(image)
    image.close()


@pytest.mark.parametrize("work", [undo, resume])
def test_a_vhd_that_lost_its_footer_gets_it_back(tmp_path: Path, work: Any) -> None:
    container = Container(tmp_path / "vm", "vhd-dynamic")
    crash_by_hand(container)
    data = container.image.read_bytes()
    container.image.write_bytes(data[:-512] + b"\xff" * 512)  # the bitmap of a new block
    with pytest.raises(ImageError, match="cut short"):
        identify(container.location)
    container.recover(work)


@pytest.mark.parametrize("work", [undo, resume])
def test_a_vdi_that_counts_one_block_too_many_is_corrected(tmp_path: Path, work: Any) -> None:
    container = Container(tmp_path / "vm", "vdi")
    crash_by_hand(container)
    data = bytearray(container.image.read_bytes())
    data[0x184] += 1
    container.image.write_bytes(data + bytes(MIB))
    with pytest.raises(AssertionError, match="allocated blocks mismatch"):
        container.check()
    container.recover(work)


def test_a_vdi_whose_blocks_do_not_lie_side_by_side_is_left_alone(tmp_path: Path) -> None:
    container = Container(tmp_path / "vm", "vdi")
    crash_by_hand(container)
    data = bytearray(container.image.read_bytes())
    (map_at,) = struct.unpack_from("<I", data, 0x154)
    last = struct.unpack_from("<I", data, 0x184)[0] - 1
    entry = map_at + 4 * [*struct.iter_unpack("<I", data[map_at : map_at + 96])].index((last,))
    data[0x184] += 2
    data[entry : entry + 4] = (last + 1).to_bytes(4, "little")  # a block below it is named by nothing
    container.image.write_bytes(data[:-MIB] + bytes(MIB) + data[-MIB:] + bytes(MIB))
    with container.open(pending_log_ok=True) as image:
        undo([image], require_journal([container.location]))
    assert container.content() == BEFORE
    assert unmapped_blocks(container.image.read_bytes()) == unmapped_blocks(data) == 2


def unmapped_blocks(vdi: bytes | bytearray) -> int:
    """Blocks that a VDI counts and its map does not name (VirtualBox, VDICore.h: cBlocks, cBlocksAllocated)."""
    (map_at,) = struct.unpack_from("<I", vdi, 0x154)
    blocks, counted = struct.unpack_from("<II", vdi, 0x180)
    entries: tuple[int, ...] = struct.unpack_from(f"<{blocks}I", vdi, map_at)
    return int(counted) - sum(1 for entry in entries if entry < 0xFFFFFFFE)


@pytest.mark.parametrize("work", [undo, resume])
def test_a_vhdx_that_names_an_empty_log_can_be_written_again(tmp_path: Path, work: Any) -> None:
    from bootgraft.storage.images import vhdx

    container = Container(tmp_path / "vm", "vhdx")
    crash_by_hand(container)
    data = bytearray(container.image.read_bytes())
    for at in (65536, 131072):
        data[at + 48 : at + 64] = noise(9, 16)
        data[at + 4 : at + 8] = bytes(4)
        data[at + 4 : at + 8] = vhdx._crc32c(bytes(data[at : at + 4096])).to_bytes(4, "little")
    container.image.write_bytes(data)
    with container.open(pending_log_ok=True) as image, pytest.raises(ImageError, match="not supported"):
        image.device.write(16 * MIB, b"x" * 512)  # what qemu does with such a disk
    container.recover(work)
    identify(container.location)


def test_a_descriptor_edited_after_the_repair_stays_so(tmp_path: Path) -> None:
    container = Container(tmp_path / "vm", "vmdk-2gb-sparse")
    with container.open() as image:
        container.commit(image)
    edited = container.image.read_bytes().replace(b'"ide"', b'"lsilogic"')
    container.image.write_bytes(edited)
    with container.open() as image:
        undo([image], require_journal([container.location]))
    assert container.image.read_bytes() == edited
    assert container.content() == BEFORE


def test_a_disk_behind_a_uri_is_journalled_where_the_user_says(tmp_path: Path) -> None:
    container = Container(tmp_path / "vm", "raw")
    with subprocess.Popen(
        [
            "qemu-nbd",
            "-t",
            "-f",
            "raw",
            "-k",
            str(tmp_path / "s"),
            "--fork",
            "--pid-file",
            str(tmp_path / "p"),
            container.location,
        ]
    ) as server:
        assert server.wait() == 0
    uri, journal = f"nbd+unix:///?socket={tmp_path / 's'}", tmp_path / "j"
    try:
        with open_image(identify(uri), writable=True) as image:
            overlay = Overlay(image.device)
            for offset, data in CHANGES.items():
                overlay.write(offset, data)
            with pytest.raises(UsageError, match="--journal PATH"):
                new_journal_path([uri])
            transaction = Transaction((DiskTransaction(image, overlay),), "changes")
            assert commit(transaction, journal=new_journal_path([uri], journal)) == journal
        assert container.image.read_bytes() == AFTER
        with pytest.raises(JournalError, match="--journal PATH"):
            require_journal([uri])
        with open_image(identify(uri), writable=True) as image:
            undo([image], require_journal([uri], journal))
        assert container.image.read_bytes() == BEFORE
        assert not journal.exists()
    finally:
        os.kill(int((tmp_path / "p").read_text()), signal.SIGTERM)
