"""A loader that is gone comes back from where the same Windows keeps one of its build."""

import pytest
from tests.boot.bootmgr.test_chain import at
from tests.checks.chain.bootmgr.lost_loaders import BINARY, COMPONENT, LATER, LOADER, with_files
from tests.checks.chain.bootmgr.stores import of_the_other_firmware

from bootgraft.changes import WriteFile
from bootgraft.checks.chain.bootmgr import loader_missing
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Finding, Remedy, Stage
from bootgraft.checks.guest import Guest

IN_WINSXS = rf"WinSxS\{COMPONENT}\winload.exe"
IN_BOOT = r"system32\Boot\winload.exe"


def only(guest: Guest) -> Finding:
    (finding,) = loader_missing.find(guest)
    return finding


@pytest.mark.parametrize("place", [IN_WINSXS, IN_BOOT])
def test_where_copies_lie(place: str) -> None:
    finding = only(with_files({place: BINARY}))
    (change,) = finding.changes
    assert isinstance(change, WriteFile)
    assert (change.file.path, change.data, change.before) == (rf"\Windows\{LOADER}", BINARY, None)
    assert place in finding.evidence[-1]


@pytest.mark.parametrize("content", [LATER, b"MZ" * 99])
def test_a_copy_of_another_build_or_a_damaged_one_is_not_taken(content: bytes) -> None:
    finding = only(with_files({IN_BOOT: content}))
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
    assert "Copy winload.exe from the setup medium" in finding.explanation


def test_it_takes_the_place_of_the_general_finding() -> None:
    found = [each.id for each in findings_of(with_files({IN_BOOT: BINARY}), Stage.CHAIN)]
    assert loader_missing.ID in found
    assert "boot-chain-broken" not in found


def test_that_the_other_firmwares_loader_is_there_is_said() -> None:
    finding = only(with_files({r"system32\winload.efi": BINARY}))
    assert "start this Windows through UEFI" in finding.explanation
    assert finding.evidence[1].endswith(r"has \Windows\system32\winload.efi")


def test_a_windows_on_another_volume_than_its_loader_gives_no_copy() -> None:
    assert only(with_files({IN_BOOT: BINARY}, osdevice=at(1))).remedy is Remedy.NONE


def test_a_loader_of_the_wrong_kind_is_another_finding() -> None:
    assert list(loader_missing.find(of_the_other_firmware())) == []
