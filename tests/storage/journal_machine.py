"""A machine of two small raw disks with a repair to commit, and crashes at any step that touches a file."""

import contextlib
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, field

from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.devices.overlay import Run
from bootgraft.storage.devices.rawfile import RawFile
from bootgraft.storage.fileidentity import identify_file
from bootgraft.storage.images.opening import ImageFormat, ImageInfo, OpenImage
from bootgraft.storage.journal.journaldisks import Journal
from bootgraft.storage.journal.journalsearch import require_journal
from bootgraft.storage.journal.transaction import DiskTransaction, Transaction


class FakeOverlay(Struct):
    """An overlay that is told its runs: (offset, new bytes, whether to give the run as a constant one)."""

    base: bytes
    changes: tuple[tuple[int, bytes, bool], ...]

    def runs(self) -> Iterator[Run]:
        for offset, data, constant in self.changes:
            yield Run(offset, len(data), data[0] if constant else None)

    def read(self, offset: int, length: int, /) -> bytes:
        return self.content()[offset : offset + length]

    def content(self) -> bytes:
        content = bytearray(self.base)
        for offset, data, _constant in self.changes:
            content[offset : offset + len(data)] = data
        return bytes(content)


def noise(seed: int, length: int) -> bytes:
    return random.Random(seed).randbytes(length)


class RawMachine(Struct):
    """Disks in a folder, each with its content before and the changes of one repair."""

    folder: Path
    before: dict[str, bytes] = field(default_factory=dict)
    changes: dict[str, tuple[tuple[int, bytes, bool], ...]] = field(default_factory=dict)
    witnesses: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def add(
        self, name: str, content: bytes, changes: Sequence[tuple[int, bytes, bool]], *witnesses: tuple[int, int]
    ) -> None:
        self.before[name] = content
        self.changes[name] = tuple(changes)
        self.witnesses[name] = witnesses
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    @property
    def locations(self) -> list[str]:
        return [str(self.folder / name) for name in self.before]

    @property
    def after(self) -> dict[str, bytes]:
        return {name: FakeOverlay(content, self.changes[name]).content() for name, content in self.before.items()}

    def now(self) -> dict[str, bytes]:
        return {name: (self.folder / name).read_bytes() for name in self.before}

    def restore(self) -> None:
        for name, content in self.before.items():
            (self.folder / name).write_bytes(content)

    def others(self) -> list[str]:
        """Files in the folder that are no disks."""
        names = (str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        return sorted(name for name in names if name not in self.before)

    @contextlib.contextmanager
    def open(self) -> Iterator[list[OpenImage]]:
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(open_raw(location)) for location in self.locations]

    def transaction(self, images: Sequence[OpenImage], changes: Any = None) -> Transaction:
        disks = (
            DiskTransaction(
                image,
                FakeOverlay(image.device.read(0, image.device.size), (changes or self.changes)[name]),
                self.witnesses[name],
            )
            for name, image in zip(self.before, images, strict=True)
        )
        return Transaction(tuple(disks), "driver symmpi.sys\nservice symmpi")

    def journal(self) -> Journal:
        return require_journal(self.locations)


def open_raw(location: str, *, writable: bool = True) -> OpenImage:
    path = Path(location).resolve()
    info = ImageInfo(location, ImageFormat.RAW, "", (path,), (), None, (), identities=(identify_file(path),))
    return OpenImage(info, RawFile(path, writable=writable), writable=writable)


def two_disks(folder: Path) -> RawMachine:
    machine = RawMachine(folder)
    changes = [
        (0, noise(1, SECTOR), False),
        (5 * SECTOR, noise(2, 3 * SECTOR), False),
        (16384, b"\xff" * 8192, True),
        (32768, b"\0" * 4096, False),
    ]
    machine.add("a.img", noise(3, 65536) + bytes(65536), changes, (4096, 4096), (100000, 16))
    # The second disk does not end with a whole sector, and its last bytes change.
    machine.add("b.img", bytes(8192) + noise(4, 300), [(7680, noise(5, 812), False)], (0, 100))
    return machine


class Crash(BaseException):
    """The process is dead: nothing may catch it."""


_STEPS = ("pwrite", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "posix_fallocate")


class Crasher(Struct):
    """Counts the steps that change files, and dies before step ``at``, or in the middle of it where it is a write."""

    at: int
    torn: bool = False
    count: int = 0
    happened: list[str] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        """Dead processes leave no open file and no lock."""
        real_open = os.open

        def tracked(*arguments: Any, **options: Any) -> int:
            self.opened.append(real_open(*arguments, **options))
            return self.opened[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "open", tracked)
            for name in _STEPS:
                patch.setattr(os, name, self._step(name, getattr(os, name)))
            try:
                yield
            finally:
                for descriptor in set(self.opened):
                    with contextlib.suppress(OSError):
                        os.close(descriptor)

    def _step(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            self.happened.append(name)
            if self.count > self.at + 1:
                raise Crash
            if self.count == self.at + 1:
                if self.torn and name == "pwrite":
                    descriptor, data, offset = arguments
                    real(descriptor, bytes(data)[: _torn_length(len(data))], offset)
                raise Crash
            return real(*arguments, **options)

        return step


def _torn_length(length: int) -> int:
    """How much of a write arrives: whole sectors of a disk's content, any part of the small records of a journal."""
    return length // 2 if length < SECTOR else length // 2 // SECTOR * SECTOR


def crash(at: int, work: Callable[[], object], *, torn: bool = False) -> bool:
    """Do ``work`` and die at step ``at``; False where it has no such step and came to its end."""
    crasher = Crasher(at, torn)
    with crasher.armed():
        try:
            work()
        except Crash:
            return True
    return False
