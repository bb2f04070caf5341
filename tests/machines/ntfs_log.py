"""The restart pages of an NTFS journal ($LogFile), as an unclean shutdown or Windows 8 leaves them.

No tool outside Windows makes these. The layout is that of the Linux-NTFS project's documentation of $LogFile; the
cluster of the file is asked from sleuthkit.
"""

import re
import struct
from pathlib import Path

from tests.machines.tools import run

_CLUSTER = 4096
_PAGE = 4096
_SECTORS_PER_PAGE = _PAGE // 512
_AREA, _CLIENTS = 0x30, 0x40  # the restart area in the page; the client records in the area
_CLIENT_SIZE = 0xA0
_NO_CLIENT = 0xFFFF


def write_log(volume: Path, *, clean: bool, major: int) -> None:
    """Write both restart pages: version ``major``, one client in use, and the volume marked clean or not."""
    report = run("istat", "-f", "ntfs", volume, "2").decode()
    data = re.search(r"Type: \$DATA .*?size: (\d+).*?\n\s*(\d+)", report, re.DOTALL)
    assert data is not None
    page = _restart_page(int(data[1]), clean=clean, major=major)
    with volume.open("r+b") as image:
        image.seek(int(data[2]) * _CLUSTER)
        image.write(page * 2)


def _restart_page(log_size: int, *, clean: bool, major: int) -> bytes:
    page = bytearray(_PAGE)
    sequence_at, sequence = 0x1E, 1
    minor = 1 if major == 1 else 0
    fixups = _SECTORS_PER_PAGE + 1
    head = (b"RSTR", sequence_at, fixups, 0, _PAGE, _PAGE, _AREA, minor, major)
    struct.pack_into("<4sHHQIIHhh", page, 0, *head)
    # current LSN, clients, free list, in-use list, flags, sequence number bits, length of the area, client array
    flags = 0x0002 if clean else 0
    length = _CLIENTS + _CLIENT_SIZE
    area = (
        0x100000,
        1,
        _NO_CLIENT,
        0,
        flags,
        67 - log_size.bit_length(),
        length,
        _CLIENTS,
        log_size,
        0,
        0x30,
        0x40,
        1,
        0,
    )
    struct.pack_into("<QHHHHIHHQIHHII", page, _AREA, *area)
    client = struct.pack("<QQHHH6xI", 0x100000, 0x100000, _NO_CLIENT, _NO_CLIENT, 0, 8) + "NTFS".encode("utf-16-le")
    at = _AREA + _CLIENTS
    page[at : at + len(client)] = client
    struct.pack_into("<H", page, sequence_at, sequence)
    for index in range(_SECTORS_PER_PAGE):
        end = (index + 1) * 512 - 2
        page[sequence_at + 2 + 2 * index : sequence_at + 4 + 2 * index] = page[end : end + 2]
        struct.pack_into("<H", page, end, sequence)
    return bytes(page)
