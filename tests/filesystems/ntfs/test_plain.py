"""A compressed file's content is put on the volume as it is: judged by istat, ntfsinfo, ntfsresize and sleuthkit."""

import os
import random
import re
import shutil
from pathlib import Path

import pytest
from tests.filesystems.ntfs.images import (
    assert_consistent,
    attribute,
    blank,
    directory,
    file,
    fill,
    mount,
    run,
    sleuthkit_content,
    sleuthkit_files,
)
from tests.filesystems.ntfs.wof_images import compressed

from bootgraft.errors import FileSystemError, UnsafeVolumeError

TEXT = b"".join(b"line %d of a loader\r\n" % number for number in range(9000))
NOISE = random.Random(7).randbytes(150_000)
HIDDEN_SYSTEM = 0x26


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    bits = (HIDDEN_SYSTEM | 0x800).to_bytes(4, "big")
    image = fill(
        blank(folder / "volume"),
        directory("packed"),
        attribute("packed", "system.ntfs_attrib_be", (0x800).to_bytes(4, "big")),
        file("packed/ntldr", TEXT),
        file("packed/noise", NOISE),
        file("packed/tiny", b"resident"),
        attribute("packed/ntldr", "system.ntfs_attrib_be", bits),
        ("link", "packed/ntldr", "second"),
        options="compression",
    )
    return fill(image, *compressed("bootmgr", TEXT + NOISE, "LZX"), options="streams_interface=windows")


@pytest.fixture
def volume(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "volume"))


def istat(volume: Path, path: str) -> str:
    """What sleuthkit says of a file's record."""
    return run("istat", "-f", "ntfs", volume, sleuthkit_files(volume)[path].split("-")[0]).decode()


def storage_of(told: str) -> list[str]:
    """The bits of STANDARD_INFORMATION and the attributes; FILE_NAME's are as old as the name."""
    return [told[told.index("Flags: ") :].splitlines()[0], *re.findall(r"^Type: .*", told, re.MULTILINE)]


def security_of(told: str) -> list[str]:
    return re.findall(r"Security ID: .*|Owner ID: .*", told)


@pytest.mark.parametrize(
    ("path", "content"),
    [("packed/ntldr", TEXT), ("packed/noise", NOISE), ("packed/tiny", b"resident"), ("bootmgr", TEXT + NOISE)],
)
def test_the_same_content_is_stored_as_it_is(path: str, content: bytes, volume: Path) -> None:
    name, before = "\\" + path.replace("/", "\\"), istat(volume, path)
    with mount(volume, writable=True) as mounted:
        assert path == "packed/tiny" or not mounted.stat(name).is_stored_plainly
        mounted.store_plainly(name, content)
    with mount(volume) as mounted:
        entry = mounted.stat(name)
        assert (entry.is_stored_plainly, entry.attributes & 0xE00, entry.size) == (True, 0, len(content))
        assert mounted.read(name) == content
        assert sum(length for _, length in mounted.extents(name)) >= len(content)
        assert (
            next(each for each in mounted.listdir(name.rpartition("\\")[0] or "\\") if each.name == entry.name) == entry
        )
    after = istat(volume, path)
    assert not [each for each in storage_of(after) if re.search("Compressed|Sparse|(?i:reparse)", each)]
    assert security_of(after) == security_of(before) != []
    assert sleuthkit_content(volume, sleuthkit_files(volume)[path]) == content
    assert_consistent(volume)


def test_names_and_attributes_stay(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        mounted.store_plainly("\\PACKED\\NTLDR", TEXT)
    with mount(volume) as mounted:
        assert mounted.stat("\\packed\\ntldr").attributes & 0x27 == HIDDEN_SYSTEM
        assert mounted.read("\\second") == TEXT
        assert mounted.stat("\\packed").attributes & 0x800
    assert "Links: 2" in istat(volume, "second")
    assert "Flags: Hidden, System, Archive" in istat(volume, "second")


def test_another_content_of_another_size(volume: Path) -> None:
    with mount(volume, writable=True) as mounted:
        for content in (b"", b"x" * 700_000, b"short"):
            mounted.store_plainly("\\packed\\ntldr", content)
            assert mounted.read("\\packed\\ntldr") == content
    assert_consistent(volume)


def test_a_volume_without_room_is_one_clear_error(volume: Path) -> None:
    with mount(volume, writable=True) as mounted, pytest.raises(FileSystemError, match="cannot be written"):
        mounted.store_plainly("\\packed\\ntldr", bytes(1) * (30 << 20))


def test_a_volume_that_is_read_only_is_not_touched(volume: Path) -> None:
    before = volume.read_bytes()
    with mount(volume) as mounted, pytest.raises(UnsafeVolumeError):
        mounted.store_plainly("\\packed\\ntldr", TEXT)
    assert volume.read_bytes() == before


def test_what_is_kept_elsewhere_is_refused(volume: Path) -> None:
    point = b"\x1a\0\0\x90\x10\0\0\0" + bytes(16)
    fill(volume, file("cloud", b""), attribute("cloud", "system.ntfs_reparse_data", point))
    before = volume.read_bytes()
    with mount(volume, writable=True) as mounted, pytest.raises(FileSystemError, match="kept elsewhere"):
        mounted.store_plainly("\\cloud", b"x")
    assert volume.read_bytes() == before


def test_a_damaged_record_is_one_clear_error(volume: Path) -> None:
    """Whatever stands in the record of the file, it is written or refused; never a crash."""
    with mount(volume) as mounted:
        ((at, size),) = mounted.extents("\\packed\\tiny")
    chance, good = random.Random(3), volume.read_bytes()
    for _ in range(25):
        with volume.open("r+b") as image:
            image.seek(at)
            record = bytearray(good[at : at + size])
            record[chance.randrange(0x30, 0x200)] = chance.choice((0, 1, 0x7F, 0xFF))
            image.write(record)
        try:
            with mount(volume, writable=True) as mounted:
                mounted.store_plainly("\\packed\\tiny", os.urandom(9000))
        except FileSystemError:
            pass
        volume.write_bytes(good)
