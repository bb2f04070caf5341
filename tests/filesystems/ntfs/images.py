"""NTFS volumes made by mkntfs and the ntfs-3g driver, and judged by ntfsresize and sleuthkit."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct, field

from bootgraft.filesystems.ntfs.volume import NtfsVolume, mount_ntfs
from bootgraft.storage.devices.blockdevice import check_range

CLUSTER = 4096
TESTDATA = Path(__file__).resolve().parents[4] / "shared" / "testdata"

_ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}

Job = tuple[str, ...]


def volume_information(volume: Path) -> dict[str, str]:
    """What ntfsinfo says of a volume: ``Volume Flags``, ``Volume Version`` and so on."""
    lines = (line.partition(":") for line in run("ntfsinfo", "-f", "-m", volume).decode().splitlines())
    return {name.strip(): value.strip() for name, sign, value in lines if sign}


def is_dirty(volume: Path) -> bool:
    """Whether Windows will run chkdsk at its next start, by ntfsinfo."""
    return bool(int(volume_information(volume)["Volume Flags"].split()[0], 16) & 1)


def run(*command: str | Path) -> bytes:
    """Run a program and return its standard output; its words are in the error where it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, env=_ENVIRONMENT, check=False)
    assert done.returncode == 0, f"{command}: {(done.stdout + done.stderr).decode(errors='replace')}"
    return done.stdout


class CountingDevice(Struct):
    """A file as a block device that counts what is asked of it."""

    path: Path
    reads: list[tuple[int, int]] = field(default_factory=list)
    writes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self, offset: int, length: int, /) -> bytes:
        check_range(self, offset, length, where=str(self.path))
        self.reads.append((offset, length))
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), length, offset)

    def write(self, offset: int, data: bytes, /) -> None:
        check_range(self, offset, len(data), where=str(self.path))
        self.writes.append((offset, len(data)))
        with self.path.open("r+b") as file:
            os.pwrite(file.fileno(), data, offset)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def blank(path: Path, *, size: int = 20 << 20, label: str = "TEST") -> Path:
    """Make an empty volume."""
    with path.open("wb") as file:
        file.truncate(size)
    run("mkntfs", "-F", "-q", "-Q", "-c", str(CLUSTER), "-L", label, path)
    return path


def fill(image: Path, *jobs: Job, options: str = "") -> Path:
    """Do ``jobs`` (see fill.py) on a volume through the ntfs-3g driver."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0:
        pytest.skip("filling an NTFS volume needs root and /dev/fuse")
    work = image.with_name(image.name + ".fill")
    (work / "mount").mkdir(parents=True)
    (work / "jobs.json").write_text(json.dumps(jobs))
    script = Path(__file__).with_name("fill.py")
    run("unshare", "--mount", sys.executable, script, image, work / "jobs.json", work / "mount", options)
    shutil.rmtree(work)
    return image


def directory(path: str) -> Job:
    return "directory", path


def file(path: str, content: bytes) -> Job:
    return "file", path, content.hex()


def attribute(path: str, name: str, value: bytes) -> Job:
    return "attribute", path, name, value.hex()


def mount(image: Path, *, writable: bool = False) -> NtfsVolume:
    return mount_ntfs(CountingDevice(image), writable=writable, name="disk 0 partition 1")


def assert_consistent(image: Path) -> None:
    """ntfsresize goes through every MFT record and every cluster and compares with ``$Bitmap``."""
    run("ntfsresize", "-f", "-i", image)


def sleuthkit_files(image: Path) -> dict[str, str]:
    """Return every file and directory that sleuthkit lists, but NTFS's own: path to MFT record."""
    found = {}
    for line in run("fls", "-r", "-p", "-u", "-f", "ntfs", image).decode().splitlines():
        match = re.fullmatch(r"(\S+) (\d+)(?:-\d+-\d+)?:\t(.*)", line)
        assert match is not None, line
        if match[1] != "V/V" and int(match[2]) >= 16 and not match[3].startswith(("$Extend", "$Orphan")):
            found[match[3]] = match[2]
    return {path: record for path, record in found.items() if ":" not in path}


def sleuthkit_hashes(image: Path, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that sleuthkit extracts to ``folder`` (empty ones may lack), by its path."""
    run("tsk_recover", "-a", "-f", "ntfs", image, folder)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith("$Extend") and ":" not in path.name
    }


def sleuthkit_content(image: Path, record: str) -> bytes:
    return run("icat", "-f", "ntfs", image, record)


def sleuthkit_report(image: Path, record: str) -> str:
    return run("istat", "-f", "ntfs", image, record).decode(errors="replace")


def walk(volume: NtfsVolume, path: str = "") -> dict[str, str]:
    """Return every file's SHA-256 (empty for a directory) by its path with ``/``, as sleuthkit writes it."""
    found = {}
    for entry in volume.listdir(path or "\\"):
        child = f"{path}\\{entry.name}"
        name = child[1:].replace("\\", "/")
        if entry.is_directory:
            found[name] = ""
            found |= walk(volume, child)
        else:
            found[name] = hashlib.sha256(volume.read(child)).hexdigest()
    return found


def record_offset(image: Path, record: int, *, mirror: bool = False) -> int:
    """Where an MFT record lies, on a volume whose ``$MFT`` is one run, or its copy in ``$MFTMirr``."""
    with image.open("rb") as file:
        sector = file.read(512)
    return int(struct.unpack_from("<Q", sector, 0x38 if mirror else 0x30)[0]) * CLUSTER + record * 1024


def patch(image: Path, offset: int, data: bytes) -> None:
    with image.open("r+b") as file:
        os.pwrite(file.fileno(), data, offset)


def descriptor(rights: int) -> bytes:
    """Return a security descriptor: owned by Administrators, all to SYSTEM, ``rights`` to Users (MS-DTYP 2.4.6)."""
    system = bytes.fromhex("010100000000000512000000")
    administrators = bytes.fromhex("01020000000000052000000020020000")
    users = bytes.fromhex("01020000000000052000000021020000")
    entries = [
        struct.pack("<BBHI", 0, 0, 8 + len(sid), mask) + sid for mask, sid in ((0x1F01FF, system), (rights, users))
    ]
    acl = struct.pack("<BBHHH", 2, 0, 8 + sum(map(len, entries)), len(entries), 0) + b"".join(entries)
    owner = 0x14
    group = owner + len(administrators)
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, owner, group, 0, group + len(system))
    return head + administrators + system + acl
