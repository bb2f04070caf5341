"""QCOW2, qemu's own disk format. All numbers are big-endian.

Source: qemu, docs/interop/qcow2.txt ("The Qcow2Header", "Qcow2Header extensions").
"""

import json
import os
import struct

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.storage.confine import resolve
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Facts, ImageInfo, ImageReader, Parent, ReadOptions

_MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_HEADER_V2 = 72
_HEADER_V3 = 104
_MAX_BACKING_NAME = 1023
_MAX_EXTENSIONS = 64 * 1024
_BACKING_FORMAT = 0xE2792ACA
_DIRTY, _CORRUPT, _EXTERNAL_DATA = 1, 2, 4
_FORMATS = {known.qemu_driver: known for known in ImageFormat if known.qemu_driver}


class Qcow2Header(Struct, frozen=True):
    """The parts of a header that say how an image may be used; sizes in bytes, ``backing`` None where there is none."""

    size: int
    encrypted: bool
    incompatible: int
    backing: str | None
    backing_format: str | None
    cluster: int


def read(file: ContainerFile, how: ReadOptions) -> Facts:
    """Say what a QCOW2 image is; its backing file is named but not looked at.

    Raises:
        ImageError: it is damaged, cut short, encrypted, keeps its data in another file, or names a backing file that
            it may not name.
    """
    header = read_header(file)
    if header.encrypted:
        raise ImageError(
            "the image is encrypted",
            where=file.name,
            advice="Decrypt a copy with its key first (qemu-img convert --object secret,…), and give that",
            id="image-encrypted",
        )
    if header.incompatible & _EXTERNAL_DATA:
        raise ImageError(
            "the image keeps its data in another file (data_file)",
            where=file.name,
            advice="Give that raw data file itself, or convert the image first: qemu-img convert -O qcow2",
        )
    parent = None
    if header.backing is not None:
        path = how.confinement.admit(header.backing, named_by=file.path)
        parent = Parent(path, _backing_format(file, header))
    return Facts(
        subformat="",
        files=(file.path,),
        size=header.size,
        read_only_reason=_read_only_reason(file, header, pending_log_ok=how.pending_log_ok),
        parent=parent,
        cluster=header.cluster,
    )


def read_header(file: ContainerFile) -> Qcow2Header:
    """Read and check the header and its extensions.

    Raises:
        ImageError: they contradict the format, or the tables they name lie outside the file.
    """
    data = file.peek(0, _HEADER_V3)
    if len(data) < _HEADER_V2:
        raise file.truncated("the QCOW2 header")
    _, version, name_at, name_size, bits, size, crypt, l1_size, l1_at, table_at, table_clusters, _, _ = (
        _HEADER.unpack_from(data)
    )
    if data[:4] != _MAGIC or version not in (2, 3):
        raise file.corrupt("this is not a QCOW2 image of version 2 or 3")
    if not 9 <= bits <= 21:
        raise file.corrupt(f"the QCOW2 header gives clusters of 2^{bits} bytes, which cannot be")
    file.require(l1_at + 8 * l1_size, "the end of the L1 table")
    file.require(table_at + (table_clusters << bits), "the end of the refcount table")
    incompatible, length = 0, _HEADER_V2
    if version == 3:
        data = file.read(0, _HEADER_V3, "the QCOW2 header")
        incompatible = int.from_bytes(data[72:80], "big")
        length = int.from_bytes(data[100:104], "big")
    extensions = _read_extensions(file, length, name_at or 1 << bits)
    backing = None
    if name_at:
        backing = plain_name(os.fsdecode(_read_backing_name(file, name_at, name_size, 1 << bits)))
    recorded = extensions.get(_BACKING_FORMAT)
    return Qcow2Header(
        size=size,
        encrypted=bool(crypt),
        incompatible=incompatible,
        backing=backing,
        backing_format=None if recorded is None else recorded.decode("ascii", "replace"),
        cluster=1 << bits,
    )


def plain_name(name: str) -> str:
    """Return the file that an overlay over a VHD names in qemu's JSON form; any other name as it is.

    Only so can an overlay record that the VHD's size is its "current size". Whatever else is in JSON form stays as it
    is, and is refused as every name with a protocol is.
    """
    if not name.startswith("json:"):
        return name
    try:
        options = json.loads(name.removeprefix("json:"))
    except (ValueError, RecursionError):
        return name
    file = options.get("file") if isinstance(options, dict) else None
    filename = file.get("filename") if isinstance(file, dict) else None
    expected = {"driver": "vpc", "force_size_calc": "current_size", "file": {"driver": "file", "filename": filename}}
    return filename if isinstance(filename, str) and options == expected else name


def _read_backing_name(file: ContainerFile, offset: int, length: int, cluster: int) -> bytes:
    if not 0 < length <= _MAX_BACKING_NAME or offset + length > cluster:
        raise file.corrupt("the QCOW2 header's backing file name lies outside the first cluster")
    name = file.read(offset, length, "the backing file's name")
    if b"\0" in name:
        raise file.corrupt("the QCOW2 header's backing file name holds a zero byte")
    return name


def _read_extensions(file: ContainerFile, offset: int, end: int) -> dict[int, bytes]:
    """Return the header extensions between the header and ``end``: type to data."""
    if offset > end:
        raise file.corrupt("the QCOW2 header reaches into what follows it")
    data = file.peek(offset, min(end - offset, _MAX_EXTENSIONS))
    found: dict[int, bytes] = {}
    position = 0
    while position + 8 <= len(data):
        kind, length = struct.unpack_from(">II", data, position)
        if kind == 0:
            break
        position += 8
        if length > len(data) - position:
            raise file.corrupt("a QCOW2 header extension is longer than the header")
        if kind in found:
            raise file.corrupt("a QCOW2 header extension is there twice")
        found[kind] = data[position : position + length]
        position += (length + 7) & ~7
    return found


def _backing_format(file: ContainerFile, header: Qcow2Header) -> ImageFormat | None:
    if header.backing_format is None:
        return None
    known = _FORMATS.get(header.backing_format)
    if known is None:
        raise ImageError(
            f"its backing file {header.backing!r} is said to be of format {header.backing_format!r}",
            where=file.name,
            advice="Flatten the chain first: qemu-img convert -O qcow2 FILE NEW.qcow2",
        )
    return known


def _read_only_reason(file: ContainerFile, header: Qcow2Header, *, pending_log_ok: bool) -> str | None:
    repair = f"qemu-img check -r all {file.name} repairs that"
    if header.incompatible & _CORRUPT:
        return f"qemu has marked it as corrupt; {repair}"
    if header.incompatible & _DIRTY and not pending_log_ok:
        return f"it was not closed cleanly; {repair}"
    return None


def is_child(file: ContainerFile, image: ImageInfo) -> bool:
    """Whether an image's file is the backing file of this one."""
    backing = read_header(file).backing
    return backing is not None and resolve(file.path.parent / backing.removeprefix("file:")) in image.files


READER = ImageReader(read=read, is_child=is_child)
