"""Damaged volumes: never a hang, never a traceback, and never more memory than the file system is worth."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import CLUSTER, blank, directory, file, fill, mount, patch, record_offset

from bootgraft.errors import BootgraftError, FileSystemError

DRIVERS = "WINDOWS/system32/drivers"
COPIES = 15


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(
        blank(tmp_path_factory.mktemp("ntfs") / "volume", size=11 << 20),
        directory(DRIVERS),
        ("files", DRIVERS, "driver with a long name {:03d}.sys", "60"),
        file(f"{DRIVERS}/atapi.sys", b"x" * 100_000),
        file("small", b"resident"),
    )


@pytest.fixture
def volume(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "volume"))


def stretches(volume: Path) -> dict[str, list[tuple[int, int]]]:
    """Where the structures lie: boot sector, MFT records (system files, then the rest), mirror, index blocks."""
    raw = volume.read_bytes()
    blocks = [(at, 256) for at in range(0, len(raw), CLUSTER) if raw[at : at + 4] == b"INDX"]
    return {
        "boot": [(0, 0x54)],
        "system": [(record_offset(volume, number), 0x180) for number in range(12)]
        + [(record_offset(volume, number, mirror=True), 0x180) for number in range(4)],
        "files": [(record_offset(volume, number), 0x200) for number in (5, 64, 65, 66, 67, 127, 128)],
        "index": blocks,
        "root": [(record_offset(volume, 5) + 0x30, 0x200)],
    }


@pytest.mark.parametrize("part", ["boot", "system", "files", "index", "root"])
def test_damage_ends_in_an_error_or_in_nothing(
    original: Path, part: str, record_property: Callable[[str, object], None]
) -> None:
    """A crash of the C library is why it runs in a child process: it is counted and told, not failed."""
    script = Path(__file__).with_name("mutate.py")
    places = [f"{offset}:{length}" for offset, length in stretches(original)[part]]
    done = subprocess.run(
        [sys.executable, script, original, "1", str(COPIES), *places], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, int] = json.loads(done.stdout)
    record_property(f"outcomes {part}", outcomes)
    assert "hang" not in outcomes, done.stderr
    assert "traceback" not in outcomes, done.stderr
    assert sum(outcomes.values()) == COPIES


def test_an_index_that_goes_in_circles(volume: Path) -> None:
    """Every leaf block of the drivers' directory becomes the parent of itself; libntfs-3g alone never comes back."""
    raw = bytearray(volume.read_bytes())
    for block in [at for at in range(0, len(raw), CLUSTER) if raw[at : at + 4] == b"INDX"]:
        number, first, used, room, flags = struct.unpack_from("<QIIII", raw, block + 0x10)
        if flags or "driver with".encode("utf-16-le") not in raw[block : block + CLUSTER]:
            continue
        last = block + 0x18 + first
        while not raw[last + 0x0C] & 2:
            last += int.from_bytes(raw[last + 8 : last + 10], "little")
        struct.pack_into("<HHHHQ", raw, last + 8, 0x18, 0, 3, 0, number)
        struct.pack_into("<IIII", raw, block + 0x18, first, used + 8, room, 1)
    volume.write_bytes(raw)
    with mount(volume) as mounted:
        with pytest.raises(FileSystemError, match="goes in circles"):
            mounted.stat("\\WINDOWS\\system32\\drivers\\driver with a long name 059.syt")
        assert mounted.read("\\small") == b"resident"


def data_attribute(volume: Path, path: str) -> int:
    """Where the DATA attribute of a file with clusters lies, and its record is not fragmented."""
    raw = volume.read_bytes()
    name = path.rpartition("\\")[2].encode("utf-16-le")
    for record in range(record_offset(volume, 24), record_offset(volume, 140), 1024):
        if raw[record : record + 4] == b"FILE" and name in raw[record : record + 1024]:
            at = record + int.from_bytes(raw[record + 0x14 : record + 0x16], "little")
            while raw[at] != 0x80:
                at += int.from_bytes(raw[at + 4 : at + 8], "little")
            return at
    raise AssertionError(path)


@pytest.mark.parametrize("size", [1 << 30, 1 << 50, (1 << 63) - 1, 1 << 63, (1 << 64) - 4096])
def test_a_file_that_claims_to_be_huge(volume: Path, size: int) -> None:
    path = "\\WINDOWS\\system32\\drivers\\atapi.sys"
    patch(volume, data_attribute(volume, path) + 0x28, struct.pack("<QQQ", size, size, size))
    with mount(volume) as mounted:
        for offset, length in ((0, None), (1 << 29, 1 << 29), (0, 1 << 20), (size // 2, 4096)):
            with pytest.raises(BootgraftError):
                mounted.read(path, offset, length)
        assert mounted.read("\\small") == b"resident"


def test_a_long_file_has_to_be_read_in_pieces(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        mounted.create("\\long", b"")
    fill(volume, ("hole", "long", str(1 << 40)))
    with mount(volume) as mounted:
        with pytest.raises(FileSystemError, match="more than can be read at once"):
            mounted.read("\\long")
        assert mounted.read("\\long", 1 << 39, 4096) == bytes(4096)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 4096, 100_000, 5 << 20])
def test_a_truncated_volume(volume: Path, size: int, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(volume.read_bytes()[:size])
    with pytest.raises(FileSystemError), mount(short) as mounted:
        mounted.read("\\WINDOWS\\system32\\drivers\\atapi.sys")
