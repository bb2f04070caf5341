r"""``SYSTEM\DISK``, ``Information``."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.windows.hives import hive_of, real_system

from bootgraft.windows.disk_information import parse_disk_signatures, read_disk_signatures


def information(*disks: tuple[int, int], version: int = 3, count: int | None = None) -> bytes:
    """The value for these disks: signature and number of partitions."""
    listed = b"".join(
        struct.pack("<HHI", partitions, 0, signature) + bytes(52 * partitions) for signature, partitions in disks
    )
    body = struct.pack("<HH", len(disks) if count is None else count, 0) + listed
    return struct.pack("<III4I2I2I", version, 0, 0, 44, len(body), 44 + len(body), 0, 0, 0, 0, 0) + body


def test_signatures() -> None:
    data = information((0x12345678, 2), (0x9ABCDEF0, 0), (1, 4))
    assert parse_disk_signatures(data) == (0x12345678, 0x9ABCDEF0, 1)
    hive = hive_of(f'[\\DISK]\n"Information"=hex:{data.hex(",")}\n')
    assert read_disk_signatures(hive) == (0x12345678, 0x9ABCDEF0, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(44),
        information((1, 1), version=2),
        information((1, 1), count=2),
        information((1, 1))[:-1],
        b"\xff" * 60,
    ],
)
def test_what_is_not_as_the_header_file_says_is_not_read(data: bytes) -> None:
    assert parse_disk_signatures(data) == ()


def test_machines_without_it() -> None:
    assert read_disk_signatures(hive_of(r"[\DISK]")) == ()
    assert read_disk_signatures(real_system("nt4-sp3-server-dc-vmware-buslogic")) == ()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert len(parse_disk_signatures(data)) <= 256
