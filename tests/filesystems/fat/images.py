"""FAT volumes made and judged by dosfstools, mtools and sleuthkit."""

import os
import subprocess
from pathlib import Path

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import check_range

MTOOLSRC = "mtools_skip_check=1\ndefault_codepage=437\n"


class FileDevice(Struct, frozen=True):
    """A file as a block device, read and written without any cache, so that tools see what was written."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where=str(self.path))
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), length, offset)

    def write(self, offset: int, data: bytes, /) -> None:
        check_range(self, offset, len(data), where=str(self.path))
        with self.path.open("r+b") as file:
            os.pwrite(file.fileno(), data, offset)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class MemoryDevice(Struct):
    """Bytes as a block device."""

    content: bytearray

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where="memory")
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        check_range(self, offset, len(data), where="memory")
        self.content[offset : offset + len(data)] = data

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def run(*command: str | Path, data: bytes | None = None) -> bytes:
    """Run a tool that must succeed."""
    done = subprocess.run([str(part) for part in command], input=data, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout!r} {done.stderr!r}"
    return done.stdout


def make(path: Path, *options: str, kib: int) -> Path:
    """Make a volume of ``kib`` KiB by mkfs.fat."""
    with path.open("wb") as file:
        file.truncate(kib << 10)
    run("mkfs.fat", "-i", "12345678", *options, path)
    return path


def mtools(image: Path, tool: str, *arguments: str, data: bytes | None = None) -> bytes:
    """Run one of the mtools on a volume; ``::/`` is its root."""
    config = image.parent / "mtoolsrc"
    config.write_text(MTOOLSRC)
    environment = {**os.environ, "MTOOLSRC": str(config), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [tool, "-i", str(image), *arguments], input=data, capture_output=True, check=False, env=environment
    )
    assert done.returncode == 0, f"{tool} {arguments}: {done.stdout!r} {done.stderr!r}"
    return done.stdout


def put(image: Path, target: str, data: bytes) -> None:
    """Store a file by mcopy."""
    mtools(image, "mcopy", "-o", "-", f"::{target}", data=data)


def get(image: Path, target: str) -> bytes:
    """Read a file by mtype."""
    return mtools(image, "mtype", f"::{target}")


def assert_consistent(image: Path) -> None:
    """Let fsck.fat look for faults."""
    done = subprocess.run(["fsck.fat", "-n", "-v", str(image)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode("latin-1")
