"""The values of one key, read strictly: list, records, names and where the data lies."""

import struct

from bootgraft.registry.cells import CELL_LIMIT, NIL
from bootgraft.registry.integrity.defects import DefectKind, DefectSeverity
from bootgraft.registry.integrity.reading import Reading
from bootgraft.registry.records import INLINE, VALUE_COMP_NAME, VK_SIZE
from bootgraft.registry.upcase import upcase
from bootgraft.registry.valuedata import BIG_DATA_MINOR, INLINE_LIMIT, SEGMENT
from bootgraft.registry.values import decode_utf16

_VK = struct.Struct("<2sHIIIH")
_DB = struct.Struct("<2sHI")
_SEGMENT_LIMIT = 0xFFFF
VALUE_LIMIT = CELL_LIMIT // 4
"""Values that one list can name."""


def check_values(reading: Reading, key: int, count: int, list_offset: int, maxima: tuple[int, int]) -> None:
    """Read the ``count`` values that the key at ``key`` lists; ``maxima`` are its longest name and data in bytes."""
    if count > VALUE_LIMIT:
        reading.report(DefectKind.VALUE_LIST, key, f"the key says {count} values, more than a list can hold")
        return
    listed = reading.take(list_offset, 4 * count, DefectKind.VALUE_LIST, f"the list of {count} values")
    if not listed:
        return
    reading.values += count
    seen: set[str] = set()
    longest_name = longest_data = 0
    for offset in struct.unpack_from(f"<{count}I", reading.data, listed):
        at = reading.take(offset, VK_SIZE, DefectKind.VALUE_RECORD, "a value")
        if not at:
            continue
        signature, name_length, size, data, _, flags = _VK.unpack_from(reading.data, at)
        if signature != b"vk" or VK_SIZE + name_length > reading.capacity(offset):
            reading.report(DefectKind.VALUE_RECORD, offset, "there is no value in this cell, or it leaves the cell")
            continue
        raw = reading.data[at + VK_SIZE : at + VK_SIZE + name_length]
        compressed = flags & VALUE_COMP_NAME
        name = raw.decode("latin-1") if compressed else decode_utf16(raw)
        upper = name.upper() if name.isascii() else upcase(name)
        if upper in seen:
            reading.report(
                DefectKind.VALUE_TWICE, offset, f"the value {name!r} is there twice: only the first is found"
            )
        seen.add(upper)
        if size != INLINE:
            _check_data(reading, offset, name, size, data)
        longest_name = max(longest_name, 2 * name_length if compressed else name_length)
        longest_data = max(longest_data, size & ~INLINE)
    if longest_name > maxima[0] or longest_data > maxima[1]:
        reading.report(DefectKind.MAXIMUM, key, "the key says less than its longest value's name or data has")


def _check_data(reading: Reading, offset: int, name: str, size: int, data: int) -> None:
    if size & INLINE:
        if size & ~INLINE > INLINE_LIMIT:
            reading.report(DefectKind.VALUE_DATA, offset, f"the value {name!r} says {size & ~INLINE} bytes in 4")
    elif size == 0:
        if data not in (0, NIL):
            reading.report(DefectKind.VALUE_DATA, offset, f"the value {name!r} has no data, but a place for it")
    elif size > SEGMENT and reading.minor >= BIG_DATA_MINOR:
        _check_big(reading, name, size, data)
    else:
        reading.take(data, size, DefectKind.VALUE_DATA, f"the data of {name!r}")


def _check_big(reading: Reading, name: str, size: int, data: int) -> None:
    at = reading.take(data, _DB.size, DefectKind.VALUE_DATA, f"the data of {name!r}")
    if not at:
        return
    signature, count, list_offset = _DB.unpack_from(reading.data, at)
    if signature != b"db":
        # hivex and others write it so in any version; Windows since XP looks for segments and finds none.
        fits = size <= reading.capacity(data)
        what = f"the {size} bytes of the value {name!r} lie in one cell, where Windows looks for segments"
        severity = DefectSeverity.LOSES if fits else None
        reading.report(DefectKind.VALUE_DATA, data, what, severity)
        return
    if count != -(-size // SEGMENT) or count > _SEGMENT_LIMIT:
        reading.report(DefectKind.VALUE_DATA, data, f"the value {name!r} has {count} segments for {size} bytes")
        return
    listed = reading.take(list_offset, 4 * count, DefectKind.VALUE_DATA, f"the list of segments of {name!r}")
    if not listed:
        return
    for index, segment in enumerate(struct.unpack_from(f"<{count}I", reading.data, listed)):
        need = min(SEGMENT, size - index * SEGMENT)
        reading.take(segment, need, DefectKind.VALUE_DATA, f"a segment of {name!r}")
