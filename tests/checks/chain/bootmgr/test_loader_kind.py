"""A store that names the loaders of the other firmware: pointed at the right ones where they lie beside them."""

import pytest
from tests.boot.bootmgr.test_chain import at, started_by_uefi, windows
from tests.checks.chain.bootmgr.stores import of_the_other_firmware, with_store
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of, volume_of
from tests.machines import bcd, vista
from tests.machines.spec import Hive
from tests.windows.hives import spec_bytes

from bootgraft.changes import SetValue
from bootgraft.checks.chain.bootmgr import loader_kind
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Finding, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.registry.values import text_data


def told(guest: Guest) -> dict[str, Finding]:
    return {each.id: each for each in loader_kind.find(guest)}


def paths(finding: Finding) -> dict[str, str]:
    """What the finding's changes set, by object."""
    changes = [each for each in finding.changes if isinstance(each, SetValue)]
    assert all(each.before is not None and each.key.endswith("\\12000002") for each in changes)
    return {each.key.split("\\")[1].strip("{}"): each.value.data.decode("utf-16-le").rstrip("\0") for each in changes}


def test_every_entry_whose_loader_lies_beside_the_wrong_one_is_changed() -> None:
    found = told(of_the_other_firmware())
    assert paths(found[loader_kind.DEFAULT]) == {vista.DEFAULT: "\\Windows\\system32\\winload.exe"}
    assert paths(found[loader_kind.OTHER]) == {
        vista.RESUME: "\\Windows\\system32\\winresume.exe",
        vista.MEMTEST: "\\Boot\\memtest.exe",
    }
    assert found[loader_kind.DEFAULT].severity is Severity.BLOCKER
    assert found[loader_kind.OTHER].severity is Severity.WARNING
    assert "reagentc" in found[loader_kind.OTHER].explanation
    assert "it starts from an image" in "\n".join(found[loader_kind.OTHER].evidence)


def test_it_is_said_once_in_those_words() -> None:
    found = {each.id: each.title for each in findings_of(of_the_other_firmware(), Stage.CHAIN)}
    assert "boot-chain-broken" not in found
    assert found[loader_kind.DEFAULT] == (
        "the default entry of the BCD store names winload.efi, the loader for UEFI, but the disk starts through BIOS"
    )


def test_uefi_machines_are_judged_the_other_way_round() -> None:
    hive = spec_bytes(vista.uefi_store(path=r"\Windows\system32\WINLOAD.EXE"))
    found = told(followed(started_by_uefi(hive)))
    assert paths(found[loader_kind.DEFAULT]) == {vista.DEFAULT: "\\Windows\\system32\\WINLOAD.efi"}


def only_entry(**elements: object) -> Hive:
    device = elements.pop("device", at(2))
    assert isinstance(device, bytes)
    entry = bcd.loader(vista.DEFAULT, device, path=r"\Windows\system32\winload.efi", osdevice=at(2))
    return bcd.store(bcd.bootmgr(at(1), vista.DEFAULT, (vista.DEFAULT,)), entry)


def test_without_the_right_loader_it_is_said_that_this_windows_starts_through_the_other_firmware_only() -> None:
    system = volume_of("\\bootmgr", contents={"\\Boot\\BCD": spec_bytes(only_entry())})
    volumes = (FakePartition(system, active=True), FakePartition(windows(loader="winload.efi")))
    (finding,) = loader_kind.find(followed(machine_of(volumes)))
    assert (finding.severity, finding.remedy, finding.changes) == (Severity.BLOCKER, Remedy.NONE, ())
    assert "This Windows has no winload.exe: it can only be started through UEFI" in finding.explanation


@pytest.mark.parametrize("device", [at(9), bcd.ramdisk_device(at(2), r"\sources\boot.wim", vista.OPTIONS)])
def test_nothing_is_changed_where_the_device_leads_to_no_one_volume(device: bytes) -> None:
    (finding,) = loader_kind.find(with_store(only_entry(device=device)))
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
    assert "it can only be started" not in finding.explanation


def test_what_is_left_over_from_an_earlier_windows_is_not_complained_of() -> None:
    entry = bcd.loader(vista.DEFAULT, at(2))
    left = bcd.loader(vista.SECOND, at(2), path=r"\Windows\system32\winload.efi")
    hive = bcd.store(bcd.bootmgr(at(1), vista.DEFAULT, (vista.DEFAULT,)), entry, left)
    assert told(with_store(hive)) == {}


def test_the_path_is_stored_as_text_with_its_end() -> None:
    (change, *_) = (each for each in told(of_the_other_firmware())[loader_kind.DEFAULT].changes)
    assert isinstance(change, SetValue)
    assert change.value.data == text_data("\\Windows\\system32\\winload.exe")
