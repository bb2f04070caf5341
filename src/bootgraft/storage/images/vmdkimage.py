"""A VMDK as a whole: its descriptor, wherever that lies, its extents, and its parent.

What qemu would read otherwise than VMware is refused here: qemu skips extent lines that are not ``RW``, reads an extent
line twice after a blank line, and looks for an embedded descriptor in sector 1 only **(tried with qemu 7.2)**.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from bootgraft.errors import ImageError
from bootgraft.storage.confine import Confinement, exists, has_protocol
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.devices.flat import FlatExtent
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Facts, FileRange, ImageReader, Parent, Reach, ReadOptions
from bootgraft.storage.images.vmdk import (
    MAX_DESCRIPTOR,
    NO_PARENT,
    Access,
    Descriptor,
    ExtentType,
    VmdkExtent,
    parse_descriptor,
)
from bootgraft.storage.images.vmdksparse import (
    MAGIC_COWD,
    MAGIC_HOSTED,
    MAGIC_SE,
    SparseHeader,
    grains_reach,
    read_sparse_header,
    require_grains,
)

_QEMU_SPARSE = ("twoGbMaxExtentSparse", "vmfsSparse", "seSparse")
_QEMU_DESCRIPTOR_AT = SECTOR
_QEMU_DESCRIPTOR_SIZE = 20 * SECTOR
_QEMU_FLAT = ("monolithicFlat", "twoGbMaxExtentFlat", "vmfs")
_CONVERT = "Convert the disk with VMware's own tools (vmware-vdiskmanager -r, or vmkfstools -i on ESXi)"
_READ_ONLY = {
    "streamOptimized": "a streamOptimized VMDK is compressed, and its grains cannot be written again",
    "vmfsSparse": "a vmfsSparse VMDK, an ESXi snapshot, can be read here but not written safely",
    "seSparse": "a seSparse VMDK, an ESXi snapshot, can be read here but not written",
}


def read(file: ContainerFile, how: ReadOptions) -> Facts:
    """Say what a VMDK is; ``file`` is what the user gave: a descriptor, or a sparse extent that embeds one.

    A flat disk is opened without qemu, but as a parent, below a snapshot, it too is read by qemu.

    Raises:
        ImageError: it is damaged or cut short, is one extent of a disk, names files it may not name, or is of a type
            that neither bootgraft nor qemu can read.
    """
    descriptor = read_descriptor(file)
    if file.peek(0, 4) == MAGIC_HOSTED:
        return _read_embedded(file, descriptor, how)
    if all(extent.type.is_flat for extent in descriptor.extents):
        if how.as_parent:
            _refuse_odd(file, descriptor, _QEMU_FLAT)
        return _read_flat(file, descriptor, how.confinement)
    return _read_split(file, descriptor, how)


def read_descriptor(file: ContainerFile) -> Descriptor:
    """Return the descriptor that a file is, or that is embedded in it.

    Raises:
        ImageError: there is none, or it is damaged.
    """
    magic = file.peek(0, len(MAGIC_SE))
    if magic == MAGIC_SE or magic.startswith(MAGIC_COWD):
        raise _is_extent(file)
    if not magic.startswith(MAGIC_HOSTED):
        return parse_descriptor(file.peek(0, MAX_DESCRIPTOR + 1), name=file.name)
    return parse_descriptor(_embedded_text(file, read_sparse_header(file)), name=file.name)


def _embedded_text(file: ContainerFile, header: SparseHeader) -> bytes:
    if not header.descriptor_length:
        raise _is_extent(file)
    if header.descriptor_offset != _QEMU_DESCRIPTOR_AT or header.descriptor_length > MAX_DESCRIPTOR:
        raise file.corrupt("the embedded descriptor does not lie where every VMDK has it, in sector 1")
    text = file.peek(header.descriptor_offset, max(header.descriptor_length, _QEMU_DESCRIPTOR_SIZE)).split(b"\0", 1)[0]
    if not text:
        raise _is_extent(file)
    if len(text) > header.descriptor_length:
        raise file.corrupt("the embedded descriptor has no end")
    return text


def _notes(descriptor: Descriptor) -> tuple[str, ...]:
    if descriptor.change_tracking is None:
        return ()
    tracked = f"VMware tracks this disk's changed blocks ({descriptor.change_tracking!r}) and does not see what is"
    return (f"{tracked} written here: make the next backup a full one, or reset the tracking",)


def _is_extent(file: ContainerFile) -> ImageError:
    return ImageError(
        "this is one extent of a VMDK, without the descriptor that says what it belongs to",
        where=file.name,
        advice="Give the descriptor: the small text file beside it, such as NAME.vmdk for NAME-s001.vmdk,"
        " NAME-delta.vmdk or NAME-sesparse.vmdk",
    )


def _read_embedded(file: ContainerFile, descriptor: Descriptor, how: ReadOptions) -> Facts:
    header = read_sparse_header(file)
    if not how.end_may_lack:
        require_grains(file)
    kind = "streamOptimized" if header.compressed else descriptor.create_type
    kept = file.read(header.descriptor_offset, min(header.descriptor_length, _QEMU_DESCRIPTOR_SIZE), "the descriptor")
    return Facts(
        subformat=kind,
        files=(file.path,),
        size=header.sectors * SECTOR,
        read_only_reason=_READ_ONLY.get(kind) or _header_reason(file.path, header),
        preserved=(FileRange(file.path, header.descriptor_offset, kept),),
        parent=_parent(file, descriptor, how.confinement),
        content_id=descriptor.cid,
        notes=_notes(descriptor),
        cluster=header.grain,
    )


def _read_split(file: ContainerFile, descriptor: Descriptor, how: ReadOptions) -> Facts:
    _refuse_odd(file, descriptor, _QEMU_SPARSE)
    files = [file.path]
    reason = _READ_ONLY.get(descriptor.create_type)
    if file.size > _QEMU_DESCRIPTOR_SIZE:
        reason = f"qemu would damage its descriptor, which is longer than {_QEMU_DESCRIPTOR_SIZE} bytes"
    cluster = 0
    for extent in descriptor.extents:
        path, header = _read_sparse_extent(file, extent, how)
        if path in files:
            raise file.corrupt(f"its descriptor names {extent.name!r} twice")
        files.append(path)
        reason = reason or _header_reason(path, header)
        cluster = max(cluster, header.grain)
    return Facts(
        subformat=descriptor.create_type,
        files=tuple(files),
        size=descriptor.sectors * SECTOR,
        read_only_reason=reason,
        preserved=(FileRange(file.path, 0, file.peek(0, MAX_DESCRIPTOR)),),
        parent=_parent(file, descriptor, how.confinement),
        content_id=descriptor.cid,
        notes=_notes(descriptor),
        cluster=cluster,
    )


def _refuse_odd(file: ContainerFile, descriptor: Descriptor, types: Sequence[str]) -> None:
    """Refuse what qemu would not read, or would read otherwise than VMware."""
    if descriptor.create_type not in types:
        raise ImageError(
            f"qemu cannot read a VMDK of type {descriptor.create_type!r}", where=file.name, advice=_CONVERT
        )
    if descriptor.blank_before_extent:
        raise ImageError(
            "its descriptor has a blank line just before an extent, and qemu would read that extent twice",
            where=file.name,
            advice="Remove the blank line (keep a copy of the descriptor), and try again",
        )
    for extent in descriptor.extents:
        fits = extent.type.is_flat is (types is _QEMU_FLAT) and extent.type is not ExtentType.ZERO
        if extent.access is not Access.WRITE or not fits:
            raise ImageError(
                f"its descriptor has a {extent.access} {extent.type} extent, which qemu would leave out",
                where=file.name,
                advice=_CONVERT,
            )


def _read_sparse_extent(file: ContainerFile, extent: VmdkExtent, how: ReadOptions) -> tuple[Path, SparseHeader]:
    if extent.name is None or extent.offset:
        raise file.corrupt(f"its descriptor gives an offset to the sparse extent {extent.name!r}")
    path = _extent_path(file, extent.name, how.confinement)
    with ContainerFile(path) as extent_file:
        magic = extent_file.peek(0, len(MAGIC_SE))
        if (magic == MAGIC_SE) is not (extent.type is ExtentType.SE_SPARSE):
            raise extent_file.corrupt(f"this is not the {extent.type} extent that {file.path.name} says it is")
        header = read_sparse_header(extent_file)
        if magic.startswith(MAGIC_HOSTED) and not how.end_may_lack:
            require_grains(extent_file)
    if header.sectors != extent.sectors:
        raise file.corrupt(
            f"its descriptor gives {extent.sectors} sectors to {extent.name!r}, which says it has {header.sectors}"
        )
    if header.compressed:
        raise file.corrupt(f"its extent {extent.name!r} is compressed, which its type does not allow")
    return path, header


def _header_reason(path: Path, header: SparseHeader) -> str | None:
    if header.unclean:
        return f"{path.name} was not closed cleanly: VMware's vmware-vdiskmanager -R repairs that"
    if header.version == 3:
        return f"{path.name} is a VMDK of version 3, which keeps track of changed blocks"
    return None


def _read_flat(file: ContainerFile, descriptor: Descriptor, confinement: Confinement) -> Facts:
    files = [file.path]
    layout = []
    reason = None
    for extent in descriptor.extents:
        if extent.access is Access.NONE:
            raise ImageError(
                "its descriptor has an extent that nobody may access (NOACCESS)",
                where=file.name,
                advice="Give the disk that the descriptor stands for, as a block device",
            )
        if extent.access is Access.READ:
            reason = "its descriptor allows reading only (RDONLY)"
        path = None if extent.name is None else _extent_path(file, extent.name, confinement)
        if path is not None and path not in files:
            files.append(path)
        layout.append(FlatExtent(path, extent.offset * SECTOR, extent.sectors * SECTOR))
    _check_lengths(layout)
    return Facts(
        subformat=descriptor.create_type,
        files=tuple(files),
        size=descriptor.sectors * SECTOR,
        read_only_reason=reason,
        layout=tuple(layout),
        content_id=descriptor.cid,
        notes=_notes(descriptor),
    )


def _check_lengths(layout: Sequence[FlatExtent]) -> None:
    for extent in layout:
        if extent.path is not None:
            with ContainerFile(extent.path) as file:
                file.require(extent.offset + extent.length, "the end of the extent")


def _extent_path(file: ContainerFile, name: str, confinement: Confinement) -> Path:
    path = confinement.admit(name, named_by=file.path)
    if path == file.path:
        raise file.corrupt("its descriptor names itself as an extent")
    if not exists(path):
        raise ImageError(
            f"its extent {name!r} is missing",
            where=file.name,
            advice="Copy all files of the disk into one folder: the descriptor and every extent it names",
        )
    return path


def _parent(file: ContainerFile, descriptor: Descriptor, confinement: Confinement) -> Parent | None:
    if descriptor.parent_cid == NO_PARENT or descriptor.parent_hint is None:
        return None
    path = find_parent(file.path, descriptor.parent_hint, confinement)
    return Parent(path, ImageFormat.VMDK, descriptor.parent_cid)


def find_parent(child: Path, hint: str, confinement: Confinement) -> Path:
    """Return the parent disk that a descriptor hints at: by its path, else by its name in the child's own folder.

    A hint is often a path of the machine it was written on (``C:\\VMs\\base.vmdk``, ``/vmfs/volumes/…``).

    Raises:
        ImageError: it is missing, or lies where the image may not reach.
    """
    name = hint.replace("\\", "/").rsplit("/", 1)[-1]
    beside = child.parent / name
    if not has_protocol(hint) and not os.path.isabs(hint):  # noqa: PTH117 - a hint is text
        path = confinement.admit(hint, named_by=child)
        if exists(path):
            return path
    if name and not has_protocol(name) and exists(beside):
        return confinement.admit(name, named_by=child)
    path = confinement.admit(hint if os.path.isabs(hint) else name, named_by=child)  # noqa: PTH117
    if exists(path):
        return path
    raise ImageError(
        f"it is a snapshot on top of {hint!r}, which is missing",
        where=str(child),
        advice="Copy that disk's files into the same folder, or give the merged disk",
        id="image-is-snapshot",
    )


def _reach(file: ContainerFile) -> Reach | None:
    return grains_reach(file) if file.peek(0, len(MAGIC_HOSTED)) == MAGIC_HOSTED else None


READER = ImageReader(read=read, reach=_reach)
