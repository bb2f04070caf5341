"""The Windows that a driver is for."""

from pathlib import Path

import pytest
from tests.machines.windows_hives import WINDOWS_XP
from tests.memory_windows import memory_windows
from tests.windows.hives import MemoryFile, real_bytes

from bootgraft.drivers.inf.target_windows import SERVER, WORKSTATION, known_windows, read_target_windows
from bootgraft.errors import UsageError
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import read_select
from bootgraft.windows.pe import Architecture


@pytest.mark.parametrize(
    ("version", "arch", "expected"),
    [
        ("xp", "x86", ((5, 1), 2600, WORKSTATION)),
        ("2003", "amd64", ((5, 2), 3790, SERVER)),
        ("Windows 7", "x64", ((6, 1), 7601, WORKSTATION)),
        ("Server 2008 R2", None, ((6, 1), 7601, SERVER)),
        ("6.1", "i386", ((6, 1), 0, 0)),
        ("10.0.19041", "arm64", ((10, 0), 19041, 0)),
    ],
)
def test_names_and_numbers(version: str, arch: str | None, expected: tuple[object, ...]) -> None:
    (found,) = known_windows(version, arch)
    assert (found.version, found.build, found.product_type) == expected


def test_without_a_name_every_windows() -> None:
    found = known_windows()
    assert len({str(each) for each in found}) == len(found) >= 25
    assert {each.arch for each in known_windows("6.1")} == {Architecture.X86, Architecture.X64, Architecture.ARM64}


@pytest.mark.parametrize(
    ("version", "arch", "what"),
    [
        ("95", None, "no such Windows"),
        ("6", None, "no such Windows"),
        ("6.1.2.3", None, "no such Windows"),
        ("6.x", None, "no such Windows"),
        ("2008r2", "x86", "there is no Windows Server 2008 R2 for x86"),
        ("xp", "mips", "no such architecture"),
    ],
)
def test_what_there_is_not(version: str, arch: str | None, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        known_windows(version, arch)


def test_an_installation_in_memory(machine_cache: Path) -> None:
    server = memory_windows(machine_cache)
    found = read_target_windows(server.installation, server.hive)
    assert str(found) == "Microsoft Windows Server 2003 (NT 5.2 build 3790, x86)"
    assert found.product_type == SERVER
    workstation = memory_windows(machine_cache, release=WINDOWS_XP)
    assert read_target_windows(workstation.installation, workstation.hive).product_type == WORKSTATION


def test_suites_of_real_hives(machine_cache: Path) -> None:
    """Product types and suites as reglookup shows them in ControlSet001/Control/ProductOptions."""
    expected = {
        "nt4-sp3-server-dc-vmware-buslogic": (2, 0x002),
        "xp-sp3-x86-vmware-buslogic-vmscsi": (1, 0),
        "win7-sp1-x86-vmware-lsisas": (1, 0x010),
    }
    installation = memory_windows(machine_cache).installation
    for name, (product_type, suites) in expected.items():
        hive = Hive.open(MemoryFile(real_bytes("hives-system", name, "SYSTEM")), name=name)
        assert read_select(hive).default == installation.select.default
        found = read_target_windows(installation, hive)
        assert (found.product_type, found.suites) == (product_type, suites), name
