"""Edits of a GUID partition table: each copy whose checksums hold is changed, and gets new ones.

A copy that is damaged is left as it is: whoever reads the table uses the other one. So is one that has another
partition in the slot that is meant: it was not kept up to date.
"""

import struct
import zlib
from collections.abc import Callable, Iterator

from msgspec import Struct

from bootgraft.storage.devices.blockdevice import BlockDevice
from bootgraft.storage.disks.gpt import GptEntry, GptHeader, read_copy, read_gpt, read_header

_TYPE_SIZE, _ATTRIBUTES, _HEADER_CRC, _ARRAY_CRC = 16, 0x30, 0x10, 0x58


class GptEdit(Struct, frozen=True):
    """Bytes of a disk to be replaced so that both copies of its table stay right; ``offset`` is bytes."""

    offset: int
    before: bytes
    data: bytes
    what: str


def clear_attributes(device: BlockDevice, slot: int, bits: int) -> tuple[GptEdit, ...]:
    """What clears these attribute bits of the entry in ``slot``."""

    def clear(entries: list[bytes]) -> list[bytes]:
        last = bytearray(entries[-1])
        old = int.from_bytes(last[_ATTRIBUTES : _ATTRIBUTES + 8], "little")
        last[_ATTRIBUTES : _ATTRIBUTES + 8] = (old & ~bits).to_bytes(8, "little")
        return [*entries[:-1], bytes(last)]

    return _edit(device, slot, clear, f"the attributes of entry {slot}")


def close_gaps(device: BlockDevice, slot: int) -> tuple[GptEdit, ...]:
    """What moves the entries up to that in ``slot`` down over unused ones before it; those behind it stay."""

    def close(entries: list[bytes]) -> list[bytes]:
        used = [each for each in entries if any(each[:_TYPE_SIZE])]
        return [*used, *(bytes(len(each)) for each in entries[len(used) :])]

    return _edit(device, slot, close, f"the order of entries 1 to {slot}")


def put_entry(device: BlockDevice, slot: int, entry: bytes) -> tuple[GptEdit, ...]:
    """What puts an entry into an unused slot of both copies."""
    table, _ = read_gpt(device)
    if table is None:
        return ()
    sector = table.sector_size
    return tuple(
        edit
        for name, lba in (("primary", 1), ("backup", device.size // sector - 1))
        for edit in _put_in_copy(device, sector, lba, slot, entry, name)
    )


def _put_in_copy(
    device: BlockDevice, sector_size: int, lba: int, slot: int, entry: bytes, name: str
) -> Iterator[GptEdit]:
    header, _ = read_header(device, sector_size, lba)
    if header is not None:
        at = (slot - 1) * header.entry_size
        what = f"entry {slot} in the {name} GPT"
        yield from _edit_array(device, sector_size, lba, header, (at, entry), what, name)


def _edit(
    device: BlockDevice, slot: int, change: Callable[[list[bytes]], list[bytes]], what: str
) -> tuple[GptEdit, ...]:
    """Change the entries 1 to ``slot``: always the same stretch of the disk, so that one edit can follow another."""
    table, _ = read_gpt(device)
    entry = None if table is None else next((each for each in table.entries if each.slot == slot), None)
    if table is None or entry is None:
        return ()
    copies = (("primary", 1), ("backup", device.size // table.sector_size - 1))
    return tuple(
        edit
        for name, lba in copies
        for edit in _edit_copy(device, table.sector_size, lba, entry, change, f"{what} in the {name} GPT", name)
    )


def _edit_copy(
    device: BlockDevice,
    sector_size: int,
    lba: int,
    entry: GptEntry,
    change: Callable[[list[bytes]], list[bytes]],
    what: str,
    name: str,
) -> Iterator[GptEdit]:
    header, _ = read_header(device, sector_size, lba)
    table, _ = read_copy(device, sector_size, lba)
    if header is None or table is None or not any(_is_same(each, entry) for each in table.entries):
        return
    size = header.entry_size
    old = device.read(header.array_at * sector_size, entry.slot * size)
    new = b"".join(change([old[at : at + size] for at in range(0, len(old), size)]))
    if new != old:
        yield from _edit_array(device, sector_size, lba, header, (0, new), what, name)


def _edit_array(
    device: BlockDevice,
    sector_size: int,
    lba: int,
    header: GptHeader,
    change: tuple[int, bytes],
    what: str,
    name: str,
) -> Iterator[GptEdit]:
    """Change bytes of the entries at a place in the array (bytes), and the checksums."""
    at, new = change
    start, head_at = header.array_at * sector_size, lba * sector_size
    array = bytearray(device.read(start, header.count * header.entry_size))
    old = bytes(array[at : at + len(new)])
    array[at : at + len(new)] = new
    head = bytearray(device.read(head_at, sector_size))
    crcs = bytes(head[_HEADER_CRC : _HEADER_CRC + 4]), bytes(head[_ARRAY_CRC : _ARRAY_CRC + 4])
    struct.pack_into("<I", head, _ARRAY_CRC, zlib.crc32(array))
    length = struct.unpack_from("<I", head, 12)[0]
    own = zlib.crc32(head[:_HEADER_CRC] + bytes(4) + head[_HEADER_CRC + 4 : length]).to_bytes(4, "little")
    yield GptEdit(start + at, old, new, what)
    yield GptEdit(
        head_at + _ARRAY_CRC, crcs[1], bytes(head[_ARRAY_CRC : _ARRAY_CRC + 4]), f"the checksum of the {name} entries"
    )
    yield GptEdit(head_at + _HEADER_CRC, crcs[0], own, f"the checksum of the {name} GPT header")


def _is_same(one: GptEntry, other: GptEntry) -> bool:
    return (one.slot, one.guid, one.first, one.last) == (other.slot, other.guid, other.first, other.last)
