"""Outside judges of an image: what they say is the truth that the tests compare with."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tests.machines.spec import SECTOR
from tests.machines.tools import run

_BLOCK = 1 << 16
_OF_NOTHING = hashlib.sha256(b"0").hexdigest()
"""What sha256 says of an empty file."""

# qemu-img check knows these; it has nothing to check in the others.
CHECKABLE = frozenset({"qcow2", "vdi", "vhdx", "vmdk"})

Registry = dict[str, dict[str, str]]


class TableEntry(Struct, frozen=True):
    """A partition as sfdisk sees it; ``start`` and ``size`` in bytes."""

    slot: int
    start: int
    size: int
    type: str
    active: bool


def partitions(raw: Path) -> tuple[str, tuple[TableEntry, ...]]:
    """The disk identifier and the partitions, by sfdisk. Extended partitions are among them."""
    table = json.loads(run("sfdisk", "--json", raw))["partitiontable"]
    entries = tuple(
        TableEntry(
            int(entry["node"].removeprefix(str(raw))),
            entry["start"] * SECTOR,
            entry["size"] * SECTOR,
            entry["type"],
            entry.get("bootable", False),
        )
        for entry in table.get("partitions", [])
    )
    return table["id"], entries


def sha256(path: Path) -> str:
    """A SHA-256 of a file's size and content without what is zero: the same for the same content.

    Holes are not read: images are large and nearly empty.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        found = hashlib.sha256(str(size).encode())
        for offset, block in _blocks(file, 0, size):
            found.update(offset.to_bytes(8, "little") + block)
    return found.hexdigest()


def _blocks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The blocks between two offsets that are not all zero, each with its own offset from the start."""
    zeros = bytes(_BLOCK)
    at = start
    while at < end:
        try:
            data = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but holes from here on
            return
        at += max(0, data - at) // _BLOCK * _BLOCK
        block = os.pread(file.fileno(), min(_BLOCK, end - at), at) if at < end else b""
        if block and block != zeros[: len(block)]:
            yield at - start, block
        at += _BLOCK


# Volumes. ``span`` is (offset, length) in bytes in a raw image, as BuiltMachine.span gives it.


def extract_volume(raw: Path, span: tuple[int, int], target: Path) -> Path:
    """Copy a volume out of a raw image, leaving holes for zeros."""
    offset, length = span
    with raw.open("rb") as disk, target.open("wb") as volume:
        for at, block in _blocks(disk, offset, offset + length):
            volume.seek(at)
            volume.write(block)
        volume.truncate(length)
    return target


@contextmanager
def _volume(raw: Path, span: tuple[int, int]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=raw.parent) as folder:
        yield extract_volume(raw, span, Path(folder) / "volume")


def ntfs_is_consistent(raw: Path, span: tuple[int, int]) -> str:
    """What ``ntfsresize -f -i`` says of the volume; it compares every cluster with $Bitmap. Raises ToolError if not."""
    with _volume(raw, span) as volume:
        return run("ntfsresize", "-f", "-i", "--no-progress-bar", volume).decode()


def fat_is_consistent(raw: Path, span: tuple[int, int]) -> str:
    """What ``fsck.fat -n`` says of the volume. Raises ToolError where it finds a fault."""
    with _volume(raw, span) as volume:
        return run("fsck.fat", "-n", "-v", volume).decode()


def hashes(raw: Path, span: tuple[int, int]) -> dict[str, str]:
    """The SHA-256 of every file on the volume by its path (with backslashes), read by sleuthkit's tsk_recover."""
    with tempfile.TemporaryDirectory(dir=raw.parent) as name:
        folder = Path(name)
        run("tsk_recover", "-a", "-o", str(span[0] // SECTOR), raw, folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        found = {_windows_path(path.relative_to(folder)): sha256(path) for path in files}
    return found | {path: _OF_NOTHING for path in _empty_files(raw, span) if path not in found}


def paths(raw: Path, span: tuple[int, int]) -> tuple[str, ...]:
    """The paths of all files and directories on the volume, by sleuthkit's fls."""
    return tuple(path for path, _ in _listing(raw, span))


def read_file(raw: Path, span: tuple[int, int], path: str) -> bytes:
    """A file's content by sleuthkit's icat; the path is looked up as Windows does, case apart."""
    for name, inode in _listing(raw, span):
        if name.lower() == path.lower():
            return run("icat", "-o", str(span[0] // SECTOR), raw, inode)
    raise FileNotFoundError(path)


def security_id(raw: Path, span: tuple[int, int], path: str) -> int:
    """The number of a file's security descriptor in $Secure, by sleuthkit's istat."""
    for name, inode in _listing(raw, span):
        if name.lower() == path.lower():
            report = run("istat", "-o", str(span[0] // SECTOR), raw, inode.split("-")[0]).decode()
            found = re.search(r"Security ID: (\d+)", report)
            return int(found[1]) if found else 0
    raise FileNotFoundError(path)


def attributes(raw: Path, span: tuple[int, int], path: str) -> str:
    """The attributes of a file by sleuthkit's istat, as it names them: ``Hidden, System, Archive``."""
    for name, inode in _listing(raw, span):
        if name.lower() == path.lower():
            report = run("istat", "-o", str(span[0] // SECTOR), raw, inode.split("-")[0]).decode()
            found = re.search(r"^(?:Flags|File Attributes): (.*?),? *$", report, re.MULTILINE)
            return found[1] if found else ""
    raise FileNotFoundError(path)


def _listing(raw: Path, span: tuple[int, int]) -> list[tuple[str, str]]:
    """(path, inode) of everything that is not the file system's own."""
    lines = run("fls", "-r", "-p", "-u", "-o", str(span[0] // SECTOR), raw).decode().splitlines()
    entries = []
    for line in lines:
        kind, inode, path = re.match(r"(\S+) ([\d-]+):\t(.*)", line).groups()  # type: ignore[union-attr]
        if kind[0] in "rd" and not path.startswith("$"):
            entries.append(("\\" + path.replace("/", "\\"), inode))
    return entries


def _empty_files(raw: Path, span: tuple[int, int]) -> list[str]:
    """Files of no bytes, which tsk_recover leaves out."""
    lines = run("fls", "-r", "-p", "-u", "-l", "-F", "-o", str(span[0] // SECTOR), raw).decode().splitlines()
    fields = [line.split("\t") for line in lines]
    return ["\\" + field[1].replace("/", "\\") for field in fields if field[6] == "0" and not field[1].startswith("$")]


def _windows_path(path: Path) -> str:
    return "\\" + "\\".join(path.parts)


# Hives.


def export_hive(hive: Path, key: str = "") -> Registry:
    """Key path → {value name: value in .reg notation} of everything below ``key``, by hivexregedit."""
    text = run("hivexregedit", "--export", hive, f"\\{key}").decode()
    registry: Registry = {}
    values: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        if line.startswith("["):
            values = registry.setdefault(line[1:-1].lstrip("\\"), {})
        elif line:
            name, _, data = re.match(r'("(?:[^"\\]|\\.)*"|@)(=)(.*)', line).groups()  # type: ignore[union-attr]
            values[re.sub(r"\\(.)", r"\1", name.strip('"')) if name != "@" else ""] = data
    return registry


def export_hive_of(raw: Path, span: tuple[int, int], path: str, key: str = "") -> Registry:
    """The same of a hive file on a volume."""
    with tempfile.TemporaryDirectory(dir=raw.parent) as folder:
        hive = Path(folder) / "hive"
        hive.write_bytes(read_file(raw, span, path))
        return export_hive(hive, key)


def hivexsh(hive: Path, *commands: str) -> list[str]:
    """What hivexsh prints for these commands, in lines."""
    return run("hivexsh", hive, stdin="\n".join(commands).encode() + b"\n").decode().splitlines()


def reglookup(hive: Path, path: str) -> list[str]:
    """reglookup's lines (path,type,value,time) below a path with slashes."""
    return run("reglookup", "-H", "-p", path, hive).decode().splitlines()


# Containers.


def qemu_info(image: Path, image_format: str) -> dict[str, object]:
    """What qemu-img knows of an image."""
    info: dict[str, object] = json.loads(run("qemu-img", "info", "--output=json", "-f", image_format, image))
    return info


def container_is_consistent(image: Path, image_format: str) -> str:
    """What ``qemu-img check`` says; raises ToolError where it finds a fault. Formats it cannot check pass."""
    if image_format not in CHECKABLE:
        return "not checkable"
    # 63: the variant (a flat VMDK) has nothing to check
    return run("qemu-img", "check", "-f", image_format, image, expect=(0, 63)).decode()


def to_raw(image: Path, image_format: str, target: Path) -> Path:
    """The guest-visible content as a raw file."""
    run("qemu-img", "convert", "-f", image_format, "-O", "raw", image, target)
    return target
