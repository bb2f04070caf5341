"""Images made by qemu-img, and the shared real ones, for the tests of formats, locks and children."""

import bz2
import gzip
import hashlib
import subprocess
from pathlib import Path

import pytest

from bootgraft.storage.images.container import ContainerFile

REAL = Path(__file__).resolve().parents[3] / "shared" / "testdata" / "disk-images"


def qemu_img(*arguments: object) -> str:
    """Run qemu-img; its output."""
    command = ["qemu-img", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def create(path: Path, driver: str, size: object = "8M", **options: str) -> Path:
    """Make an empty image."""
    chosen = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    qemu_img("create", "-q", "-f", driver, *chosen, path, size)
    return path


def qemu_io(path: Path, driver: str, *commands: str, read_only: bool = False) -> subprocess.CompletedProcess[str]:
    """Run qemu-io on an image, whatever comes of it."""
    chosen = [part for command in commands for part in ("-c", command)]
    line = ["qemu-io", *(["-r"] if read_only else []), "-f", driver, *chosen, str(path)]
    return subprocess.run(line, check=False, capture_output=True, text=True)


def real(name: str, folder: Path) -> Path:
    """A writable copy of a shared real image, unpacked; the test is skipped where the test data are absent."""
    source = REAL / name
    if not source.exists():
        pytest.skip(f"no shared test data: disk-images/{name}")
    data = source.read_bytes()
    if source.suffix == ".gz":
        data = gzip.decompress(data)
    elif source.suffix == ".bz2":
        data = bz2.decompress(data)
    path = folder / (source.stem if source.suffix in (".gz", ".bz2") else source.name)
    path.write_bytes(data)
    return path


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def container(path: Path, data: bytes | None = None) -> ContainerFile:
    """Open a file's headers, first giving it a content."""
    if data is not None:
        path.write_bytes(data)
    return ContainerFile(path)


def patch(path: Path, offset: int, data: bytes) -> None:
    """Replace bytes of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
