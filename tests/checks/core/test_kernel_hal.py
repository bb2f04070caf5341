"""Kernels and HALs that were not made for each other, or for this machine."""

import pytest
from msgspec.structs import replace
from tests.checks.chain.ntldr.menus import with_boot_ini
from tests.core_windows import core_windows, guest
from tests.kernels import computer, with_files
from tests.machines.spec import Architecture
from tests.machines.windows_hives import NT_4, SERVER_2003, WINDOWS_7, WINDOWS_2000, WINDOWS_XP
from tests.memory_windows import MemoryWindows

from bootgraft.checks.core.kernel_hal import BUILD, COMPUTER, MAKER, PROCESSORS, find
from bootgraft.checks.guest import Guest

SP2, SP3 = (5, 1, 2600, 2180), (5, 1, 2600, 5512)


def found(windows: MemoryWindows | Guest) -> list[tuple[str, str, str | None, bool]]:
    look = windows if isinstance(windows, Guest) else guest(windows)
    return [(each.id, each.severity.value, each.stop_code, each.leaves_open) for each in find(look)]


@pytest.mark.parametrize("release", [NT_4, WINDOWS_2000, WINDOWS_XP, SERVER_2003], ids=lambda each: each.version)
def test_what_setup_leaves_is_clear(release: object) -> None:
    assert found(core_windows(release=release)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hal", "kernel"),
    [("halmacpi.dll", "ntoskrnl.exe"), ("halmacpi.dll", "ntkrnlpa.exe"), ("halaacpi.dll", "ntkrnlmp.exe"),
     ("hal.dll", "ntkrpamp.exe"), ("halmps.dll", "ntoskrnl.exe")],
)  # fmt: skip
def test_one_processor_and_several_do_not_go_together(hal: str, kernel: str) -> None:
    assert (PROCESSORS, "blocker", "0x79", False) in found(with_files(hal=hal, ntoskrnl=kernel))


@pytest.mark.parametrize(
    ("hal", "kernel", "hardware_id", "key"),
    [("halmacpi.dll", "ntkrnlmp.exe", "acpiapic_mp", "ACPI_HAL"),
     ("halaacpi.dll", "ntoskrnl.exe", "acpiapic_up", "ACPI_HAL"),
     ("halacpi.dll", "ntkrnlpa.exe", "ACPIPIC_UP", "ACPI_HAL"), ("hal.dll", "ntoskrnl.exe", "e_isa_up", "PCI_HAL"),
     ("halmps.dll", "ntkrnlmp.exe", "mps_mp", "PCI_HAL"), ("halapic.dll", "ntoskrnl.exe", "mps_up", "PCI_HAL")],
)  # fmt: skip
def test_each_kind_fits_its_own_computer(hal: str, kernel: str, hardware_id: str, key: str) -> None:
    assert found(with_files(edits=computer(hardware_id, key), hal=hal, ntoskrnl=kernel)) == []


def test_where_one_of_two_kernels_fits_it_is_open() -> None:
    windows = with_files(hal="halmacpi.dll", ntoskrnl="ntkrnlmp.exe", ntkrnlpa="ntkrnlpa.exe")
    assert found(windows) == [(PROCESSORS, "warning", None, True)]
    assert found(with_files(hal="halmacpi.dll", ntoskrnl="ntkrnlmp.exe", ntkrnlpa="ntkrpamp.exe")) == []
    both = with_files(hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe", ntkrnlpa="ntkrnlpa.exe")
    assert found(both) == [(PROCESSORS, "blocker", "0x79", False)]


def test_the_files_that_boot_ini_names_count() -> None:
    path = "multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS"
    menu = f'[boot loader]\r\ndefault={path}\r\n[operating systems]\r\n{path}="x" /KERNEL=up.exe /hal=halup.dll\r\n'
    chain = with_boot_ini(menu.encode()).chain
    windows = with_files(edits=computer("acpiapic_up"), hal="halaacpi.dll", ntoskrnl="ntoskrnl.exe")
    files = windows.filesystem.files
    root = windows.installation.directory
    look = guest(windows)
    look.chain = replace(chain)
    for name, place in (("hal.dll", "halup.dll"), ("ntoskrnl.exe", "up.exe")):
        files[rf"{root}\system32\{place}"] = windows.filesystem.find(rf"{root}\system32\{name}")
    for name, data in with_files(hal="halmacpi.dll").filesystem.files.items():
        if name.casefold().endswith(r"system32\hal.dll"):
            files[windows.filesystem._name(rf"{root}\system32\hal.dll")] = data
    assert found(guest(windows)) != []
    assert found(look) == []


@pytest.mark.parametrize(
    ("hal", "kernel", "hardware_id", "severity"),
    [("hal.dll", "ntoskrnl.exe", "acpiapic_up", "warning"), ("halacpi.dll", "ntoskrnl.exe", "acpiapic_up", "warning"),
     ("halaacpi.dll", "ntoskrnl.exe", "acpiapic_mp", "info"), ("halmacpi.dll", "ntkrnlmp.exe", "acpipic_up", "warning"),
     ("halmacpi.dll", "ntkrnlmp.exe", "vendor_mp", "warning")],
)  # fmt: skip
def test_a_hal_of_another_kind_than_the_registry(hal: str, kernel: str, hardware_id: str, severity: str) -> None:
    windows = with_files(edits=computer(hardware_id), hal=hal, ntoskrnl=kernel)
    assert found(windows) == [(COMPUTER, severity, None, severity == "warning")]


def test_what_an_older_hal_left_does_not_hide_the_right_one() -> None:
    edits = computer("acpiapic_up") + computer("e_isa_up", "PCI_HAL")
    assert found(with_files(edits=edits, hal="hal.dll", ntoskrnl="ntoskrnl.exe")) == []


@pytest.mark.parametrize("name", ["halsp.dll", "halcbus.dll", "halncr.dll"])
def test_hals_of_one_maker(name: str) -> None:
    assert found(with_files(NT_4, hal=name)) == [(MAKER, "warning", None, True)]


def test_an_unknown_hal_is_nobodys_fault() -> None:
    assert found(with_files(hal="custom.dll")) == []


def test_a_hal_of_another_service_pack() -> None:
    assert found(with_files(hal=("halmacpi.dll", SP2))) == [(BUILD, "warning", None, True)]
    assert found(with_files(hal=("halmacpi.dll", (5, 1, 2600, 6055)))) == []  # an update for the same one
    assert found(with_files(hal=("halmacpi.dll", (5, 2, 3790, 3959)))) == [(BUILD, "warning", None, True)]


def test_drivers_of_another_build() -> None:
    older = with_files(ntoskrnl=("ntkrnlmp.exe", SP2), hal=("halmacpi.dll", SP2), scsiport=("scsiport.sys", SP3))
    assert (BUILD, "warning", None, False) in found(older)
    assert found(with_files(ftdisk=("ftdisk.sys", (5, 1, 2600, 0)))) == []  # was not built anew
    assert found(with_files(ftdisk=("ftdisk.sys", (5, 0, 2195, 6655)))) == [(BUILD, "warning", None, False)]


def test_windows_2000_has_no_service_pack_by_numbers() -> None:
    assert found(with_files(WINDOWS_2000, hal=("halmacpi.dll", (5, 0, 2195, 1600)))) == []


def test_later_windows_and_other_architectures_are_not_judged() -> None:
    assert found(core_windows(release=WINDOWS_7)) == []
    assert found(core_windows(release=SERVER_2003, arch=Architecture.X64)) == []


def test_the_evidence_names_what_each_file_says() -> None:
    (finding,) = find(guest(with_files(hal="halmacpi.dll", ntoskrnl="ntoskrnl.exe")))
    assert finding.evidence == (
        r"\WINDOWS\system32\hal.dll is halmacpi.dll 5.1.2600.5512",
        r"\WINDOWS\system32\ntoskrnl.exe is ntoskrnl.exe 5.1.2600.5512",
    )
    assert "one for several processors, the kernel one for one processor" in finding.title
