"""Paths with letters in the registry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.windows.hives import hive_of

from bootgraft.windows.data.data_paths import DataUse, ProductRole, page_file_path, role, software_paths, system_paths

SOFTWARE = r"""
[\Microsoft\Windows\CurrentVersion]
"ProgramFilesDir"="E:\\Program Files"
"ProgramFilesDir (x86)"="C:\\Program Files (x86)"
"CommonFilesDir"=dword:00000001

[\Microsoft\Windows NT\CurrentVersion\ProfileList]
"ProfilesDirectory"="%SystemDrive%\\Users"

[\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1]
"ProfileImagePath"="f:\\Users\\anna"

[\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-2]
"ProfileImagePath"="\\\\server\\share\\berta"
"""


def system(product: str = "LanmanNT") -> str:
    return rf"""
[\ControlSet001\Control\ProductOptions]
"ProductType"="{product}"

[\ControlSet001\Services\NTDS\Parameters]
"DSA Database file"="D:\\NTDS\\ntds.dit"
"Database log files path"="\\??\\L:"

[\ControlSet001\Services\Netlogon\Parameters]
"SysVol"="D:\\SYSVOL\\sysvol"
"""


def test_programs_and_profiles() -> None:
    found = list(software_paths(hive_of(SOFTWARE)))
    assert [(each.use, str(each)) for each in found] == [
        (DataUse.PROGRAMS, r"E:\Program Files"),
        (DataUse.PROGRAMS, r"C:\Program Files (x86)"),
        (DataUse.PROFILES, r"F:\Users\anna"),
    ]
    assert found[2].where.endswith(r"ProfileList\S-1-5-21-1: ProfileImagePath")


def test_the_directory_of_a_domain_controller() -> None:
    found = list(system_paths(hive_of(system()), 1))
    assert [(each.use, each.letter, each.rest) for each in found] == [
        (DataUse.DATABASE, "D:", r"\NTDS\ntds.dit"),
        (DataUse.LOGS, "L:", ""),
        (DataUse.SYSVOL, "D:", r"\SYSVOL\sysvol"),
    ]
    assert list(system_paths(hive_of(system("ServerNT")), 1)) == []
    assert list(system_paths(hive_of(system()), 2)) == []


@pytest.mark.parametrize(
    ("product", "wanted"),
    [
        ("LanmanNT", ProductRole.DOMAIN_CONTROLLER),
        ("ServerNT", ProductRole.SERVER),
        ("WinNT", ProductRole.WORKSTATION),
        ("", ProductRole.UNKNOWN),
    ],
)
def test_roles(product: str, wanted: ProductRole) -> None:
    assert role(hive_of(system(product)), 1) is wanted


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (r"C:\pagefile.sys 384 768", r"C:\pagefile.sys"),
        (r"C:\pagefile.sys", r"C:\pagefile.sys"),
        (r"d:\page file.sys  0 0 ", r"d:\page file.sys"),
        (r"C:\pagefile.sys 267", r"C:\pagefile.sys"),
        ("", ""),
    ],
)
def test_sizes_are_no_part_of_the_path(entry: str, path: str) -> None:
    assert page_file_path(entry) == path


@given(st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    assert len(page_file_path(text)) <= len(text)
