"""The letter that a Windows was installed under."""

import pytest
from tests.windows.hives import MemoryFile, hive_of, real_bytes

from bootgraft.registry.hive import Hive
from bootgraft.windows.system_root import agreed, own_letters

KEY = "[\\Microsoft\\Windows NT\\CurrentVersion]\n"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ('"SystemRoot"="D:\\\\WINDOWS"\n"PathName"="d:\\\\WINDOWS"', (("SystemRoot", "D:"), ("PathName", "D:"))),
        ('"PathName"="E:\\\\W2K3 R2"', (("PathName", "E:"),)),
        ('"SystemRoot"="C:\\\\WINDOWS"\n"PathName"="D:\\\\WINDOWS"', (("SystemRoot", "C:"), ("PathName", "D:"))),
        ('"SystemRoot"="%SystemDrive%\\\\WINDOWS"\n"PathName"="\\\\WINDOWS"', ()),
        ('"SystemRoot"=dword:00000001\n"PathName"="C:WINDOWS"', ()),
        ("", ()),
    ],
)
def test_what_counts_as_one(values: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert own_letters(hive_of(KEY + values)) == expected


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ((("SystemRoot", "D:"), ("PathName", "D:")), "D:"),
        ((("PathName", "E:"),), "E:"),
        ((("SystemRoot", "C:"), ("PathName", "D:")), None),
        ((), None),
    ],
)
def test_two_letters_are_none(letters: tuple[tuple[str, str], ...], expected: str | None) -> None:
    assert agreed(letters) == expected


def test_a_hive_without_the_key() -> None:
    assert own_letters(hive_of(r"[\Classes]")) == ()


@pytest.mark.parametrize("machine", ["nt4-sp3-server-dc-vmware-buslogic", "xp-sp3-x86-vmware-buslogic-vmscsi"])
def test_real_machines(machine: str) -> None:
    hive = Hive.open(MemoryFile(real_bytes("hives-software", machine, "SOFTWARE")), name="SOFTWARE")
    assert own_letters(hive) == (("SystemRoot", "C:"), ("PathName", "C:"))
