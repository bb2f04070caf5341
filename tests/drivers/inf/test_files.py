"""Which files an INF copies, from where, and to where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.drivers.inf.infs import inf

from bootgraft.drivers.inf.files import copied_files, inside, service_binary, source_paths
from bootgraft.drivers.inf.text import InfFile
from bootgraft.windows.pe import Architecture


def nothing(_name: str) -> InfFile | None:
    return None


DRIVERS = "system32\\drivers"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"%12%\x.sys", rf"{DRIVERS}\x.sys"),
        (r"%13%\x.sys", rf"{DRIVERS}\x.sys"),
        (r"%11%\drivers\x.sys", r"system32\drivers\x.sys"),
        (r"%10%\System32\Drivers\x.sys", r"System32\Drivers\x.sys"),
        (r"%SystemRoot%\system32\x.sys", r"system32\x.sys"),
        (r"\SystemRoot\system32\drivers\x.sys", r"system32\drivers\x.sys"),
        (r"system32\DRIVERS\x.sys", r"system32\DRIVERS\x.sys"),
        (r"%12%\\x.sys", rf"{DRIVERS}\x.sys"),
        ("system32/drivers/x.sys", r"system32\drivers\x.sys"),
        (r"%24%\x.sys", None),
        (r"%16406%\x.sys", None),
        (r"%12%\..\..\x.sys", None),
        (r"C:\x.sys", None),
        (r"\\server\share\x.sys", None),
        (r"\??\C:\x.sys", None),
        ("", None),
        (r"%12%", DRIVERS),
    ],
)
def test_where_a_service_has_its_file(path: str, expected: str | None) -> None:
    assert service_binary(path) == expected


@given(st.text(alphabet='%12.\\/:a"', max_size=40))
def test_nothing_leaves_the_windows_directory(path: str) -> None:
    found = service_binary(path)
    if found is not None:
        assert not found.startswith("\\")
        assert not set(found.split("\\")) & {"", ".", ".."}
        assert inside(found) == found


def test_copied_files_by_name_and_by_list() -> None:
    text = """
[a]
CopyFiles = @one.sys, list, elsewhere
CopyFiles = renamed
[list]
two.sys,,,2
three.dll
[elsewhere]
four.exe
[renamed]
five.sys, five.x64
[DestinationDirs]
DefaultDestDir = 12
list = 11, sub
elsewhere = 24, Program
"""
    found = [(each.name, each.source, each.target) for each in copied_files(inf(text), "a", nothing)]
    assert found == [
        ("one.sys", "one.sys", rf"{DRIVERS}\one.sys"),
        ("two.sys", "two.sys", r"system32\sub\two.sys"),
        ("three.dll", "three.dll", r"system32\sub\three.dll"),
        ("four.exe", "four.exe", None),
        ("five.sys", "five.x64", rf"{DRIVERS}\five.sys"),
    ]


def test_without_destinations_files_go_to_system32() -> None:
    (found,) = copied_files(inf("[a]\nCopyFiles=@x.sys"), "a", nothing)
    assert found.target == r"system32\x.sys"


def test_where_files_lie_in_the_package() -> None:
    text = r"""
[SourceDisksNames]
1 = "Disk",,,\x86
2 = "Disk 2",,,"\more\"
[SourceDisksNames.amd64]
1 = "Disk",,,\x64
[SourceDisksFiles]
a.sys = 1
b.sys = 2, sub
[SourceDisksFiles.amd64]
a.sys = 1, drivers
"""
    found = inf(text)
    assert source_paths(found, "A.SYS", Architecture.X86) == (r"x86\A.SYS", "A.SYS")
    assert source_paths(found, "a.sys", Architecture.X64) == (r"x64\drivers\a.sys", "a.sys")
    assert source_paths(found, "b.sys", Architecture.X64) == (r"more\sub\b.sys", "b.sys")
    assert source_paths(found, "c.sys", Architecture.X86) == ("c.sys",)
