"""What binaries export, compared with what objdump says of the same files, and what damage makes of it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import FakeFileSystem
from tests.machines.executables import make_executable
from tests.machines.spec import Architecture, PortableExecutable
from tests.machines.tools import run

from bootgraft.windows.exports import Exports, ExportTables, locate, parse_exports

NAMES = ("ScsiPortInitialize", "ScsiPortLogError", "ScsiPortNotification")


@pytest.fixture(scope="module", params=[Architecture.X86, Architecture.X64])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("exports") / "scsiport.sys"
    make_executable(PortableExecutable("scsiport.sys", request.param, (), NAMES), path)
    return path


def tables(path: Path) -> ExportTables:
    return ExportTables(FakeFileSystem({"\\x.sys": path.read_bytes()}))


def test_names_and_ordinals_are_those_that_objdump_finds(library: Path) -> None:
    text = run("objdump", "-p", library).decode()
    named = re.findall(r"^\s+\[\s*\d+\]\s+(?:\+base\[\s*(\d+)\]\s+)?(?:[0-9a-f]{4}\s+)?(\w+)$", text, re.MULTILINE)
    assert {name for _, name in named} >= set(NAMES)
    found = tables(library).of("\\x.sys")
    assert found is not None
    assert found.names == set(NAMES)
    assert found.ordinals == {1, 2, 3}
    assert found.lacks(["ScsiPortInitialize", "#2", "#9", "StorPortInitialize"]) == ("#9", "StorPortInitialize")


def test_a_file_is_read_once_and_only_where_its_exports_are(library: Path) -> None:
    volume = FakeFileSystem({"\\x.sys": library.read_bytes()})
    known = ExportTables(volume)
    first = known.of("\\x.sys")
    calls = volume.calls
    assert known.of("\\X.SYS") is first
    assert volume.calls == calls


def test_a_driver_exports_nothing(tmp_path: Path) -> None:
    make_executable(PortableExecutable("symmpi.sys", Architecture.X86), tmp_path / "x.sys")
    assert tables(tmp_path / "x.sys").of("\\x.sys") == Exports(frozenset(), frozenset())


def test_what_cannot_be_read_tells_nothing(library: Path) -> None:
    assert tables(library).of("\\missing.sys") is None
    assert ExportTables(FakeFileSystem({"\\x.sys": b"MZ"})).of("\\x.sys") is None
    data = bytearray(library.read_bytes())
    place = locate(bytes(data[:4096]))
    assert place is not None
    address, size, offset = place
    data[offset + 24 : offset + 28] = b"\xff\xff\xff\x7f"  # the number of names
    assert ExportTables(FakeFileSystem({"\\x.sys": bytes(data)})).of("\\x.sys") is None
    directory = bytearray(library.read_bytes()[offset : offset + size])
    directory[32:36] = (address + size).to_bytes(4, "little")  # the table of names, outside
    assert parse_exports(bytes(directory), address) is None


@given(st.binary(max_size=400), st.integers(0, 2**32 - 1))
def test_no_bytes_do_harm(data: bytes, address: int) -> None:
    locate(data)
    found = parse_exports(data, address)
    assert found is None or len(found.names) <= 65536
