"""Disks in memory, and real ones partitioned by sfdisk and sgdisk."""

import json
import subprocess
from pathlib import Path
from typing import Any

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import check_range


class MemoryDisk(Struct):
    """A block device over a bytearray; ``reads`` counts what was asked of it."""

    data: bytearray
    reads: int = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where="memory")
        self.reads += 1
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        check_range(self, offset, len(data), where="memory")
        self.data[offset : offset + len(data)] = data

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class SparseDisk(Struct):
    """A block device over a (sparse) file."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where=str(self.path))
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def write(self, offset: int, data: bytes, /) -> None:
        check_range(self, offset, len(data), where=str(self.path))
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def sfdisk(path: Path, size: int, script: str) -> SparseDisk:
    """Make a sparse image of ``size`` bytes and partition it by sfdisk."""
    with path.open("wb") as file:
        file.truncate(size)
    command = ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--wipe", "never", str(path)]
    subprocess.run(command, input=script.encode(), check=True, capture_output=True)
    return SparseDisk(path)


def sfdisk_json(path: Path) -> dict[str, Any]:
    """What sfdisk reads from the image."""
    output = subprocess.run(["sfdisk", "--json", str(path)], check=True, capture_output=True).stdout
    table: dict[str, Any] = json.loads(output)["partitiontable"]
    return table


def sgdisk(path: Path, size: int, *arguments: str) -> SparseDisk:
    """Make a sparse image of ``size`` bytes and partition it by sgdisk."""
    with path.open("wb") as file:
        file.truncate(size)
    subprocess.run(["sgdisk", *arguments, str(path)], check=True, capture_output=True)
    return SparseDisk(path)
