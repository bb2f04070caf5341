"""Hives as hostile input: whatever the bytes, one clear error or a reading, in bounded time, and never a write."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.registry.support import FILETIME, Memory, built_hive, real_file

from bootgraft.errors import HiveError
from bootgraft.registry import baseblock
from bootgraft.registry.hive import Hive

PAGE = 4096
TEXT = (
    '[\\A]\n"a"="some text"\n"b"=dword:00000001\n\n'
    + "".join(f'[\\A\\key {number}]\n"v"=hex:01,02,03,04,05,06\n\n' for number in range(40))
    + "[\\B]\n\n[\\B\\C]\n\n[\\B\\C\\D]\n"
)
KEYS_READ_AT_MOST = 20_000


def attempt(data: bytes) -> bool:
    """Read everything, then edit; whether nothing was found wrong. Any error but HiveError fails the test."""
    memory = Memory(data)
    try:
        hive = Hive.open(memory, name="SYSTEM")
        for number, key in enumerate(hive.root.walk()):
            assert number < KEYS_READ_AT_MOST
            sum(len(value.data) for value in key.values())
            key.class_name()
        hive.create_key(r"A\key 7\new")
        hive.set_value("A", "a", 3, bytes(3000))
        hive.delete_value("A", "b")
        hive.delete_key(r"A\key 3")
        hive.delete_key("B")
    except HiveError:
        assert memory.writes == []
        return False
    assert memory.writes == []
    hive.commit(filetime=FILETIME)
    Hive.open(memory, name="SYSTEM")
    return True


def sealed(data: bytearray) -> bytes:
    struct.pack_into("<I", data, 508, baseblock.checksum(bytes(data[:512])))
    return bytes(data)


def words_of_interest(data: bytes) -> list[int]:
    """Numbers that a forger would put anywhere: ends of ranges, and offsets of real records."""
    offsets = [at - PAGE - 4 for sign in (b"nk", b"vk", b"lf", b"lh", b"sk") for at in places(data, sign)]
    return [0, 1, 2, 4, 0x7FFFFFFF, 0x80000000, 0x80000005, 0xFFFFFFFF, 0xFFFFFFF8, 0xFFFF, len(data), *offsets]


def places(data: bytes, sign: bytes) -> Iterator[int]:
    at = data.find(sign, PAGE)
    while at >= 0:
        yield at
        at = data.find(sign, at + 1)


def mutations(data: bytes, *, seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    words = words_of_interest(data)
    end = PAGE + struct.unpack_from("<I", data, 40)[0]
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            if chance.random() < 0.1:
                changed[chance.randrange(4, 512)] = chance.randrange(256)
            elif chance.random() < 0.3:
                changed[chance.randrange(PAGE, end)] ^= 1 << chance.randrange(8)
            else:
                struct.pack_into("<I", changed, chance.randrange(PAGE, end - 4, 4), chance.choice(words))
        yield sealed(changed)


@pytest.mark.parametrize("minor", [3, 5])
def test_mutations_of_a_built_hive(tmp_path: Path, minor: int) -> None:
    data = built_hive(tmp_path, minor=minor, text=TEXT)
    assert attempt(data)
    results = [attempt(changed) for changed in mutations(data, seed=minor, count=700)]
    assert any(results)
    assert not all(results)


@pytest.mark.parametrize(
    "name", ["hives-other/yarp/BigDataHive", "bcd/uefi/w10-zh-two-winre/BCD", "hives-other/plaso/100_sub_keys.hiv"]
)
def test_mutations_of_real_hives(name: str) -> None:
    data = real_file(name).read_bytes()
    for changed in mutations(data, seed=1, count=250):
        attempt(changed)


def test_every_truncation(tmp_path: Path) -> None:
    data = built_hive(tmp_path, minor=5, text=TEXT)
    for size in range(0, len(data), 509):
        assert not attempt(data[:size])


@pytest.fixture
def forged(tmp_path: Path) -> tuple[bytearray, Hive]:
    data = bytearray(built_hive(tmp_path, minor=5, text=TEXT))
    return data, Hive.open(Memory(bytes(data)), name="SYSTEM")


def offset_of(hive: Hive, path: str) -> int:
    key = hive.key(path)
    assert key is not None
    return key.offset


def test_a_key_that_is_its_own_child(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    key = hive.key(r"B\C")
    assert key is not None
    struct.pack_into("<I", data, PAGE + key.node().subkey_list + 8, key.offset)
    struct.pack_into("<I", data, PAGE + key.offset + 4 + 16, key.offset)
    assert not attempt(bytes(data))


def test_a_root_that_is_listed_below(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    key = hive.key(r"B\C")
    assert key is not None
    struct.pack_into("<I", data, PAGE + key.node().subkey_list + 8, hive.root.offset)
    struct.pack_into("<I", data, PAGE + hive.root.offset + 4 + 16, key.offset)
    assert not attempt(bytes(data))


def test_a_list_that_names_one_key_many_times(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    node = hive.cells and hive.key("A")
    assert node
    first = struct.unpack_from("<I", data, PAGE + node.node().subkey_list + 8)[0]
    for index in range(node.node().subkey_count):
        struct.pack_into("<I", data, PAGE + node.node().subkey_list + 8 + 8 * index, first)
    assert not attempt(bytes(data))


def test_values_that_share_the_bytes_of_the_whole_hive(tmp_path: Path) -> None:
    """A few bytes of list must not become gigabytes of data."""
    lines = "".join(f'"{number}"=hex:01,02,03,04,05,06,07,08\n' for number in range(200))
    data = bytearray(built_hive(tmp_path, minor=5, text=f'[\\A]\n{lines}"big"=hex:{"00," * 9999}00\n'))
    hive = Hive.open(Memory(bytes(data)), name="SYSTEM")
    key = hive.key("A")
    assert key is not None
    node = key.node()
    listed = struct.unpack_from(f"<{node.value_count}I", data, PAGE + node.value_list + 4)
    big = next(at for at in listed if data[PAGE + at + 4 + 20 :].startswith(b"big"))
    size_and_place = data[PAGE + big + 8 : PAGE + big + 16]
    for at in listed:
        data[PAGE + at + 8 : PAGE + at + 16] = size_and_place
    forged = Hive.open(Memory(bytes(data)), name="SYSTEM").key("A")
    assert forged is not None
    with pytest.raises(HiveError, match="more bytes than the hive"):
        tuple(forged.values())


def test_a_security_cell_with_a_wrong_count(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    security = hive.root.node().security
    struct.pack_into("<I", data, PAGE + security + 4 + 12, 1)
    broken = Hive.open(Memory(bytes(data)), name="SYSTEM")
    with pytest.raises(HiveError, match="more keys than it counts"):
        broken.delete_key("B")
    assert not broken.is_changed
    assert broken.key(r"B\C\D") is not None


def test_a_bin_with_a_wrong_header(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    bins_size = hive.cells.bins_size
    assert bins_size > PAGE
    second = struct.unpack_from("<I", data, PAGE + 8)[0]
    data[PAGE + second : PAGE + second + 4] = b"nibh"
    broken = Hive.open(Memory(bytes(data)), name="SYSTEM")
    with pytest.raises(HiveError, match="wrong header"):
        broken.set_value("A", "large", 3, bytes(10_000))
    assert broken.cells.bins_size == bins_size
    assert not broken.is_changed


def test_a_bin_of_a_size_that_windows_never_writes(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    size = 2**24
    data[hive.cells.bins_size + PAGE :] = bytes(size - hive.cells.bins_size)
    struct.pack_into("<I", data, 40, size)
    struct.pack_into("<I", data, PAGE + 8, size)
    broken = Hive.open(Memory(sealed(data)), name="SYSTEM")
    assert broken.key("A") is not None
    with pytest.raises(HiveError, match="more than Windows writes"):
        broken.create_key("New")


def test_a_class_that_points_between_two_cells(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    at = offset_of(hive, r"B\C")
    struct.pack_into("<I", data, PAGE + at + 4 + 48, at + 8)
    struct.pack_into("<H", data, PAGE + at + 4 + 74, 8)
    broken = Hive.open(Memory(bytes(data)), name="SYSTEM")
    with pytest.raises(HiveError, match="no cell in use"):
        broken.delete_key("B")
    assert not broken.is_changed


@pytest.mark.parametrize("offset", [0, 8, 28, 33, 4096, 0x7FFFFFF8, 0xFFFFFFFF])
def test_offsets_of_the_root(forged: tuple[bytearray, Hive], offset: int) -> None:
    data, _ = forged
    struct.pack_into("<I", data, 36, offset)
    assert not attempt(sealed(data))


def test_a_list_of_lists_of_lists(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    key = hive.key("B")
    assert key is not None
    at = PAGE + key.node().subkey_list + 4
    data[at : at + 8] = b"ri\x01\x00" + key.node().subkey_list.to_bytes(4, "little")
    with pytest.raises(HiveError, match="no list of sub-keys"):
        Hive.open(Memory(bytes(data)), name="SYSTEM").key(r"B\C")


def test_offsets_found_by_name_stay_inside(forged: tuple[bytearray, Hive]) -> None:
    data, hive = forged
    value_list = hive.key("A")
    assert value_list is not None
    struct.pack_into("<I", data, PAGE + value_list.node().value_list + 4, hive.cells.bins_size - 4)
    assert not attempt(bytes(data))
    assert offset_of(hive, "A") == value_list.offset
