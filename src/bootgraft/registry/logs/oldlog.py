"""Transaction logs in the old format (up to Windows 8): a map of the pages that were being written, and the pages.

Format: https://github.com/msuhanov/regf, "Old format".
"""

from collections.abc import Iterator

from bootgraft.registry.baseblock import SECTOR
from bootgraft.registry.logs.header import LOG_LIMIT, LogFault, LogHeader
from bootgraft.registry.pages import Storage

_SIGNATURE = b"DIRT"
_PAGES_PER_BYTE = 8


def read_pages(log: Storage, header: LogHeader) -> tuple[tuple[int, bytes], ...] | LogFault:
    """All pages of a log as (offset in the bins' data, content), neighbours joined; or why there are none."""
    vector_size = header.bins_size // (SECTOR * _PAGES_PER_BYTE)
    vector = log.read(header.sector_size, len(_SIGNATURE) + vector_size)
    if not vector.startswith(_SIGNATURE):
        return LogFault("holds no pages: there is no dirty vector in it")
    if len(vector) < len(_SIGNATURE) + vector_size:
        return LogFault("is cut short in its dirty vector")
    runs = tuple(_runs(vector[len(_SIGNATURE) :]))
    total = sum(length for _, length in runs)
    if total == 0:
        return LogFault("holds no pages: its dirty vector is empty")
    at = -(-(header.sector_size + len(vector)) // header.sector_size) * header.sector_size
    if total > LOG_LIMIT or at + total > log.size:
        return LogFault(f"is cut short: {total} bytes of pages should follow offset {at}")
    pages = []
    for offset, length in runs:
        pages.append((offset, log.read(at, length)))
        at += length
    return tuple(pages)


def _runs(vector: bytes) -> Iterator[tuple[int, int]]:
    """The dirty stretches of the bins' data as (offset, length) in bytes, ascending; bit 0 is the first page."""
    start = end = 0
    for index, bits in enumerate(vector):
        if not bits:
            continue
        for bit in range(_PAGES_PER_BYTE):
            if bits >> bit & 1:
                offset = (index * _PAGES_PER_BYTE + bit) * SECTOR
                if offset != end:
                    if end > start:
                        yield start, end - start
                    start = offset
                end = offset + SECTOR
    if end > start:
        yield start, end - start
