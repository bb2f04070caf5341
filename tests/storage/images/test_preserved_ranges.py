"""Container bytes are put back exactly, and nowhere but where the image has its descriptor."""

from pathlib import Path

import pytest

from bootgraft.errors import ImageError, JournalError
from bootgraft.storage.fileidentity import identify_file
from bootgraft.storage.images.imageinfo import PreservedRange
from bootgraft.storage.images.opening import FileRange, ImageFormat, ImageInfo
from bootgraft.storage.images.preserved_ranges import check_kept, kept_bytes, restore_kept


def vmdk(folder: Path, content: bytes, *, offset: int, length: int) -> ImageInfo:
    path = folder / "a.vmdk"
    path.write_bytes(content)
    extent = folder / "a-s001.vmdk"
    extent.write_bytes(b"extent")
    kept = FileRange(path, offset, content[offset : offset + length])
    files = (extent, path)
    identities = tuple(identify_file(each) for each in files)
    return ImageInfo(str(path), ImageFormat.VMDK, "x", files, (), None, (kept,), identities=identities)


def test_a_descriptor_file_that_qemu_padded_gets_its_length_back(tmp_path: Path) -> None:
    info = vmdk(tmp_path, b"CID=1\n", offset=0, length=6)
    kept = kept_bytes(info)
    assert kept == (PreservedRange(1, 0, b"CID=1\n", ends_file=True),)
    info.files[1].write_bytes(b"CID=2\n".ljust(10240, b"\0"))
    restore_kept(info, kept)
    assert info.files[1].read_bytes() == b"CID=1\n"


def test_an_embedded_descriptor_is_restored_in_a_file_that_grew(tmp_path: Path) -> None:
    info = vmdk(tmp_path, b"KDMV....CID=1\n..data", offset=8, length=6)
    kept = kept_bytes(info)
    assert not kept[0].ends_file
    info.files[1].write_bytes(b"KDMV....CID=2\n..datamore")
    restore_kept(info, kept)
    assert info.files[1].read_bytes() == b"KDMV....CID=1\n..datamore"


def test_a_descriptor_that_somebody_changed_meanwhile_is_no_ground_to_stand_on(tmp_path: Path) -> None:
    info = vmdk(tmp_path, b"CID=1\n", offset=0, length=6)
    info.files[1].write_bytes(b"CID=9\n")
    with pytest.raises(ImageError, match="changed the descriptor"):
        kept_bytes(info)


@pytest.mark.parametrize(
    "kept",
    [
        PreservedRange(0, 8, b"CID=1\n", ends_file=False),
        PreservedRange(1, 0, b"CID=1\n", ends_file=False),
        PreservedRange(1, 8, b"CID=1\n", ends_file=True),
        PreservedRange(1, 8, b"CID=1\n..d", ends_file=False),
        PreservedRange(7, 8, b"CID=1\n", ends_file=False),
    ],
)
def test_a_journal_may_not_have_other_bytes_written(tmp_path: Path, kept: PreservedRange) -> None:
    info = vmdk(tmp_path, b"KDMV....CID=1\n..data", offset=8, length=6)
    check_kept(info, [PreservedRange(1, 8, b"CID=5\n", ends_file=False)], where="j")
    with pytest.raises(JournalError, match="does not fit"):
        check_kept(info, [kept], where="j")
