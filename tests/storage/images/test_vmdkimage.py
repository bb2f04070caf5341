"""Whole VMDKs: extents, parents, what is kept, and what is refused because qemu would read it otherwise."""

import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.machines.formats import ImageForm, convert, snapshot_child
from tests.storage.imagekit import create, digest, patch, qemu_img, qemu_io, real
from tests.storage.images.test_vmdk import text

from bootgraft.errors import BootgraftError, ImageError
from bootgraft.storage.images import vmdksparse
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.opening import ImageFormat, ImageInfo, identify, open_image

REAL_CONTENT = "a3bcf05f"  # of the disk that VMware wrote as monolithicSparse and as twoGbMaxExtentSparse


def split(folder: Path, size: object = "8M") -> Path:
    return create(folder / "disk.vmdk", "vmdk", size, subformat="twoGbMaxExtentSparse")


def child_of(parent: Path) -> Path:
    path = parent.with_name("child.vmdk")
    qemu_img("create", "-q", "-f", "vmdk", "-b", parent.name, "-F", "vmdk", path)
    return path


def test_real_disks_hold_the_same_in_both_sparse_types(tmp_path: Path) -> None:
    whole = real("vmdk/strozfriedberg/monolithicSparse.vmdk", tmp_path)
    parts = real("vmdk/strozfriedberg/twoGbMaxExtentSparse.vmdk", tmp_path)
    extent = real("vmdk/strozfriedberg/twoGbMaxExtentSparse-s001.vmdk", tmp_path)
    infos = [identify(str(path)) for path in (whole, parts)]
    assert [info.subformat for info in infos] == ["monolithicSparse", "twoGbMaxExtentSparse"]
    assert infos[1].files == (parts, extent)
    for info in infos:
        assert info.read_only_reason is None
        with open_image(info, writable=False) as image:
            assert digest(image.device.read(0, image.device.size)).startswith(REAL_CONTENT)


def test_a_real_esxi_disk_opens_and_its_snapshot_says_what_is_missing(tmp_path: Path) -> None:
    disk = real("vmdk/strozfriedberg/vmfs_thick.vmdk", tmp_path)
    flat = real("vmdk/strozfriedberg/vmfs_thick-flat.vmdk", tmp_path)
    snapshot = real("vmdk/strozfriedberg/vmfs_thick-000001.vmdk", tmp_path)
    for path, form in ((disk, "vmfs"), (flat, "")):
        info = identify(str(path))
        assert (info.subformat, info.read_only_reason) == (form, None)
        with open_image(info, writable=True) as image:
            assert image.device.read(0, image.device.size) == flat.read_bytes()
    with pytest.raises(ImageError, match=r"000001-delta.*missing"):
        identify(str(snapshot))


@pytest.mark.parametrize("form", [ImageForm.VMFS_SPARSE, ImageForm.SE_SPARSE, ImageForm.STREAM_OPTIMIZED])
def test_what_cannot_be_written_is_read_and_says_so(tmp_path: Path, form: ImageForm) -> None:
    raw = tmp_path / "disk.raw"
    raw.write_bytes(bytes(2**20) + b"\xa5" * 2**20 + bytes(2**20))
    info = identify(str(convert(raw, form, tmp_path / "out")))
    assert info.read_only_reason is not None
    assert form in info.read_only_reason
    with open_image(info, writable=False) as image:
        assert image.device.read(0, image.device.size) == raw.read_bytes()


def test_real_stream_optimized_version_3(tmp_path: Path) -> None:
    info = identify(str(real("vmdk/qemu-iotests/iotest-version3.vmdk.bz2", tmp_path)))
    assert (info.subformat, info.size) == ("streamOptimized", 16 * 2**30)
    assert info.read_only_reason is not None


def test_a_fuzzed_vmdk_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        identify(str(real("vmdk/qemu-iotests/afl9.vmdk.bz2", tmp_path)))


@pytest.mark.parametrize("subformat", ["monolithicSparse", "twoGbMaxExtentSparse"])
def test_what_is_preserved_is_what_qemu_changes_first(tmp_path: Path, subformat: str) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat=subformat)
    info = identify(str(disk))
    before = disk.read_bytes()
    (kept,) = info.preserved
    assert kept.data == before[kept.offset : kept.offset + len(kept.data)]
    assert b"CID=" in kept.data
    assert qemu_io(disk, "vmdk", "write -P 1 0 512").returncode == 0
    after = disk.read_bytes()
    assert after[kept.offset : kept.offset + len(kept.data)] != kept.data
    patch(disk, kept.offset, kept.data)
    if subformat == "twoGbMaxExtentSparse":
        os.truncate(disk, len(before))  # qemu padded it, and its new CID may have more digits than the old one
        assert disk.read_bytes() == before
    assert identify(str(disk)).preserved[0].data.rstrip(b"\0") == kept.data.rstrip(b"\0")
    assert "verification failed" not in qemu_io(disk, "vmdk", "read -P 1 0 512").stdout


def test_an_image_changed_since_it_was_identified_is_not_written(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk")
    info = identify(str(disk))
    qemu_io(disk, "vmdk", "write 0 512")
    with pytest.raises(ImageError, match="changed by another program"):
        open_image(info, writable=True)


def test_an_extent_alone_is_refused_with_what_to_give(tmp_path: Path) -> None:
    split(tmp_path)
    raw = tmp_path / "disk.raw"
    raw.write_bytes(bytes(2**20))
    for form in (ImageForm.VMFS_SPARSE, ImageForm.SE_SPARSE):
        convert(raw, form, tmp_path)
    for name in ("disk-s001.vmdk", "disk-delta.vmdk", "disk-sesparse.vmdk"):
        with pytest.raises(ImageError, match=r"one extent of a VMDK.*Give the descriptor"):
            identify(str(tmp_path / name))


def test_a_missing_extent_is_named(tmp_path: Path) -> None:
    disk = split(tmp_path)
    (tmp_path / "disk-s001.vmdk").unlink()
    with pytest.raises(ImageError, match=r"'disk-s001\.vmdk' is missing"):
        identify(str(disk))


@pytest.mark.parametrize("form", ["monolithicFlat", "twoGbMaxExtentSparse"])
def test_a_descriptor_that_names_a_file_elsewhere_is_refused(tmp_path: Path, form: str) -> None:
    inside, outside = tmp_path / "vm", tmp_path / "elsewhere"
    inside.mkdir()
    outside.mkdir()
    disk = create(inside / "disk.vmdk", "vmdk", subformat=form)
    (extent,) = (path for path in inside.iterdir() if path != disk)
    extent.rename(outside / extent.name)
    original = disk.read_text()
    for name in (f"../elsewhere/{extent.name}", str(outside / extent.name)):
        disk.write_text(original.replace(extent.name, name))
        with pytest.raises(ImageError, match=f"outside its own folder.*--allow-path {outside}"):
            identify(str(disk))
        for allowed in (outside, outside / extent.name):
            assert identify(str(disk), allow_paths=[allowed]).files == (disk, outside / extent.name)
    disk.write_text(original)
    extent.symlink_to(outside / extent.name)
    with pytest.raises(ImageError, match="outside its own folder"):
        identify(str(disk))


@pytest.mark.parametrize("name", ["nbd:localhost:10809", "json:{}", "http://host/x"])
def test_a_protocol_is_no_file_name(tmp_path: Path, name: str) -> None:
    disk = tmp_path / "disk.vmdk"
    disk.write_text(text(f'RW 4096 FLAT "{name}" 0'))
    with pytest.raises(ImageError, match="network address"):
        identify(str(disk))


def test_an_image_given_by_a_link_has_the_folder_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "vm").mkdir()
    disk = split(tmp_path / "vm")
    link = tmp_path / "link.vmdk"
    link.symlink_to(disk)
    info = identify(str(link))
    assert (info.location, info.files[0]) == (str(link), disk)


def test_a_sparse_extent_of_no_sectors_is_refused(tmp_path: Path) -> None:
    """qemu would take the text embedded in it for a descriptor, which could name any file."""
    disk = split(tmp_path)
    patch(tmp_path / "disk-s001.vmdk", 12, bytes(8))
    with pytest.raises(ImageError, match="0 sectors"):
        identify(str(disk))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# Extent description\n", "\n", "read that extent twice"),
        ("RW 16384 SPARSE", "RDONLY 16384 SPARSE", "leave out"),
        ("RW 16384 SPARSE", "RW 16 ZERO\nRW 16384 SPARSE", "leave out"),
        ("RW 16384 SPARSE", "RW 16 SPARSE", "which says it has 16384"),
        ("SPARSE", "SESPARSE", "not the SESPARSE extent"),
        ("twoGbMaxExtentSparse", "custom", "qemu cannot read a VMDK of type 'custom'"),
        ('"disk-s001.vmdk"', '"disk.vmdk"', "names itself"),
        ('"disk-s001.vmdk"', '"disk-s001.vmdk" 5', "gives an offset"),
    ],
)
def test_what_qemu_would_misread_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    disk = split(tmp_path)
    disk.write_text(disk.read_text().replace(old, new))
    with pytest.raises(ImageError, match=says):
        identify(str(disk))


def test_an_extent_nobody_may_access(tmp_path: Path) -> None:
    disk = tmp_path / "disk.vmdk"
    disk.write_text(text('NOACCESS 4096 FLAT "a" 0'))
    with pytest.raises(ImageError, match="NOACCESS"):
        identify(str(disk))


@pytest.mark.parametrize(("offset", "value", "says"), [(72, b"\1", "not closed cleanly"), (4, b"\3", "version 3")])
def test_an_extent_that_is_not_safe_to_write(tmp_path: Path, offset: int, value: bytes, says: str) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk")
    patch(disk, offset, value)
    info = identify(str(disk))
    assert info.read_only_reason is not None
    assert says in info.read_only_reason
    open_image(info, writable=False).close()


def test_a_long_descriptor_is_not_written_by_qemu(tmp_path: Path) -> None:
    disk = split(tmp_path)
    disk.write_text(disk.read_text() + "# long\n" * 2000)
    info = identify(str(disk))
    assert info.read_only_reason is not None
    assert "damage its descriptor" in info.read_only_reason


def test_changed_block_tracking_is_noted(tmp_path: Path) -> None:
    (tmp_path / "disk-flat.vmdk").write_bytes(bytes(4096 * 512))
    disk = tmp_path / "disk.vmdk"
    disk.write_text(text(extra='changeTrackPath="disk-ctk.vmdk"'))
    (note,) = identify(str(disk)).notes
    assert "disk-ctk.vmdk" in note


@pytest.mark.parametrize("length", [0, 1, 511, 1000, 20_000])
def test_a_truncated_sparse_disk_is_refused(tmp_path: Path, length: int) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk")
    disk.write_bytes(disk.read_bytes()[:length])
    with pytest.raises(ImageError):
        identify(str(disk), format=ImageFormat.VMDK)


def test_a_short_flat_extent_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat="monolithicFlat")
    with (tmp_path / "disk-flat.vmdk").open("r+b") as file:
        file.truncate(2**20)
    with pytest.raises(ImageError, match="cut short"):
        identify(str(disk))


def test_a_read_only_descriptor_of_a_flat_disk_does_not_matter(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk", subformat="monolithicFlat")
    disk.chmod(0o444)
    assert identify(str(disk)).read_only_reason is None
    (tmp_path / "disk-flat.vmdk").chmod(0o444)
    reason = identify(str(disk)).read_only_reason
    assert reason is not None
    assert "disk-flat.vmdk is marked read-only" in reason


def chained(info: ImageInfo) -> list[str]:
    return [path.name for path, _ in info.chain]


@pytest.mark.parametrize("subformat", ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse"])
def test_a_snapshot_reads_through_its_parents(tmp_path: Path, subformat: str) -> None:
    base = create(tmp_path / "base.vmdk", "vmdk", subformat=subformat)
    qemu_io(base, "vmdk", "write -P 1 0 1M")
    middle = snapshot_child(base, tmp_path, "middle")
    qemu_io(middle, "vmdk", "write -P 2 0 64k")
    top = snapshot_child(middle, tmp_path, "top")
    info = identify(str(top))
    assert chained(info) == ["middle.vmdk", "base.vmdk"]
    assert info.read_only_reason is None
    assert set(info.backing) == {path for path in tmp_path.iterdir() if path != top}
    before = {path: path.read_bytes() for path in info.backing}
    with open_image(info, writable=True) as image:
        assert image.device.read(0, 2**20) == b"\2" * 65536 + b"\1" * (2**20 - 65536)
        image.device.write(512, b"\3" * 512)
        image.device.flush()
    assert {path: path.read_bytes() for path in info.backing} == before
    assert "verification failed" not in qemu_io(top, "vmdk", "read -P 3 512 512", "read -P 2 0 512").stdout


@pytest.mark.parametrize("hint", ["C:\\VMs\\old\\base.vmdk", "/vmfs/volumes/5a-1b/vm/base.vmdk", "old/base.vmdk"])
def test_a_hint_of_another_machine_leads_to_the_folder(tmp_path: Path, hint: str) -> None:
    base = create(tmp_path / "base.vmdk", "vmdk")
    qemu_io(base, "vmdk", "write -P 1 0 1M")
    child = child_of(base)
    content = child.read_bytes()
    longer = content.replace(b'"base.vmdk"', b'"' + hint.encode() + b'"', 1)
    grown = len(longer) - len(content)
    child.write_bytes(longer[: 512 + 10240] + longer[512 + 10240 + grown :])
    info = identify(str(child))
    assert chained(info) == ["base.vmdk"]
    with open_image(info, writable=False) as image:
        assert image.device.read(0, 512) == b"\1" * 512


def test_a_missing_or_forbidden_parent_is_named(tmp_path: Path) -> None:
    (tmp_path / "vm").mkdir()
    base = create(tmp_path / "vm" / "base.vmdk", "vmdk")
    child = child_of(base)
    base.rename(tmp_path / "base.vmdk")
    with pytest.raises(ImageError, match=r"on top of 'base\.vmdk', which is missing"):
        identify(str(child))
    patch(child, 512, child.read_bytes()[512:2000].replace(b'"base.vmdk"', b'"../base.vmdk"')[:1488])
    with pytest.raises(ImageError, match=r"outside its own folder.*--allow-path"):
        identify(str(child))
    assert chained(identify(str(child), allow_paths=[tmp_path])) == ["base.vmdk"]


def test_a_parent_changed_after_the_snapshot_is_refused(tmp_path: Path) -> None:
    base = create(tmp_path / "base.vmdk", "vmdk")
    child = child_of(base)
    qemu_io(base, "vmdk", "write 0 512")
    with pytest.raises(ImageError, match="changed after this snapshot"):
        identify(str(child))


def test_parents_in_a_circle_are_refused(tmp_path: Path) -> None:
    disk = tmp_path / "a.vmdk"
    lines = text(
        'RW 16384 SPARSE "a-s001.vmdk"',
        kind="twoGbMaxExtentSparse",
        parent_cid="8f67ca74",
        extra='parentFileNameHint="a.vmdk"',
    )
    split(tmp_path)
    (tmp_path / "disk-s001.vmdk").rename(tmp_path / "a-s001.vmdk")
    disk.write_text(lines)
    with pytest.raises(ImageError, match="circle"):
        identify(str(disk))


def test_a_parent_qemu_would_misread_is_refused(tmp_path: Path) -> None:
    base = create(tmp_path / "base.vmdk", "vmdk", subformat="monolithicFlat")
    child = child_of(base)
    base.write_text(base.read_text().replace("RW 16384 FLAT", "RW 8 ZERO\nRW 16376 FLAT"))
    identify(str(base))
    with pytest.raises(ImageError, match="leave out"):
        identify(str(child))


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 1100), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_a_mutated_header_is_an_error_or_an_answer(
    changes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    disk = create_once(folder)
    for offset, data in changes:
        patch(disk, offset, data)
    try:
        info = identify(str(disk))
    except BootgraftError:
        return
    assert info.size


_made: dict[str, bytes] = {}


def create_once(folder: Path) -> Path:
    path = folder / "disk.vmdk"
    if not _made:
        _made["disk"] = create(path, "vmdk").read_bytes()
    path.write_bytes(_made["disk"])
    return path


def test_a_grain_directory_outside_the_file_is_refused(tmp_path: Path) -> None:
    disk = create(tmp_path / "disk.vmdk", "vmdk")
    with ContainerFile(disk) as file:
        (directory,) = struct.unpack("<Q", file.read(56, 8, "gd"))
    patch(disk, directory * 512, struct.pack("<I", 0x7FFFFFFF))
    with pytest.raises(ImageError, match="a grain table"):
        identify(str(disk))
    patch(disk, 56, struct.pack("<Q", 2**62))
    with pytest.raises(ImageError, match="grain directory"):
        identify(str(disk))


@pytest.mark.parametrize("subformat", ["monolithicSparse", "twoGbMaxExtentSparse", "streamOptimized"])
def test_grains_beyond_the_end_of_a_copy_that_was_cut_short(tmp_path: Path, subformat: str) -> None:
    raw = tmp_path / "disk.raw"
    raw.write_bytes(bytes(2**20) + random.Random(1).randbytes(2**20) + bytes(2**20) + b"end" * 5000)
    disk = tmp_path / "disk.vmdk"
    qemu_img("convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={subformat}", raw, disk)
    assert identify(str(disk)).size == -(-raw.stat().st_size // 512) * 512
    extent = tmp_path / "disk-s001.vmdk" if subformat.startswith("two") else disk
    for cut in (70_000, 500_000):
        os.truncate(extent, extent.stat().st_size - cut)
        with pytest.raises(ImageError, match=r"cut short: it has \d+ bytes, and a part of the disk that its grain"):
            identify(str(disk))


@example([1], 2**32)
@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 2**25), max_size=40), st.integers(0, 2**33))
def test_entries_are_compared_as_numbers(entries: list[int], sectors: int) -> None:
    tables = struct.pack(f"<{len(entries)}I", *entries)
    assert vmdksparse._names_beyond(tables, sectors) == any(entry and entry >= sectors for entry in entries)


def test_grain_tables_anywhere_are_looked_at(tmp_path: Path) -> None:
    """Of a disk of 100 GB, with holes for the parts that were never written."""
    disk = create(tmp_path / "disk.vmdk", "vmdk", "100G")
    assert "write" not in qemu_io(disk, "vmdk", "write -q -P 1 99G 64k", "write -q -P 2 50G 64k").stderr
    identify(str(disk))
    os.truncate(disk, disk.stat().st_size - 65536)
    with pytest.raises(ImageError, match="cut short"):
        identify(str(disk))
