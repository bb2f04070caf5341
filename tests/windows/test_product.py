"""Which Windows it is, and whether ntldr starts it; whole installations are tested in ``test_installation``."""

import pytest
from tests.fakes import FakePartition, machine_of, volume_of
from tests.windows.hives import hive_bytes, hive_of

from bootgraft.machine import Volume
from bootgraft.windows.product import Product, find_product, read_product

KEY = "[\\Microsoft\\Windows NT\\CurrentVersion]\n"


def product(name: str, version: tuple[int, int]) -> Product:
    return Product(name, version, "", "", name)


@pytest.mark.parametrize(
    ("name", "version", "starts"),
    [
        ("", (3, 1), True),
        ("", (4, 0), True),
        ("Microsoft Windows Server 2003", (5, 2), True),
        ("ReactOS", (5, 2), False),
        ("Windows Vista", (6, 0), False),
        ("", (0, 0), False),
    ],
)
def test_whether_ntldr_starts_it(name: str, version: tuple[int, int], starts: bool) -> None:
    assert product(name, version).starts_by_ntldr is starts


def test_nt_4_has_a_name_and_writes_none() -> None:
    found = read_product(hive_of(KEY + '"CurrentVersion"="4.0"\n'), "WinNT")
    assert (found.name, found.written_name) == ("Windows NT Workstation 4.0", "")


def volume_with(software: bytes) -> Volume:
    path = "\\WINDOWS\\system32\\config\\SOFTWARE"
    (volume,) = machine_of([FakePartition(volume_of(contents={path: software}))]).volumes()
    return volume


def test_what_cannot_be_read_tells_nothing() -> None:
    told = volume_with(hive_bytes(KEY + '"CurrentVersion"="5.1"\n'))
    found = find_product(told, "\\WINDOWS")
    assert found is not None
    assert found.version == (5, 1)
    assert find_product(told, "\\WINNT") is None
    assert find_product(volume_with(hive_bytes(KEY)), "\\WINDOWS") is None
    assert find_product(volume_with(b"regf" + bytes(100)), "\\WINDOWS") is None
