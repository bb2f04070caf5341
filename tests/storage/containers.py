"""Images of every format with a repair to commit, and what qemu-img says of them."""

import random
import subprocess
from pathlib import Path
from typing import Any

from tests.storage.journal_machine import noise

from bootgraft.events import silent
from bootgraft.storage.devices.overlay import Overlay
from bootgraft.storage.images.opening import OpenImage, identify, open_image
from bootgraft.storage.journal.commit import commit
from bootgraft.storage.journal.journalsearch import new_journal_path, require_journal, require_no_unfinished
from bootgraft.storage.journal.lostends import restore_ends
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction
from bootgraft.storage.journal.undo import undo

MIB = 2**20
SIZE = 24 * MIB
FORMATS = {
    "raw": ("raw", ""),
    "vmdk-sparse": ("vmdk", "subformat=monolithicSparse"),
    "vmdk-2gb-sparse": ("vmdk", "subformat=twoGbMaxExtentSparse"),
    "vmdk-flat": ("vmdk", "subformat=monolithicFlat"),
    "vmdk-2gb-flat": ("vmdk", "subformat=twoGbMaxExtentFlat"),
    "vhd-dynamic": ("vpc", "subformat=dynamic,force_size=on"),
    "vhd-fixed": ("vpc", "subformat=fixed,force_size=on"),
    "vhdx": ("vhdx", "subformat=dynamic"),
    "vhdx-fixed": ("vhdx", "subformat=fixed"),
    "vdi": ("vdi", ""),
    "vdi-static": ("vdi", "static=on"),
    "qcow2": ("qcow2", ""),
}
GROWING = ["vmdk-sparse", "vmdk-2gb-sparse", "vhd-dynamic", "vhdx", "vdi", "qcow2"]
# Into allocated clusters, next to them, and into clusters that nobody has written yet.
CHANGES = {
    512: noise(11, 512),
    MIB + 4096: noise(12, 4096),
    3 * MIB - 512: noise(13, 1024),
    8 * MIB + 512: noise(14, 512),
    8 * MIB + 8192: noise(15, 512),
    12 * MIB: noise(16, 2 * MIB),
    20 * MIB + 5 * 512: bytes([0xFF]) * 8192,
}


def content_before() -> bytes:
    content = bytearray(SIZE)
    content[:512] = noise(1, 512)
    content[MIB : 3 * MIB] = random.Random(2).randbytes(2 * MIB)
    return bytes(content)


BEFORE = content_before()


def content_after() -> bytes:
    content = bytearray(BEFORE)
    for offset, data in CHANGES.items():
        content[offset : offset + len(data)] = data
    return bytes(content)


AFTER = content_after()


def changed(image: OpenImage) -> DiskTransaction:
    overlay = Overlay(image.device)
    for offset, data in CHANGES.items():
        overlay.write(offset, data)
    return DiskTransaction(image, overlay, ((0, 4096), (MIB, 4096)))


def commit_changes(image: OpenImage) -> None:
    commit(Transaction((changed(image),), "changes"), journal=new_journal_path([image.info.location]))


class Container:
    """An image of one format, and what qemu-img says of it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.driver, options = FORMATS[kind]
        self.folder = folder
        self.image = folder / f"disk.{self.driver}"
        raw = folder.parent / "source.raw"
        raw.write_bytes(BEFORE)
        folder.mkdir()
        extra = ["-o", options] if options else []
        command = ["qemu-img", "convert", "-f", "raw", "-O", self.driver, *extra, str(raw), str(self.image)]
        subprocess.run(command, check=True)
        self.descriptors = self.preserved()

    @classmethod
    def built_on_another(cls, folder: Path, driver: str, *options: str) -> "Container":
        """An image of one sector over its parent, which has the content."""
        parent = cls(folder, driver if driver == "qcow2" else "vmdk-sparse")
        base = parent.image.rename(folder / f"base.{driver}")
        over = ["-b", str(base), "-F", driver, *options]
        subprocess.run(["qemu-img", "create", "-q", "-f", driver, *over, str(parent.image)], check=True)
        # Zeros over zeros: a table of its own, as every such image in use has.
        subprocess.run(["qemu-io", "-f", driver, "-c", "write -q -P 0 23M 512", str(parent.image)], check=True)
        parent.descriptors = parent.preserved()
        return parent

    @property
    def location(self) -> str:
        return str(self.image)

    def preserved(self) -> list[tuple[Path, int, bytes]]:
        return [(item.path, item.offset, item.data) for item in identify(self.location).preserved]

    def open(self, *, pending_log_ok: bool = False) -> OpenImage:
        return open_image(identify(self.location, pending_log_ok=pending_log_ok), writable=True)

    def content(self) -> bytes:
        """The disk's bytes, read by qemu-img, not by us."""
        out = self.folder.parent / "out.raw"
        force = ",force_size_calc=current_size" if self.driver == "vpc" else ""
        options = f"driver={self.driver},file.driver=file,file.filename={self.image}{force}"
        subprocess.run(["qemu-img", "convert", "--image-opts", "-O", "raw", options, str(out)], check=True)
        return out.read_bytes()

    def check(self) -> None:
        """qemu-img check knows neither raw nor VHD: a VHD must at least end with its footer."""
        if self.driver == "vpc":
            assert self.image.read_bytes()[-512:].startswith(b"conectix")
        elif self.driver != "raw":
            check = ["qemu-img", "check", "-f", self.driver, str(self.image)]
            result = subprocess.run(check, capture_output=True, text=True, check=False)
            assert result.returncode == 0 or "does not support checks" in result.stderr, result.stdout + result.stderr
        assert self.preserved() == self.descriptors, "a child disk would no longer open"

    def commit(self, image: OpenImage) -> None:
        commit_changes(image)

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.iterdir()}

    def restore(self, files: dict[Path, bytes]) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        for path, data in files.items():
            path.write_bytes(data)

    def recover(self, work: Any) -> None:
        """Take the repair back or finish it, and see that all is as it should be."""
        journal = require_journal([self.location])
        restore_ends(journal, [self.location], monitor=silent)
        with self.open(pending_log_ok=True) as image:
            work([image], journal)
        require_no_unfinished([self.location])
        assert self.content() == (BEFORE if work is undo else AFTER)
        self.check()
