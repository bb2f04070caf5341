"""VDI, VirtualBox's own disk format. All numbers are little-endian.

Source: VirtualBox, src/VBox/Storage/VDICore.h (VDIPREHEADER, VDIHEADER1PLUS).
"""

import struct

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Facts, FileRange, ImageInfo, ImageReader, Reach, ReadOptions

_SIGNATURE = 0xBEDA107F
_PREHEADER = struct.Struct("<II")  # signature, version
_PREHEADER_AT = 0x40
_IDENTITY = struct.Struct("<III")  # header size, type, flags
_IDENTITY_AT = 0x48
_LAYOUT = struct.Struct("<IIIIIIIQIIII16s16s16s16s")
_LAYOUT_AT = 0x154
_HEADER_END = 0x1C8
_KINDS = {1: "dynamic", 2: "fixed", 3: "undo", 4: "differencing"}
_NO_ID = bytes(16)
_USED_AT = 0x184
_UNUSED = 0xFFFFFFFE  # from here on a block map entry says that nothing is stored: zeros, or never written
_PIECE = 2**20
_MAX_BLOCKS = 2**24  # 16 TiB in blocks of 1 MiB, which all have


class VdiHeader(Struct, frozen=True):
    """A VDI's header: what kind it is, the disk's bytes, its own id, and those of what it is linked to (or zeros)."""

    kind: str
    size: int
    image_id: bytes
    link_id: bytes
    parent_id: bytes

    @property
    def is_linked(self) -> bool:
        """Whether it is a change on top of another disk."""
        return self.link_id != _NO_ID or self.parent_id != _NO_ID or self.kind in ("undo", "differencing")


def read(file: ContainerFile, how: ReadOptions) -> Facts:
    """Say what a VDI is.

    Raises:
        ImageError: it is damaged, cut short, or a differencing disk, which qemu cannot read.
    """
    header = read_header(file, end_may_lack=how.end_may_lack)
    if header.is_linked:
        raise ImageError(
            "this is a differencing VDI (a snapshot), a change on top of another disk, and cannot be read by itself",
            where=file.name,
            advice="Delete the snapshot in VirtualBox, which merges it, or make a full copy: VBoxManage clonemedium",
            id="image-is-snapshot",
        )
    return Facts(subformat=header.kind, files=(file.path,), size=header.size)


def read_header(file: ContainerFile, *, end_may_lack: bool = False) -> VdiHeader:
    """Read and check the header; ``end_may_lack`` as in ``ReadOptions``.

    Raises:
        ImageError: it is damaged, or the block map and the blocks it counts do not fit into the file.
    """
    data = file.read(0, _HEADER_END, "the VDI header")
    signature, version = _PREHEADER.unpack_from(data, _PREHEADER_AT)
    if signature != _SIGNATURE:
        raise file.corrupt("the VDI signature is missing")
    if version >> 16 != 1:
        raise ImageError(
            f"this is a VDI of version {version >> 16}.{version & 0xFFFF}, which is not supported",
            where=file.name,
            advice="Convert it in VirtualBox: VBoxManage clonemedium OLD.vdi NEW.vdi",
        )
    kind = _IDENTITY.unpack_from(data, _IDENTITY_AT)[1]
    if kind not in _KINDS:
        raise file.corrupt(f"the VDI header gives image type {kind}, which does not exist")
    map_at, data_at, _, _, _, _, _, size, block, _, blocks, used, *ids = _LAYOUT.unpack_from(data, _LAYOUT_AT)
    if not size or not block or blocks * block < size:
        raise file.corrupt("the VDI header's block map does not cover its disk")
    file.require(map_at + 4 * blocks, "the end of the block map")
    if used > blocks:
        raise file.corrupt("the VDI header counts more blocks in use than there are")
    if not end_may_lack:
        file.require(data_at + used * block, "the last block in use")
    image_id, _modified_id, link_id, parent_id = ids
    return VdiHeader(_KINDS[kind], size, image_id, link_id, parent_id)


def corrected_count(file: ContainerFile) -> FileRange | None:
    """Return the header's count of blocks in use where it is not that of the blocks the map names, else None.

    qemu writes a new block, then the count, then the block map (block/vdi.c, vdi_co_pwritev), with no flush between:
    killed, it leaves a count that is one too high, and a power loss any that is too high or too low. ``qemu-img check``
    reports that and does not repair it. The next block goes where the count says: one that is too low would have two
    parts of the disk share a block. It is corrected only where the map names just the blocks below the right count.

    Raises:
        ImageError: the header is damaged.
    """
    read_header(file)
    named = _named_blocks(file)
    if named is None or (used := named.count(1)) != _last(named) or used == _count(file):
        return None
    return FileRange(file.path, _USED_AT, used.to_bytes(4, "little"))


def _count(file: ContainerFile) -> int:
    return int.from_bytes(file.read(_USED_AT, 4, "the VDI header"), "little")


def _last(named: bytearray) -> int:
    """Return how many blocks there are up to the last that the map names."""
    return named.rindex(1) + 1 if 1 in named else 0


def _named_blocks(file: ContainerFile) -> bytearray | None:
    """Return a 1 for each block that the block map names, else a 0; None where it names one twice, or none there is."""
    fields = _LAYOUT.unpack_from(file.read(0, _HEADER_END, "the VDI header"), _LAYOUT_AT)
    map_at, blocks = fields[0], fields[10]
    if blocks > _MAX_BLOCKS:
        return None
    named = bytearray(blocks)
    for start in range(0, 4 * blocks, _PIECE):
        entries = file.read(map_at + start, min(_PIECE, 4 * blocks - start), "the block map")
        for (entry,) in struct.iter_unpack("<I", entries):
            if entry < _UNUSED:
                if entry >= blocks or named[entry]:
                    return None
                named[entry] = 1
    return named


def _reach(file: ContainerFile) -> Reach:
    """Say how far the blocks reach that the header counts or the map names."""
    read_header(file, end_may_lack=True)
    fields = _LAYOUT.unpack_from(file.read(0, _HEADER_END, "the VDI header"), _LAYOUT_AT)
    data_at, block = fields[1], fields[8]
    last = max(_last(_named_blocks(file) or bytearray()), _count(file))
    return Reach(data_at + last * block, block, block)


def is_child(file: ContainerFile, image: ImageInfo) -> bool:
    """Whether this is a VDI that is linked to an image."""
    header = read_header(file)
    if image.format is not ImageFormat.VDI or not header.is_linked:
        return False
    with ContainerFile(image.files[0]) as own:
        return header.link_id == read_header(own).image_id


def _leftovers(file: ContainerFile) -> tuple[FileRange, ...]:
    count = corrected_count(file)
    return () if count is None else (count,)


READER = ImageReader(read=read, is_child=is_child, leftovers=_leftovers, reach=_reach)
