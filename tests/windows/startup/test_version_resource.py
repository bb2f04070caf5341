"""Version resources by a few reads: what windres made, what pefile says of it, and what hostile files come to."""

import struct

import pefile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kernels import binary
from tests.machines.spec import Architecture
from tests.memory_windows import MemoryFileSystem
from tests.windows.hives import TESTDATA

from bootgraft.windows.startup.version_resource import VersionResource, parse_version, read_version

PATH = r"\hal.dll"


def read(data: bytes) -> VersionResource | None:
    return read_version(MemoryFileSystem({PATH: data}), PATH)


@pytest.mark.parametrize("arch", [Architecture.X86, Architecture.X64])
@pytest.mark.parametrize("name", ["halmacpi.dll", "ntkrpamp.exe", "x"])
def test_name_and_version(name: str, arch: Architecture) -> None:
    assert read(binary(name, (5, 1, 2600, 5512), arch)) == VersionResource(name, (5, 1, 2600, 5512))


def by_pefile(data: bytes) -> VersionResource | None:
    """The oracle."""
    parsed = pefile.PE(data=data, fast_load=True)
    parsed.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])
    if not hasattr(parsed, "VS_FIXEDFILEINFO"):
        return None
    fixed = parsed.VS_FIXEDFILEINFO[0]
    names = [
        table.entries[b"OriginalFilename"].decode()
        for info in parsed.FileInfo[0]
        if hasattr(info, "StringTable")
        for table in info.StringTable
        if b"OriginalFilename" in table.entries
    ]
    high, low = fixed.FileVersionMS, fixed.FileVersionLS
    return VersionResource(names[0].strip() if names else "", (high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF))


def test_real_drivers_say_the_same_as_to_pefile() -> None:
    files = sorted(TESTDATA.glob("drivers/**/*.sys"))[::12]
    if not files:
        pytest.skip("needs ../shared/testdata: real drivers")
    for path in files:
        data = path.read_bytes()
        assert read(data) == by_pefile(data), path


def test_what_is_no_binary_says_nothing() -> None:
    for data in (b"", b"MZ", b"MZ" + bytes(8192), binary("hal.dll")[:600]):
        assert read(data) is None
    assert read_version(MemoryFileSystem({PATH: b""}), r"\other") is None


def test_without_a_version_resource() -> None:
    data = bytearray(binary("hal.dll"))
    (offset,) = struct.unpack_from("<I", data, 0x3C)
    data[offset + 24 + 96 + 16 : offset + 24 + 96 + 24] = bytes(8)
    assert read(bytes(data)) is None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1 << 14), st.integers(0, 255)), min_size=1, max_size=12))
def test_damaged_files_come_to_an_end(changes: list[tuple[int, int]]) -> None:
    data = bytearray(binary("halmacpi.dll"))
    for at, value in changes:
        data[at % len(data)] = value
    found = read(bytes(data))
    assert found is None or len(found.original_name) < len(data)


@given(st.binary(max_size=400))
def test_any_bytes_are_taken_for_a_resource(data: bytes) -> None:
    parse_version(data)
