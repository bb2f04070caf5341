"""VHDX: the header in force, its log, metadata; of qemu-img and of Windows."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.imagekit import container, create, patch, qemu_img, qemu_io, real

from bootgraft.errors import BootgraftError, ImageError
from bootgraft.storage.images import vhdx
from bootgraft.storage.images.opening import ImageFormat, identify, open_image

HEADERS = (64 * 1024, 128 * 1024)


def test_crc32c_is_the_published_one() -> None:
    assert vhdx._crc32c(b"123456789") == 0xE3069283


def reseal(path: Path, offset: int, length: int, at: int, data: bytes) -> None:
    """Change bytes of a header or region table and put the right checksum in."""
    content = path.read_bytes()
    block = bytearray(content[offset : offset + length])
    block[at : at + len(data)] = data
    block[4:8] = bytes(4)
    block[4:8] = struct.pack("<I", vhdx._crc32c(bytes(block)))
    patch(path, offset, bytes(block))


def with_log(path: Path, newer: int = 0, *, entry: bool = True) -> Path:
    """Leave a VHDX as a killed writer does: a session in one header, the newer one, and an entry in the log."""
    for index, offset in enumerate(HEADERS):
        reseal(path, offset, 4096, 8, struct.pack("<Q", 100 if index == newer else 99))
    reseal(path, HEADERS[newer], 4096, 48, SESSION)
    if entry:
        (log_at,) = struct.unpack("<Q", path.read_bytes()[HEADERS[newer] + 72 :][:8])
        size = path.stat().st_size
        zeroed = b"zero" + struct.pack("<IQQQ", 0, 4096, 512 * 1024, 1)  # 4 KiB that nothing uses
        body = struct.pack("<IIQII16sQQ", 4096, 0, 1, 1, 0, SESSION, size, size) + zeroed
        patch(path, log_at, b"loge" + bytes(4) + body + bytes(4096 - 8 - len(body)))
        reseal(path, log_at, 4096, 8, b"")
    return path


SESSION = b"L" * 16


@pytest.mark.parametrize(("subformat", "expected"), [("dynamic", "dynamic"), ("fixed", "fixed")])
def test_kind_and_size(tmp_path: Path, subformat: str, expected: str) -> None:
    info = identify(str(create(tmp_path / "disk.vhdx", "vhdx", "8M", subformat=subformat)))
    assert (info.format, info.subformat, info.size) == (ImageFormat.VHDX, expected, 2**23)


@pytest.mark.parametrize("name", ["fixed", "dynamic"])
def test_real_ones_by_windows(tmp_path: Path, name: str) -> None:
    info = identify(str(real(f"vhdx/dissect/{name}.vhdx.gz", tmp_path)))
    assert (info.subformat, info.size) == (name, 10 * 2**20)
    with open_image(info, writable=False) as image:
        assert image.device.read(510, 2) == b"\x55\xaa"


@pytest.mark.parametrize("newer", [0, 1])
def test_a_log_that_waits_is_refused_with_the_way_out(tmp_path: Path, newer: int) -> None:
    disk = with_log(create(tmp_path / "disk.vhdx", "vhdx"), newer)
    before = disk.read_bytes()
    with pytest.raises(ImageError, match=r"log waits.*Hyper-V.*qemu-img check -r all .*disk\.vhdx"):
        identify(str(disk))
    assert identify(str(disk), pending_log_ok=True).read_only_reason is None
    assert disk.read_bytes() == before


def test_a_log_in_the_older_header_does_not_count(tmp_path: Path) -> None:
    disk = with_log(create(tmp_path / "disk.vhdx", "vhdx"), 0)
    reseal(disk, HEADERS[1], 4096, 8, struct.pack("<Q", 101))
    identify(str(disk))


def test_an_unsound_newer_header_does_not_count(tmp_path: Path) -> None:
    disk = with_log(create(tmp_path / "disk.vhdx", "vhdx"), 1)
    patch(disk, HEADERS[1] + 100, b"\1")
    identify(str(disk))
    patch(disk, HEADERS[0] + 100, b"\1")
    with pytest.raises(ImageError, match="neither of the two VHDX headers"):
        identify(str(disk))


def test_a_second_region_table_serves(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhdx", "vhdx")
    patch(disk, 192 * 1024 + 100, b"\1")
    assert identify(str(disk)).size == 2**23
    patch(disk, 256 * 1024 + 100, b"\1")
    with pytest.raises(ImageError, match="region tables"):
        identify(str(disk))


def metadata_at(path: Path) -> int:
    with container(path) as file:
        return vhdx._find_region(file, vhdx._METADATA_REGION, "metadata region")[0]


def differencing(folder: Path, parent: Path) -> Path:
    """A VHDX turned into a differencing one, with a parent locator: no free tool writes them."""
    child = create(folder / "child.vhdx", "vhdx")
    start = metadata_at(child)
    with container(child) as file:
        flags_at, _ = vhdx._read_metadata(file)[vhdx._FILE_PARAMETERS]
    patch(child, flags_at + 4, struct.pack("<I", 2))
    with container(parent) as file:
        linkage = "{" + vhdx.format_guid(vhdx.read_header(file).data_write_guid).lower() + "}"
    pairs = [("parent_linkage", linkage), ("relative_path", ".\\" + parent.name)]
    table, words = b"", b""
    for key, value in pairs:
        for word in (key, value):
            words += word.encode("utf-16-le")
        lengths = (2 * len(key), 2 * len(value))
        key_at = 20 + 12 * len(pairs) + len(words) - sum(lengths)
        table += struct.pack("<IIHH", key_at, key_at + lengths[0], *lengths)
    locator = bytes(16) + struct.pack("<HH", 0, len(pairs)) + table + words
    count = child.read_bytes()[start + 10]
    patch(child, start + 10, struct.pack("<H", count + 1))
    entry = vhdx._PARENT_LOCATOR + struct.pack("<IIII", 0x18000, len(locator), 4, 0)
    patch(child, start + 32 + 32 * count, entry)
    patch(child, start + 0x18000, locator)
    return child


def test_a_differencing_disk_is_refused_and_its_parent_known(tmp_path: Path) -> None:
    parent = create(tmp_path / "parent.vhdx", "vhdx")
    child = differencing(tmp_path, parent)
    with pytest.raises(ImageError, match=r"differencing VHDX.*Merge"):
        identify(str(child))
    with container(child) as file:
        locator = vhdx.read_parent(file)
    assert locator is not None
    assert locator["relative_path"] == ".\\parent.vhdx"
    with container(parent) as file:
        assert vhdx.read_parent(file) is None


@pytest.mark.parametrize("length", [8, 70_000, 200_000, 1_500_000])
def test_a_truncated_disk_is_refused(tmp_path: Path, length: int) -> None:
    disk = create(tmp_path / "disk.vhdx", "vhdx")
    disk.write_bytes(disk.read_bytes()[:length])
    with pytest.raises(ImageError):
        identify(str(disk))


@settings(max_examples=60, deadline=None)
@given(
    place=st.sampled_from(["metadata", "region", "header"]),
    at=st.integers(8, 250),
    data=st.binary(min_size=1, max_size=8),
)
def test_a_mutated_disk_is_an_error_or_an_answer(
    place: str, at: int, data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.vhdx"
    if not _made:
        create(path, "vhdx")
        _made.append(path.read_bytes()[: 4 * 2**20])
    path.write_bytes(_made[0])
    with path.open("r+b") as file:
        file.truncate(8 * 2**20)
    if place == "metadata":
        patch(path, metadata_at(path) + at, data)
    elif place == "region":
        reseal(path, 192 * 1024, 65536, at, data)
    else:
        reseal(path, HEADERS[0], 4096, at, data)
    try:
        info = identify(str(path))
    except BootgraftError:
        return
    assert info.size


_made: list[bytes] = []


def test_guids_are_written_as_windows_writes_them() -> None:
    assert vhdx.format_guid(vhdx._METADATA_REGION) == "8B7CA206-4790-4B9A-B8FE-575F050F886E"


def test_a_log_that_waits_is_what_qemu_wants_to_replay(tmp_path: Path) -> None:
    disk = with_log(create(tmp_path / "disk.vhdx", "vhdx"))
    assert "log that needs to be replayed" in qemu_io(disk, "vhdx", "read 0 512", read_only=True).stderr
    qemu_img("check", "-r", "all", disk)
    with open_image(identify(str(disk)), writable=False) as image:
        assert image.device.size == 2**23


def test_a_writable_open_replays_it(tmp_path: Path) -> None:
    disk = with_log(create(tmp_path / "disk.vhdx", "vhdx"), 1)
    with open_image(identify(str(disk), pending_log_ok=True), writable=True) as image:
        image.device.write(0, b"x" * 512)
        image.device.flush()
    assert "read 512/512" in qemu_io(disk, "vhdx", f"read -P {ord('x')} 0 512", read_only=True).stdout
    identify(str(disk))


@pytest.mark.parametrize("torn", [False, True])
def test_a_session_without_a_sound_entry_is_nothing_to_replay(tmp_path: Path, torn: bool) -> None:
    disk = with_log(create(tmp_path / "disk.vhdx", "vhdx"), entry=torn)
    if torn:
        (log_at,) = struct.unpack("<Q", disk.read_bytes()[HEADERS[0] + 72 :][:8])
        patch(disk, log_at + 4000, b"torn")
    assert "read 512/512" in qemu_io(disk, "vhdx", "read 0 512", read_only=True).stdout
    with open_image(identify(str(disk)), writable=False) as image:
        assert image.device.read(0, 512) == bytes(512)


@pytest.mark.parametrize(("written", "said"), [(512, 512), (4096, 4096), (513, None)])
def test_the_size_of_its_sectors(written: int, said: int | None, tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vhdx", "vhdx")
    with container(disk) as file:
        at, length = vhdx._read_metadata(file)[vhdx._SECTOR_SIZE]
    assert length == 4
    patch(disk, at, struct.pack("<I", written))
    assert identify(str(disk)).sector_size == said
