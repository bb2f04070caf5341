"""The maker that a file names, as pefile reads it; of real files, and of damaged ones."""

from pathlib import Path

import pefile
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import FakeFileSystem

from bootgraft.windows.company import find_company, read_company

NAME = "CompanyName\0".encode("utf-16-le")


def by_pefile(data: bytes) -> str:
    """What pefile reads from the version resource."""
    parsed = pefile.PE(data=data)
    tables = (table for info in parsed.FileInfo[0] if info.Key == b"StringFileInfo" for table in info.StringTable)
    return next(str(table.entries[b"CompanyName"], "utf-8") for table in tables)


def test_real_files(shared_testdata: Path) -> None:
    drivers = sorted((shared_testdata / "drivers").rglob("viostor.sys"))
    assert len(drivers) > 20
    for path in drivers:
        data = path.read_bytes()
        assert read_company(FakeFileSystem({"\\x.sys": data}), "\\x.sys") == by_pefile(data).strip(), path


def test_what_names_no_maker() -> None:
    for data in (b"", b"MZ" + bytes(4096), b"\xff" * 5000):
        assert read_company(FakeFileSystem({"\\x.sys": data}), "\\x.sys") is None
    assert read_company(FakeFileSystem({}), "\\x.sys") is None
    assert find_company(NAME) is None
    assert find_company(NAME + bytes(20)) is None


def test_the_value_stands_behind_the_padding() -> None:
    for padding in (b"", b"\0\0"):
        assert find_company(b"abc" + NAME + padding + "A Vendor\0rest".encode("utf-16-le")) == "A Vendor"


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    read_company(FakeFileSystem({"\\x.sys": b"MZ" + data}), "\\x.sys")
    find_company(NAME + data)
