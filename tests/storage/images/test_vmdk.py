"""VMDK descriptors: real ones, every extent type, and text that two readers could read in two ways."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.imagekit import REAL, qemu_img

from bootgraft.errors import ImageError
from bootgraft.storage.images.vmdk import (
    MAX_DESCRIPTOR,
    NO_PARENT,
    Access,
    Descriptor,
    ExtentType,
    VmdkExtent,
    parse_descriptor,
)

TEMPLATE = """# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=8f67ca74
parentCID={parent_cid}
createType="{kind}"
{extra}
# Extent description
{extents}

# The Disk Data Base
#DDB

ddb.adapterType = "lsilogic"
ddb.longContentID = "4b98b55ba6a6bc2e8fd6eb368f67ca74"
"""


def text(
    extents: str = 'RW 4096 FLAT "disk-flat.vmdk" 0',
    *,
    kind: str = "monolithicFlat",
    parent_cid: str = "ffffffff",
    extra: str = "",
) -> str:
    """A descriptor's text."""
    return TEMPLATE.format(extents=extents, kind=kind, parent_cid=parent_cid, extra=extra)


def parse(content: str | bytes) -> Descriptor:
    return parse_descriptor(content.encode() if isinstance(content, str) else content, name="disk.vmdk")


def size_by_qemu(disk: Path) -> int:
    return int(json.loads(qemu_img("info", "--output=json", "-f", "vmdk", disk))["virtual-size"])


def test_reads_every_field() -> None:
    found = parse(
        text(
            'RW 63 FLAT "a.vmdk" 8\nRDONLY 5 VMFS "b.vmdk"\nNOACCESS 7 ZERO\nRW 9 SPARSE "c d.vmdk"\n'
            '\tRW  10\tVMFSSPARSE  "e.vmdk"\r\nRW 11 SESPARSE "f.vmdk"',
            kind="custom",
            parent_cid="0172e8a4",
            extra='parentFileNameHint="/vmfs/volumes/a=b/base.vmdk"\nchangeTrackPath="disk-ctk.vmdk"',
        )
    )
    assert (found.create_type, found.cid, found.parent_cid) == ("custom", 0x8F67CA74, 0x0172E8A4)
    assert found.parent_hint == "/vmfs/volumes/a=b/base.vmdk"
    assert found.change_tracking == "disk-ctk.vmdk"
    assert found.extents == (
        VmdkExtent(Access.WRITE, 63, ExtentType.FLAT, "a.vmdk", 8),
        VmdkExtent(Access.READ, 5, ExtentType.VMFS, "b.vmdk", 0),
        VmdkExtent(Access.NONE, 7, ExtentType.ZERO, None, 0),
        VmdkExtent(Access.WRITE, 9, ExtentType.SPARSE, "c d.vmdk", 0),
        VmdkExtent(Access.WRITE, 10, ExtentType.VMFS_SPARSE, "e.vmdk", 0),
        VmdkExtent(Access.WRITE, 11, ExtentType.SE_SPARSE, "f.vmdk", 0),
    )
    assert found.sectors == 105


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_reads_either_line_end_and_padding(newline: str) -> None:
    found = parse(text().replace("\n", newline).encode() + bytes(2000) + b"RW junk")
    assert found.extents[0].name == "disk-flat.vmdk"
    assert found.parent_cid == NO_PARENT


def test_reads_real_descriptors() -> None:
    paths = [path for path in REAL.glob("vmdk/strozfriedberg/*.vmdk") if path.stat().st_size < 10000]
    if not paths:
        pytest.skip("no shared test data: disk-images/vmdk/strozfriedberg")
    kinds = {parse(path.read_bytes()).create_type for path in paths}
    assert kinds == {"monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse", "vmfs", "vmfsSparse"}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (text().replace("createType", "creatType"), "no createType"),
        (text(""), "no extents"),
        (text('RW 4096 FLAT "disk-flat.vmdk'), "does not name a file"),
        (text("RW 4096 FLAT"), "does not name a file"),
        (text('RW 4096 FLAT ""'), "does not name a file"),
        (text('RW 4096 FLAT "a\rb"'), "does not name a file"),
        (text(f'RW 4096 FLAT "{"x" * 501}"'), "does not name a file"),
        (text("RW"), "not an extent"),
        (text('RW -1 FLAT "a"'), "not an extent"),
        (text('RW 0 FLAT "a"'), "cannot be"),
        (text('RW 999999999999999999 FLAT "a"'), "cannot be"),
        (text('RW 1 FLAT "a" 999999999999999999'), "cannot be"),
        (text('RW 1 BOGUS "a"'), "type BOGUS"),
        (text("RW 1 ZERO\n" * 8193), "8193 extents"),
        (text(extra="nonsense"), "nonsense"),
        (text(extra='createType="vmfs"'), "createType is there twice"),
        (text(extra="CID=1"), "CID is there twice"),
        (text(extra='# parentFileNameHint="/etc/shadow"'), "in a comment"),
        (text(extra='parentFileNameHint="/etc/shadow"'), "denies"),
        (text(parent_cid="12345678"), "denies"),
        (text(parent_cid="zz"), "hexadecimal"),
        (text(parent_cid="123456789"), "hexadecimal"),
        (text().replace("CID=8f67ca74", "#CID=8f67ca74"), "comment"),
        (text().replace("version=1", "version=1 CID=1"), "comment"),
        ("x" * (MAX_DESCRIPTOR + 1), "longer than"),
        ("", "no createType"),
    ],
)
def test_bad_text_is_one_clear_error(bad: str, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        parse(bad)


@pytest.mark.parametrize("line", ["a" + " " * 900_000 + "b", "RW " + " " * 900_000, "RW 1 FLAT " + '"' * 900_000])
def test_no_line_takes_long(line: str) -> None:
    with pytest.raises(ImageError):
        parse(line)


@settings(max_examples=300, deadline=None)
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=300).map(lambda value: value.encode("utf-8"))))
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    for whole in (content, text().encode() + content, text(content.decode("latin-1")).encode("latin-1")):
        try:
            parse(whole)
        except ImageError as error:
            assert "disk.vmdk" in error.where  # noqa: PT017 - whether it raises depends on the bytes


_NAME = st.text(st.characters(codec="latin-1", exclude_characters='"\x7f', min_codepoint=0x20), min_size=1, max_size=40)
_EXTENTS = st.lists(st.tuples(st.integers(1, 2**31), _NAME, st.integers(0, 2**31)), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(extents=_EXTENTS)
def test_extents_come_back_as_written(extents: list[tuple[int, str, int]]) -> None:
    lines = "\n".join(f'RW {sectors} FLAT "{name}" {offset}' for sectors, name, offset in extents)
    found = [(extent.sectors, extent.name, extent.offset) for extent in parse(text(lines, kind="custom")).extents]
    keywords = ("CID", "createType", "parentFileNameHint")
    assert any(word in lines for word in keywords) or found == extents


def test_qemu_reads_an_extent_twice_after_a_blank_line(tmp_path: Path) -> None:
    """The reason for ``blank_before_extent``; should qemu repair it, the refusal can go."""
    (tmp_path / "disk-flat.vmdk").write_bytes(bytes(4096 * 512))
    disk = tmp_path / "disk.vmdk"
    disk.write_text(text().replace("# Extent description\n", "\n"))
    assert parse(disk.read_bytes()).blank_before_extent
    assert size_by_qemu(disk) > 4096 * 512
    disk.write_text(text())
    assert not parse(disk.read_bytes()).blank_before_extent
    assert size_by_qemu(disk) == 4096 * 512


@settings(max_examples=25, deadline=None)
@given(noise=st.text(alphabet=' \t\r\nRWZEOFLAT"019#=-', max_size=40))
def test_where_we_accept_a_descriptor_qemu_sees_the_same_size(
    noise: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "disk-flat.vmdk").write_bytes(bytes(4096 * 512))
    disk = folder / "disk.vmdk"
    disk.write_text(text(extra=noise), newline="")
    try:
        found = parse(disk.read_bytes())
    except ImageError:
        return
    odd = any(extent.access is not Access.WRITE or extent.type is not ExtentType.FLAT for extent in found.extents)
    if odd or found.blank_before_extent:
        return
    try:
        size = size_by_qemu(disk)
    except subprocess.CalledProcessError:
        return
    assert size == found.sectors * 512
