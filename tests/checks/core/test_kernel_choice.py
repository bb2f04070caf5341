"""Kernels and HALs that are taken from where Windows keeps them."""

import pytest
from tests.core_windows import core_windows, guest, repaired
from tests.kernels import Version, binary, computer, with_files
from tests.machines.windows_hives import WINDOWS_2000
from tests.memory_windows import MemoryWindows

from bootgraft.changes import WriteFile
from bootgraft.checks.core import loader_files
from bootgraft.checks.core.kernel_hal import find
from bootgraft.checks.finding import Remedy

SP2, SP3 = (5, 1, 2600, 2180), (5, 1, 2600, 5512)


def taken(windows: MemoryWindows) -> dict[str, bytes]:
    """What the changes write, by path."""
    changes = [change for each in find(guest(windows)) for change in each.changes]
    assert all(each.remedy is Remedy.OFFERED for each in find(guest(windows)) if each.changes)
    return {each.file.path: each.data for each in changes if isinstance(each, WriteFile)}


def heals(windows: MemoryWindows) -> bool:
    return not tuple(find(guest(repaired(windows, tuple(find(guest(windows)))))))


def test_the_kernel_for_the_registrys_hal() -> None:
    windows = with_files(hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"ntkrnlmp.exe": SP3})
    assert taken(windows) == {r"\WINDOWS\system32\ntoskrnl.exe": binary("ntkrnlmp.exe", SP3)}
    assert heals(windows)


def test_both_kernels_or_none() -> None:
    kernels = {"ntoskrnl": "ntoskrnl.exe", "ntkrnlpa": "ntkrnlpa.exe"}
    one = with_files(hal="halmacpi.dll", kept={"ntkrnlmp.exe": SP3}, **kernels)  # type: ignore[arg-type]
    assert taken(one) == {}
    both = with_files(hal="halmacpi.dll", kept={"ntkrnlmp.exe": SP3, "ntkrpamp.exe": SP3}, **kernels)  # type: ignore[arg-type]
    assert len(taken(both)) == 2
    assert heals(both)


def test_the_registrys_hal_for_the_kernel() -> None:
    windows = with_files(hal="halaacpi.dll", ntoskrnl="ntkrnlmp.exe", kept={"halmacpi.dll": SP3})
    assert taken(windows) == {r"\WINDOWS\system32\hal.dll": binary("halmacpi.dll", SP3)}
    assert heals(windows)


def test_the_hal_of_the_registrys_kind_of_computer() -> None:
    windows = with_files(
        edits=computer("acpipic_up"), hal="halaacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"halacpi.dll": SP3}
    )
    assert taken(windows) == {r"\WINDOWS\system32\hal.dll": binary("halacpi.dll", SP3)}
    assert heals(windows)


def test_a_hal_of_the_kernels_service_pack() -> None:
    windows = with_files(hal=("halmacpi.dll", SP2), kept={"halmacpi.dll": SP3})
    assert taken(windows) == {r"\WINDOWS\system32\hal.dll": binary("halmacpi.dll", SP3)}
    assert heals(windows)


def test_a_hal_that_is_missing() -> None:
    kept = {r"ServicePackFiles\i386\halmacpi.dll": binary("halmacpi.dll", SP3)}
    windows = core_windows(without=(r"system32\hal.dll",), files=kept)
    findings = tuple(loader_files.find(guest(windows)))
    assert [(each.id, each.remedy) for each in findings] == [(loader_files.ID, Remedy.OFFERED)]
    after = repaired(windows, findings)
    assert after.filesystem.find(r"\WINDOWS\system32\hal.dll") == binary("halmacpi.dll", SP3)
    without = core_windows(without=(r"system32\hal.dll",))
    assert [each.remedy for each in loader_files.find(guest(without))] == [Remedy.NONE]


@pytest.mark.parametrize("version", [SP2, (5, 2, 3790, 3959)])
def test_one_of_another_service_pack_is_not_taken(version: Version) -> None:
    assert taken(with_files(hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"ntkrnlmp.exe": version})) == {}


def test_a_file_by_that_name_that_is_another_one_is_not_taken() -> None:
    windows = with_files(edits=computer("e_isa_up"), hal="halacpi.dll", ntoskrnl="ntoskrnl.exe")
    windows.filesystem.files[r"\WINDOWS\system32\dllcache\hal.dll"] = binary("halacpi.dll", SP3)
    assert taken(windows) == {}
    windows.filesystem.files[r"\WINDOWS\ServicePackFiles\i386\hal.dll"] = binary("hal.dll", SP3)
    assert taken(windows) == {r"\WINDOWS\system32\hal.dll": binary("hal.dll", SP3)}


def test_where_the_registry_says_two_kinds_nothing_is_chosen() -> None:
    edits = computer("acpipic_up") + computer("e_isa_up", "PCI_HAL")
    windows = with_files(edits=edits, hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"ntkrnlmp.exe": SP3})
    assert taken(windows) == {}


def test_windows_2000_tells_no_service_pack() -> None:
    version = WINDOWS_2000.binaries
    windows = with_files(WINDOWS_2000, hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe", kept={"ntkrnlmp.exe": version})
    assert taken(windows) == {}
