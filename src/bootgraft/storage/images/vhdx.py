"""VHDX, Hyper-V's disk format since Windows 8. All numbers are little-endian.

Source: Microsoft, "[MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format": 2.2 (headers, region table), 2.3 (log),
2.6 (metadata).
"""

import struct
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from bootgraft.errors import ImageError
from bootgraft.storage.images import hypervfiles
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Facts, FileRange, ImageInfo, ImageReader, Reach, ReadOptions

_KIB = 1024
_HEADERS = (64 * _KIB, 128 * _KIB)
_HEADER_SIZE = 4 * _KIB
_HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")
_LOG_ENTRY = struct.Struct("<4sIIIQII16s")
_LOG_SECTOR = 4 * _KIB
_MAX_LOG = 256 * 2**20
_REGIONS = (192 * _KIB, 256 * _KIB)
_REGION_SIZE = 64 * _KIB
_REGION_ENTRY = struct.Struct("<16sQII")
_METADATA_SIZE = 64 * _KIB
_METADATA_ENTRY = struct.Struct("<16sIIII")
_MAX_ENTRIES = 2047
_MAX_SIZE = 64 * 2**40
_MAX_LOCATOR = 64 * _KIB
_NO_GUID = bytes(16)
_STORED = (6, 7)  # states of a block: present, partly present
_STATE = 2**20 - 1
_PIECE = 2**20


def _guid(text: str) -> bytes:
    first, second, third, rest = (bytes.fromhex(part) for part in text.split(" "))
    return first[::-1] + second[::-1] + third[::-1] + rest


_BLOCKS_REGION = _guid("2DC27766 F623 4200 9D64115E9BFD4A08")
_METADATA_REGION = _guid("8B7CA206 4790 4B9A B8FE575F050F886E")
_FILE_PARAMETERS = _guid("CAA16737 FA36 4D43 B3B633F0AA44E76B")
_DISK_SIZE = _guid("2FA54224 CD1B 4876 B2115DBED83BF4B8")
_SECTOR_SIZE = _guid("8141BF1D A96F 4709 BA47F233A8FAAB5F")
_PARENT_LOCATOR = _guid("A8D35F2D B30B 454D ABF7D3D84834AB0C")
_ALL_ALLOCATED = 1
_HAS_PARENT = 2


class VhdxHeader(Struct, frozen=True):
    """The header in force: the sound one with the higher sequence number."""

    sequence: int
    data_write_guid: bytes
    log_guid: bytes
    log_offset: int
    log_length: int


def read(file: ContainerFile, how: ReadOptions) -> Facts:
    """Say what a VHDX is.

    Raises:
        ImageError: it is damaged, cut short, a differencing disk, which qemu cannot read, or its own log waits to be
            replayed (unless that is admitted: opening it for writing replays it).
    """
    header = read_header(file)
    metadata = _read_metadata(file)
    if _FILE_PARAMETERS not in metadata or _DISK_SIZE not in metadata:
        raise file.corrupt("the VHDX metadata do not give the disk's size and kind")
    flags = struct.unpack_from("<II", _item(file, metadata[_FILE_PARAMETERS], 8))[1]
    if flags & _HAS_PARENT:
        raise ImageError(
            "this is a differencing VHDX (a checkpoint, .avhdx), a change on top of another disk, and cannot be read"
            " by itself",
            where=file.name,
            advice="Merge it into its parent first (Hyper-V Manager: Edit Disk, Merge), and give the merged disk",
            id="image-is-snapshot",
        )
    size = int.from_bytes(_item(file, metadata[_DISK_SIZE], 8), "little")
    if not 0 < size <= _MAX_SIZE or size % 512:
        raise file.corrupt(f"the VHDX metadata give a disk size of {size} bytes, which cannot be")
    if not how.pending_log_ok and _log_is_pending(file, header):
        raise ImageError(
            "its own log waits to be replayed: it was not closed cleanly, or a running virtual machine has it open",
            where=file.name,
            advice=f"If no machine uses it, attach it once on Hyper-V, or run: qemu-img check -r all {file.name}",
        )
    subformat = "fixed" if flags & _ALL_ALLOCATED else "dynamic"
    notes = hypervfiles.notes(file.path)
    return Facts(subformat, (file.path,), size, notes=notes, sector_size=_sector_size(file, metadata))


def _sector_size(file: ContainerFile, metadata: dict[bytes, tuple[int, int]]) -> int | None:
    """The logical sector size that Hyper-V presents, in bytes; None where it is none that is allowed (2.6.2.4)."""
    if _SECTOR_SIZE not in metadata:
        return None
    size = int.from_bytes(_item(file, metadata[_SECTOR_SIZE], 4), "little")
    return size if size in (512, 4096) else None


def read_header(file: ContainerFile) -> VhdxHeader:
    """Return the header in force.

    Raises:
        ImageError: neither of the two is sound.
    """
    sound = []
    for offset in _HEADERS:
        data = file.peek(offset, _HEADER_SIZE)
        if len(data) == _HEADER_SIZE and data.startswith(b"head") and _checksum_holds(data):
            _, _, sequence, _, data_write_guid, log_guid, _, _, log_length, log_offset = _HEADER.unpack_from(data)
            sound.append(VhdxHeader(sequence, data_write_guid, log_guid, log_offset, log_length))
    if not sound:
        file.require(_HEADERS[-1] + _HEADER_SIZE, "the VHDX header")
        raise file.corrupt("neither of the two VHDX headers is sound")
    return max(sound, key=lambda header: header.sequence)


def headers_without_log(file: ContainerFile) -> tuple[FileRange, ...]:
    """Return the headers to write, in this order, so that the disk no longer says it has a log; empty if it does not.

    Only for a log that holds no whole entry: qemu names a log in the header before it writes the first one. Killed in
    between, it replays nothing when it opens the disk again, leaves the name there and then refuses each write that
    needs the log with "Operation not supported" (qemu, block/vhdx-log.c, vhdx_log_write). Headers are replaced one
    after the other, the one not in force first ([MS-VHDX] 2.2.2).
    """
    header = read_header(file)
    if header.log_guid == _NO_GUID:
        return ()
    current = next(offset for offset in _HEADERS if _is_header(file, offset, header))
    other = sum(_HEADERS) - current
    data = file.read(current, _HEADER_SIZE, "the VHDX header")
    return tuple(
        FileRange(file.path, offset, _header_without_log(data, header.sequence + step))
        for step, offset in enumerate((other, current), start=1)
    )


def _is_header(file: ContainerFile, offset: int, header: VhdxHeader) -> bool:
    data = file.peek(offset, _HEADER_SIZE)
    return _checksum_holds(data) and _HEADER.unpack_from(data)[2] == header.sequence


def _header_without_log(data: bytes, sequence: int) -> bytes:
    fields = list(_HEADER.unpack_from(data))
    fields[1], fields[2], fields[5] = 0, sequence % 2**64, _NO_GUID
    unsigned = _HEADER.pack(*fields) + data[_HEADER.size :]
    return unsigned[:4] + _crc32c(unsigned).to_bytes(4, "little") + unsigned[8:]


def _log_is_pending(file: ContainerFile, header: VhdxHeader) -> bool:
    """Tell whether the log holds a sound entry of the session that the header names.

    The session alone does not tell: a writer that was killed before its first entry leaves it in the header, nothing
    is there to replay, and qemu does not take it out again.
    """
    if header.log_guid == _NO_GUID or not 0 < header.log_length <= _MAX_LOG:
        return False
    return any(_log_entry_is_sound(file, header, position) for position in range(0, header.log_length, _LOG_SECTOR))


def _log_entry_is_sound(file: ContainerFile, header: VhdxHeader, position: int) -> bool:
    head = file.peek(header.log_offset + position, _LOG_ENTRY.size)
    if len(head) < _LOG_ENTRY.size:
        return False
    signature, _, length, _tail, _sequence, _count, _, log_guid = _LOG_ENTRY.unpack(head)
    if signature != b"loge" or log_guid != header.log_guid:
        return False
    if not _LOG_SECTOR <= length <= header.log_length or length % _LOG_SECTOR:
        return False
    at_end = min(length, header.log_length - position)  # the log is a ring
    entry = file.peek(header.log_offset + position, at_end) + file.peek(header.log_offset, length - at_end)
    return _checksum_holds(entry)


def read_parent(file: ContainerFile) -> dict[str, str] | None:
    """Return a differencing VHDX's parent locator (``relative_path``, ``parent_linkage``, …), None without a parent."""
    metadata = _read_metadata(file)
    if _PARENT_LOCATOR not in metadata:
        return None
    offset, length = metadata[_PARENT_LOCATOR]
    data = _item(file, metadata[_PARENT_LOCATOR], min(length, _MAX_LOCATOR))
    if len(data) < 20:
        raise file.corrupt(f"the VHDX parent locator at byte {offset} is too short")
    count = int.from_bytes(data[18:20], "little")
    entries = {}
    for position in range(20, min(20 + count * 12, len(data) - 11), 12):
        key_at, value_at, key_length, value_length = struct.unpack_from("<IIHH", data, position)
        key = data[key_at : key_at + key_length].decode("utf-16-le", "replace")
        entries[key] = data[value_at : value_at + value_length].decode("utf-16-le", "replace")
    return entries


def _read_metadata(file: ContainerFile) -> dict[bytes, tuple[int, int]]:
    """Return the metadata items: id to (offset in the file, bytes)."""
    start, length = _find_region(file, _METADATA_REGION, "metadata region")
    table = file.read(start, _METADATA_SIZE, "the VHDX metadata table")
    if not table.startswith(b"metadata"):
        raise file.corrupt("the VHDX metadata table is missing")
    count = int.from_bytes(table[10:12], "little")
    if count > _MAX_ENTRIES:
        raise file.corrupt(f"the VHDX metadata table claims {count} entries")
    items = {}
    for index in range(count):
        item, offset, size, _flags, _ = _METADATA_ENTRY.unpack_from(table, 32 + 32 * index)
        if offset + size > length:
            raise file.corrupt("a VHDX metadata item lies outside the metadata region")
        items[item] = (start + offset, size)
    return items


def _find_region(file: ContainerFile, wanted: bytes, name: str) -> tuple[int, int]:
    """Return a region's offset and length, both in bytes; ``name`` is for the error where there is none."""
    for position in _REGIONS:
        table = file.peek(position, _REGION_SIZE)
        if len(table) == _REGION_SIZE and table.startswith(b"regi") and _checksum_holds(table):
            break
    else:
        file.require(_REGIONS[-1] + _REGION_SIZE, "the VHDX region table")
        raise file.corrupt("neither of the two VHDX region tables is sound")
    found = None
    for region, offset, length in _regions(file, table):
        file.require(offset + length, "a region of the VHDX")
        if region == wanted:
            found = (offset, length)
    if found is None:
        raise file.corrupt(f"the VHDX has no {name}")
    return found


def _regions(file: ContainerFile, table: bytes) -> Iterator[tuple[bytes, int, int]]:
    count = int.from_bytes(table[8:12], "little")
    if count > _MAX_ENTRIES:
        raise file.corrupt(f"the VHDX region table claims {count} entries")
    for index in range(count):
        region, offset, length, _required = _REGION_ENTRY.unpack_from(table, 16 + 32 * index)
        yield region, offset, length


def _item(file: ContainerFile, place: tuple[int, int], length: int) -> bytes:
    offset, size = place
    if size < length:
        raise file.corrupt("a VHDX metadata item is too short")
    return file.read(offset, length, "a VHDX metadata item")


def _checksum_holds(data: bytes) -> bool:
    """Check the CRC-32C that headers and region tables carry at byte 4, computed with those four bytes zero."""
    return _crc32c(data[:4] + bytes(4) + data[8:]) == int.from_bytes(data[4:8], "little")


@cache
def _crc_table() -> tuple[int, ...]:
    """CRC-32C, reflected polynomial 0x82F63B78 (RFC 3720, 12.1)."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _crc32c(data: bytes) -> int:
    table = _crc_table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def format_guid(data: bytes) -> str:
    """Write 16 bytes as Windows writes a GUID, upper-case and without braces."""
    parts = (data[3::-1], data[5:3:-1], data[7:5:-1], data[8:10], data[10:])
    return "-".join(part.hex() for part in parts).upper()


def is_child(file: ContainerFile, image: ImageInfo) -> bool:
    """Whether this is a differencing VHDX that names an image as its parent, by its id or its file's name."""
    locator = read_parent(file) if image.format is ImageFormat.VHDX else None
    if locator is None:
        return False
    with ContainerFile(image.files[0]) as own:
        linkage = format_guid(read_header(own).data_write_guid)
    named = (locator.get(key, "") for key in ("relative_path", "absolute_win32_path", "volume_path"))
    return locator.get("parent_linkage", "").strip("{}").upper() == linkage or any(map(image.is_named, named))


def _reach(file: ContainerFile) -> Reach:
    """Say how far the blocks reach that the block allocation table names (2.5.1: state in 3 bits, MiB in 44)."""
    block = int.from_bytes(_item(file, _read_metadata(file)[_FILE_PARAMETERS], 4), "little")
    if not 2**20 <= block <= 2**28:
        raise file.corrupt(f"the VHDX metadata give blocks of {block} bytes, which cannot be")
    start, length = _find_region(file, _BLOCKS_REGION, "block allocation table")
    last, at = 0, start
    while (at := file.next_data(at)) < start + length:
        at -= at % 8
        entries = file.peek(at, min(_PIECE, start + length - at))
        at += max(len(entries), 8)
        if entries.count(0) < len(entries):
            named = (entry for (entry,) in struct.iter_unpack("<Q", entries[: len(entries) & ~7]))
            last = max(last, max((entry & ~_STATE for entry in named if entry & 7 in _STORED), default=0))
    return Reach(last + block if last else 0, block, block)


READER = ImageReader(read=read, is_child=is_child, leftovers=headers_without_log, reach=_reach)
