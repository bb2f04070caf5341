"""The base block: what is accepted, what is dirty, what is damaged."""

import struct

import pytest

from bootgraft.errors import DirtyHiveError, HiveError
from bootgraft.registry import baseblock


def block(**changes: int) -> bytes:
    fields = {"primary": 7, "secondary": 7, "major": 1, "minor": 5, "kind": 0, "form": 1, "root": 32, "bins": 4096}
    fields |= changes
    data = bytearray(512)
    struct.pack_into(
        "<4sIIQIIIIIII", data, 0, b"regf", fields["primary"], fields["secondary"], 99, fields["major"],
        fields["minor"], fields["kind"], fields["form"], fields["root"], fields["bins"], 1,
    )  # fmt: skip
    data[508:] = baseblock.checksum(bytes(data)).to_bytes(4, "little")
    return bytes(data)


def parse(data: bytes, file_size: int = 8192) -> baseblock.BaseBlock:
    return baseblock.parse(data, file_size=file_size, name="SYSTEM")


@pytest.mark.parametrize("minor", range(2, 7))
def test_versions(minor: int) -> None:
    assert parse(block(minor=minor)) == baseblock.BaseBlock(7, 7, 99, minor, 32, 4096)


def test_dirty_by_sequence_numbers() -> None:
    with pytest.raises(
        DirtyHiveError, match=r"SYSTEM: transactions are pending .*\(sequence numbers 8 and 7\)"
    ) as info:
        parse(block(primary=8))
    assert "shut it down cleanly" in info.value.advice


def test_dirty_by_checksum() -> None:
    data = bytearray(block())
    data[50] ^= 1
    with pytest.raises(DirtyHiveError, match="checksum"):
        parse(bytes(data))


@pytest.mark.parametrize(
    "changes",
    [
        {"major": 2}, {"minor": 1}, {"minor": 7}, {"kind": 1}, {"form": 0}, {"bins": 0}, {"bins": 4097},
        {"bins": 8192}, {"bins": 0xFFFFF000}, {"root": 0}, {"root": 36}, {"root": 4096}, {"root": 0xFFFFFFF8},
    ],
)  # fmt: skip
def test_damage(changes: dict[str, int]) -> None:
    with pytest.raises(HiveError) as info:
        parse(block(**changes))
    assert not isinstance(info.value, DirtyHiveError)


@pytest.mark.parametrize("data", [b"", b"regf", bytes(512), b"\0" * 8192, b"MZ".ljust(8192, b"\0")])
def test_no_hive(data: bytes) -> None:
    with pytest.raises(HiveError):
        parse(data[:512], len(data))


def test_checksum_avoids_its_two_special_values() -> None:
    assert baseblock.checksum(bytes(512)) == 1
    assert baseblock.checksum(b"\xff\xff\xff\xff" + bytes(508)) == 0xFFFFFFFE


def test_seal_keeps_what_it_does_not_know() -> None:
    data = bytearray(block())
    data[48:112] = b"\\\0S\0Y\0".ljust(64, b"\0")
    data[112:200] = bytes(range(88))
    sealed = baseblock.seal(bytes(data), sequence=8, timestamp=100, bins_size=8192)
    assert parse(sealed, 3 * 4096) == baseblock.BaseBlock(8, 8, 100, 5, 32, 8192)
    assert sealed[44:508] == data[44:508]
