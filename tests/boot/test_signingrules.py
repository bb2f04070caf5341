"""By which rules a Windows takes signatures, read from its machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.boot.bootmgr.test_chain import Make, at, bios_machine, efi_loader, make, started_by_uefi, store, windows
from tests.machines import bcd
from tests.machines.build import content
from tests.machines.spec import Architecture as Built
from tests.machines.spec import File, PortableExecutable
from tests.machines.vista import DEFAULT
from tests.windows.hives import hive_of

from bootgraft.boot.chain import follow
from bootgraft.boot.signingrules import read_rules
from bootgraft.machine import Machine
from bootgraft.windows.installation import Architecture, Installation, Select
from bootgraft.windows.signatures.acceptance import DriverPolicy, Rules

__all__ = ["make"]

PLAIN = hive_of("[ControlSet001]")
ENFORCED = "{8F9CB695-5D48-48D6-A329-7202B44607E3}.cip"
AUDIT = "{784C4414-79F4-4C32-A6A5-F0FB42A51D0D}.cip"
IN_WINDOWS = "\\Windows\\System32\\CodeIntegrity\\CiPolicies\\Active\\"
ON_EFI = "\\EFI\\Microsoft\\Boot\\CiPolicies\\Active\\"


def rules(machine: Machine, hive: Any = PLAIN, *, secure_boot: bool | None = None, **changes: Any) -> Rules:
    """The rules of the Windows that the machine starts: 10, 22H2."""
    chain = follow(machine)
    assert chain.default is not None
    found = Installation(
        "disk0-partition2-Windows",
        chain.default.volume,
        chain.default.directory,
        "Windows 10",
        (10, 0),
        "19045",
        Architecture.X64,
        "",
        (1,),
        Select(1, 1, 0, 1),
        "C:",
        default_boot=True,
    )
    return read_rules(chain, replace(found, **changes), hive, secure_boot=secure_boot)


def bios(make: Make, contents: Mapping[str, bytes] | None = None, **elements: Any) -> Machine:
    entry = bcd.loader(DEFAULT, at(2))
    entry = replace(entry, elements={**entry.elements, **{int(key[1:], 16): each for key, each in elements.items()}})
    volume = windows()
    volume.files.update(contents or {})
    return bios_machine(make(store(entry)), volume)


def uefi(make: Make, files: Mapping[str, bytes] | None = None) -> Machine:
    machine = started_by_uefi(make(store(efi_loader())))
    for path, data in (files or {}).items():
        machine.disks[0].volumes[path.startswith("\\Windows")].filesystem().files[path] = data  # type: ignore[attr-defined]
    return machine


def test_a_bios_has_no_secure_boot(make: Make) -> None:
    found = rules(bios(make), secure_boot=True)
    expected = Rules(product="Windows 10", version=(10, 0), build=19045, arch=Architecture.X64, secure_boot=False)
    assert found == expected


@pytest.mark.parametrize("known", [True, False, None])
def test_of_uefi_it_must_be_said(known: bool | None, make: Make) -> None:
    assert rules(uefi(make), secure_boot=known).secure_boot is known


def test_test_signing(make: Make) -> None:
    assert rules(bios(make, x16000049=b"\1")).test_signing
    assert not rules(bios(make, x16000049=b"\0")).test_signing
    assert not rules(bios(make, x16000048=b"\1")).test_signing  # nointegritychecks: ignored since Windows 7
    assert not rules(bios(make, x16000049=b"\1"), directory="\\Windows.old").test_signing


@pytest.mark.parametrize(("value", "expected"), [(1, True), (0, False)])
def test_an_upgraded_system(value: int, expected: bool, make: Make) -> None:
    hive = hive_of(f'[ControlSet001\\Control\\CI\\Policy]\n"UpgradedSystem"=dword:{value:08x}')
    assert rules(bios(make), hive).is_upgraded is expected
    assert not rules(bios(make), hive, version=(6, 3), build="9600").is_upgraded


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((6, 1, 7601, 17514), False),
        ((6, 1, 7601, 18740), False),
        ((6, 1, 7601, 18741), True),
        ((6, 1, 7601, 22947), False),
        ((6, 1, 7601, 22948), True),
        ((6, 1, 7601, 24545), True),
        ((6, 1, 7600, 21000), False),
        (None, None),
    ],
)
def test_windows_7_knows_sha2_by_its_version_of_ci(
    version: tuple[int, int, int, int] | None, expected: bool | None, make: Make, machine_cache: Path
) -> None:
    library = PortableExecutable("ci.dll", Built.X64, version=version)
    files = {"\\Windows\\System32\\ci.dll": content(File("ci.dll", library), machine_cache)}
    found = rules(bios(make, files), version=(6, 1), build="7601")
    assert found.knows_sha2 is expected


def test_windows_7_without_ci(make: Make) -> None:
    assert rules(bios(make), version=(6, 1), build="7601").knows_sha2 is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), DriverPolicy.NONE),
        ((IN_WINDOWS + "{11111111-0000-0000-0000-000000000000}.cip",), DriverPolicy.NONE),
        ((IN_WINDOWS + AUDIT,), DriverPolicy.AUDIT),
        ((IN_WINDOWS + ENFORCED,), DriverPolicy.ENFORCED),
        ((ON_EFI + ENFORCED.lower(), IN_WINDOWS + AUDIT), DriverPolicy.ENFORCED),
        ((ON_EFI + AUDIT,), DriverPolicy.AUDIT),
    ],
)
def test_the_driver_policy(files: tuple[str, ...], expected: DriverPolicy, make: Make) -> None:
    assert rules(uefi(make, dict.fromkeys(files, b"policy"))).driver_policy is expected
