"""The scsiport.sys that stops Windows 2000 on BusLogic."""

import pytest
from tests.core_windows import core_windows, guest, repaired
from tests.kernels import Version, binary
from tests.machines.windows_hives import WINDOWS_2000, WINDOWS_XP
from tests.memory_windows import MemoryWindows

from bootgraft.changes import WriteFile
from bootgraft.checks.controller.scsi_port import ID, find
from bootgraft.checks.finding import Remedy, Severity

DRIVER = r"system32\drivers\scsiport.sys"
KEPT = r"$NtUpdateRollupPackUninstall$\scsiport.sys"
BAD, GOOD, OLD = (5, 0, 2195, 7017), (5, 0, 2195, 7059), (5, 0, 2195, 6655)


def windows(version: Version = BAD, **further: Version) -> MemoryWindows:
    places = {"kept": KEPT, "cached": r"system32\dllcache\scsiport.sys"}
    files = {DRIVER: binary("scsiport.sys", version)}
    files |= {places[name]: binary("scsiport.sys", each) for name, each in further.items()}
    return core_windows(release=WINDOWS_2000, without=(DRIVER,), files=files)


def found(machine: MemoryWindows, target: str = "vmware:buslogic") -> list[tuple[str, Severity, Remedy, str | None]]:
    return [(each.id, each.severity, each.remedy, each.stop_code) for each in find(guest(machine, target))]


def test_that_of_the_first_rollup_stops() -> None:
    assert found(windows()) == [(ID, Severity.BLOCKER, Remedy.NONE, "0x1e")]
    assert found(windows(), "virtualbox:buslogic") != []


@pytest.mark.parametrize("version", [OLD, GOOD, (5, 0, 2195, 7060)])
def test_others_do_not(version: Version) -> None:
    assert found(windows(version)) == []


def test_no_other_controller_and_no_other_windows() -> None:
    assert found(windows(), "vmware:ide") == []
    assert found(core_windows(release=WINDOWS_XP)) == []


def test_what_the_rollup_replaced_is_offered() -> None:
    machine = windows(kept=OLD)
    assert found(machine) == [(ID, Severity.BLOCKER, Remedy.OFFERED, "0x1e")]
    findings = tuple(find(guest(machine, "vmware:buslogic")))
    (change,) = findings[0].changes
    assert isinstance(change, WriteFile)
    assert change.data == binary("scsiport.sys", OLD)
    assert found(repaired(machine, findings)) == []


def test_a_newer_one_of_its_own_is_taken() -> None:
    machine = windows(cached=GOOD, kept=OLD)
    assert found(machine) == [(ID, Severity.BLOCKER, Remedy.CHANGES, "0x1e")]
    assert found(repaired(machine, tuple(find(guest(machine, "vmware:buslogic"))))) == []


def test_one_that_stops_too_is_not_put_in_its_place() -> None:
    assert found(windows(cached=BAD, kept=BAD)) == [(ID, Severity.BLOCKER, Remedy.NONE, "0x1e")]
    assert found(windows(kept=(5, 1, 2600, 5512))) == [(ID, Severity.BLOCKER, Remedy.NONE, "0x1e")]
