"""VHD, the disk format of Virtual PC and the first Hyper-V. All numbers are big-endian.

Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0.
"""

import struct

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.storage.images import hypervfiles
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Facts, FileRange, ImageInfo, ImageReader, Reach, ReadOptions

_COOKIE = b"conectix"
_FOOTER = 512
_FIELDS = struct.Struct(">8sIIQI4sI4sQQIII16s")  # up to the unique id
_CHECKSUM_AT = 64
_DYNAMIC = struct.Struct(">8sQQIIII")
_DYNAMIC_SIZE = 1024
_PARENT_ID_AT = 40
_PARENT_NAME = slice(64, 576)
_KINDS = {2: "fixed", 3: "dynamic", 4: "differencing"}
_NO_BLOCK = 0xFFFFFFFF
_MAX_BLOCKS = 2**22  # four times as many as the largest disk has in blocks of 2 MiB
_MAX_SIZE = 2040 * 2**30  # what Hyper-V and Virtual PC accept


class Footer(Struct, frozen=True):
    """A VHD's footer. ``kind`` is fixed, dynamic or differencing; ``size`` the disk's bytes by "current size"."""

    kind: str
    size: int
    header_offset: int
    unique_id: bytes


def has_footer(file: ContainerFile) -> bool:
    """Tell whether the file ends in a sound VHD footer: only that tells a fixed VHD from a raw disk."""
    data = _last_footer(file)
    return data is not None and _checksum(data) == int.from_bytes(data[_CHECKSUM_AT : _CHECKSUM_AT + 4], "big")


def read(file: ContainerFile, how: ReadOptions) -> Facts:
    """Say what a VHD is.

    What is to be opened for writing anyway may be a dynamic disk whose writer was killed while it moved the footer to
    the new end of the file: the copy at the start says the same.

    Raises:
        ImageError: it is damaged, cut short, or a differencing disk, which qemu cannot read.
    """
    copy = _copy_at_start(file) if how.end_may_lack or (how.pending_log_ok and missing_footer(file)) else None
    footer = read_footer(file) if copy is None else _parse_footer(file, copy)
    if footer.kind == "fixed":
        file.require(footer.size + _FOOTER, "the end of the disk")
    else:
        header = _read_dynamic(file, footer)
        if footer.kind == "differencing":
            raise ImageError(
                f"this is a differencing VHD, a change on top of {parent_name(header)!r}, and cannot be read by itself",
                where=file.name,
                advice="Merge it into its parent first (Hyper-V Manager: Edit Disk, Merge), and give the merged disk",
                id="image-is-snapshot",
            )
    return Facts(subformat=footer.kind, files=(file.path,), size=footer.size, notes=hypervfiles.notes(file.path))


def read_footer(file: ContainerFile) -> Footer:
    """Read the footer at the end of the file; every sound VHD has it there, whatever its kind.

    Raises:
        ImageError: there is none, or it contradicts the specification.
    """
    data = _last_footer(file)
    if data is None:
        if file.peek(0, len(_COOKIE)) == _COOKIE:  # the copy that a dynamic disk begins with
            raise file.truncated("the VHD footer")
        raise file.corrupt("the file does not end in a VHD footer")
    return _parse_footer(file, data)


def missing_footer(file: ContainerFile) -> FileRange | None:
    """Return the footer that a dynamic disk lacks, with which the file is to end; None where it lacks none.

    A writer that adds a block overwrites the footer with the block's bitmap, then writes the footer behind the block,
    then names the block in the table (qemu, block/vpc.c, alloc_block). Killed in between, it leaves a file that ends
    in that bitmap, and the copy at the start. The footer has to go where the bitmap lies: the next block's data would
    be read as part of it anywhere else.

    Raises:
        ImageError: the file is damaged otherwise.
    """
    copy = _copy_at_start(file)
    if copy is None:
        return None
    end, _, bitmap = _blocks_end(file, copy)
    return FileRange(file.path, end, copy, ends_file=True) if end <= file.size <= end + bitmap else None


def _copy_at_start(file: ContainerFile) -> bytes | None:
    """Return the copy of its footer that a dynamic disk begins with, where it does not end in one; else None."""
    copy = file.peek(0, _FOOTER)
    if _last_footer(file) is not None or len(copy) < _FOOTER or not copy.startswith(_COOKIE):
        return None
    return copy if _parse_footer(file, copy).kind == "dynamic" else None


def _blocks_end(file: ContainerFile, copy: bytes) -> tuple[int, int, int]:
    """Return where the last block of a dynamic disk ends, and the bytes of a block and of its bitmap."""
    footer = _parse_footer(file, copy)
    _, _, table_offset, _, entries, block_size, _ = _DYNAMIC.unpack_from(_read_dynamic(file, footer))
    used = -(-footer.size // block_size)
    if used > _MAX_BLOCKS:
        raise file.corrupt(f"the VHD's disk has {used} blocks, which cannot be")
    bitmap = -(-block_size // (512 * 8 * 512)) * 512
    end = -(-(table_offset + 4 * entries) // 512) * 512
    for (entry,) in struct.iter_unpack(">I", file.read(table_offset, 4 * used, "the block allocation table")):
        if entry != _NO_BLOCK:
            end = max(end, entry * 512 + bitmap + block_size)
    return end, block_size, bitmap


def _reach(file: ContainerFile) -> Reach | None:
    """Say how far the blocks reach; a footer follows them, which is lacking where the file does not end in one."""
    copy = _copy_at_start(file)
    own = _last_footer(file) if copy is None else copy
    if own is None or _parse_footer(file, own).kind != "dynamic":
        return None
    end, block, bitmap = _blocks_end(file, own)
    return Reach(end, block, block + bitmap, footer=0 if copy is None else _FOOTER)


def _parse_footer(file: ContainerFile, data: bytes) -> Footer:
    fields = _FIELDS.unpack_from(data)
    header_offset, size, kind, checksum, unique_id = fields[3], fields[9], fields[11], fields[12], fields[13]
    if checksum != _checksum(data):
        raise file.corrupt("the checksum of the VHD footer is wrong")
    if kind not in _KINDS:
        raise file.corrupt(f"the VHD footer gives disk type {kind}, which does not exist")
    if not 0 < size <= _MAX_SIZE or size % 512:
        raise file.corrupt(f"the VHD footer gives a disk size of {size} bytes, which cannot be")
    return Footer(_KINDS[kind], size, header_offset, unique_id)


def read_parent(file: ContainerFile) -> tuple[bytes, str] | None:
    """Return the unique id and the name of a differencing VHD's parent, None for the other kinds."""
    footer = read_footer(file)
    if footer.kind != "differencing":
        return None
    header = _read_dynamic(file, footer)
    return header[_PARENT_ID_AT : _PARENT_ID_AT + 16], parent_name(header)


def parent_name(header: bytes) -> str:
    """Return the last part of the parent's name in a dynamic disk header, fit for printing."""
    name = header[_PARENT_NAME].decode("utf-16-be", "replace").split("\0", 1)[0]
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _last_footer(file: ContainerFile) -> bytes | None:
    """Return the footer padded to 512 bytes; Virtual PC before 2004 wrote 511."""
    for length in (_FOOTER, _FOOTER - 1):
        data = file.peek(file.size - length, length)
        if data.startswith(_COOKIE):
            return data.ljust(_FOOTER, b"\0")
    return None


def _checksum(footer: bytes) -> int:
    return ~(sum(footer) - sum(footer[_CHECKSUM_AT : _CHECKSUM_AT + 4])) & 0xFFFFFFFF


def _read_dynamic(file: ContainerFile, footer: Footer) -> bytes:
    header = file.read(footer.header_offset, _DYNAMIC_SIZE, "the VHD's dynamic disk header")
    cookie, _next, table_offset, _version, entries, block_size, _checksum = _DYNAMIC.unpack_from(header)
    if cookie != b"cxsparse":
        raise file.corrupt("the VHD's dynamic disk header is missing")
    if block_size < 512 or block_size & (block_size - 1):
        raise file.corrupt(f"the VHD's block size is {block_size} bytes, which is not a power of two")
    if entries * block_size < footer.size:
        raise file.corrupt("the VHD's block allocation table is too small for its disk")
    file.require(table_offset + 4 * -(-footer.size // block_size), "the end of the block allocation table")
    return header


def is_child(file: ContainerFile, image: ImageInfo) -> bool:
    """Whether this is a differencing VHD that names an image as its parent, by its id or its file's name."""
    parent = read_parent(file) if image.format is ImageFormat.VHD else None
    if parent is None:
        return False
    with ContainerFile(image.files[0]) as own:
        return parent[0] == read_footer(own).unique_id or image.is_named(parent[1])


def _leftovers(file: ContainerFile) -> tuple[FileRange, ...]:
    footer = missing_footer(file)
    return () if footer is None else (footer,)


READER = ImageReader(read=read, is_child=is_child, leftovers=_leftovers, reach=_reach)
