"""A driver's file and what it imports from, in a Windows in memory."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines.spec import Architecture, File, PortableExecutable
from tests.machines.windows_files import DriverFile
from tests.memory_windows import memory_windows

from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import Entry
from bootgraft.filesystems.ntfs.wof import Algorithm
from bootgraft.windows import driver_files
from bootgraft.windows.driver_files import read_driver, unsatisfied

DRIVERS = "\\WINDOWS\\system32\\drivers"


@pytest.mark.parametrize(
    ("state", "present", "fault"),
    [
        (DriverFile.ABSENT, False, None),
        (DriverFile.GARBAGE, True, "it lacks the MZ header of a Windows binary"),
        (DriverFile.GOOD, True, None),
    ],
)
def test_what_a_driver_file_is(machine_cache: Path, state: DriverFile, present: bool, fault: str | None) -> None:
    windows = memory_windows(machine_cache, driver=state)
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (present, fault)
    assert (found.pe is not None) is (state is DriverFile.GOOD)


def test_a_directory_in_the_place_of_the_driver(machine_cache: Path) -> None:
    windows = memory_windows(machine_cache, extra=[File(f"{DRIVERS}\\symmpi.sys\\x", b"")])
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "it is a directory")


def test_a_driver_too_large_is_not_read(machine_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_files, "MAX_DRIVER", 1000)
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "it is too large")


def test_a_driver_that_cannot_be_read_is_a_fault_of_the_driver(
    machine_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)

    def read(path: str, offset: int = 0, length: int | None = None) -> bytes:
        raise FileSystemError("it is encrypted (EFS)", where=path, advice="Decrypt it on a running Windows")

    monkeypatch.setattr(type(windows.filesystem), "read", staticmethod(read))
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "it is encrypted (EFS)")


def test_a_driver_whose_record_is_damaged_is_a_fault_of_the_driver(
    machine_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)

    def stat(path: str) -> Entry:
        raise FileSystemError("MFT record 105 cannot be opened", where=path, advice="chkdsk")

    monkeypatch.setattr(type(windows.filesystem), "stat", staticmethod(stat))
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert (found.present, found.fault) == (True, "MFT record 105 cannot be opened")


def test_imports_are_looked_for_in_drivers_and_then_in_system32(machine_cache: Path) -> None:
    importing = PortableExecutable(
        "x.sys", Architecture.X86,
        (("SCSIPORT.SYS", ("A",)), ("ntoskrnl.exe", ("B",)), ("storport.sys", ("C",)), ("hal.dll", ("D",))),
    )  # fmt: skip
    files = [File(f"{DRIVERS}\\x.sys", importing), File(f"{DRIVERS}\\storport.sys", b"no binary")]
    windows = memory_windows(machine_cache, extra=files)
    del windows.filesystem.files["\\WINDOWS\\system32\\hal.dll"]
    windows.filesystem.files["\\WINDOWS\\system32\\drivers\\hal.dll\\a directory"] = b""
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\x.sys")
    places = {each.name: (each.path, each.architecture) for each in found.imports}
    assert places["SCSIPORT.SYS"] == (f"{DRIVERS}\\SCSIPORT.SYS", "x86")
    assert places["ntoskrnl.exe"] == ("\\WINDOWS\\system32\\ntoskrnl.exe", "x86")
    assert places["storport.sys"] == (f"{DRIVERS}\\storport.sys", None)
    assert places["hal.dll"] == (f"{DRIVERS}\\hal.dll", None)


def test_an_import_that_cannot_be_read_is_a_fault_and_no_error(
    machine_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)
    really = type(windows.filesystem).read

    def read(path: str, offset: int = 0, length: int | None = None) -> bytes:
        if path.casefold().endswith("scsiport.sys"):
            raise FileSystemError("damaged", where=path, advice="chkdsk")
        return really(windows.filesystem, path, offset, length)

    monkeypatch.setattr(type(windows.filesystem), "read", staticmethod(read))
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys")
    assert [(each.name, each.architecture) for each in found.imports] == [("SCSIPORT.SYS", None)]


@pytest.mark.parametrize(
    ("algorithm", "build", "loads"),
    [
        (Algorithm.XPRESS4K, "3790", False),
        (Algorithm.XPRESS4K, "9600", False),
        (Algorithm.XPRESS4K, "10240", True),
        (Algorithm.LZX, "17763", False),
        (Algorithm.LZX, "18362", True),
        (Algorithm.XPRESS16K, "20348", True),
        (None, "22631", False),  # in a WIM file
        (Algorithm.LZX, "", False),
    ],
)
def test_which_loader_reads_a_driver_that_compact_os_compressed(
    machine_cache: Path, monkeypatch: pytest.MonkeyPatch, algorithm: Algorithm | None, build: str, loads: bool
) -> None:
    windows = memory_windows(machine_cache, driver=DriverFile.GOOD)
    really = type(windows.filesystem).stat

    def stat(path: str) -> Entry:
        found = really(windows.filesystem, path)
        if not path.endswith("symmpi.sys"):
            return found
        return replace(found, reparse_tag=0x80000017, wof_algorithm=algorithm)

    monkeypatch.setattr(type(windows.filesystem), "stat", staticmethod(stat))
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\symmpi.sys", build=build)
    assert (found.pe is not None) is loads
    assert loads or "compressed with WOF, and the loader of this Windows cannot" in str(found.fault)


def test_functions_are_followed_through_the_drivers_that_a_driver_needs(machine_cache: Path) -> None:
    """x.sys needs port.sys, which needs kernel functions and, in a circle, x.sys; contracts are no files."""

    def binary(
        name: str, imports: tuple[tuple[str, tuple[str, ...]], ...], exports: tuple[str, ...] = ()
    ) -> PortableExecutable:
        return PortableExecutable(name, Architecture.X86, imports, exports)

    own = binary(
        "x.sys",
        (
            ("port.sys", ("PortInitialize", "PortNew")),
            ("ntoskrnl.exe", ("DbgPrint",)),
            ("ext-ms-win-ntos-ksr-l1-1-0.dll", ("Ksr",)),
        ),
        ("Entry",),
    )
    port = binary(
        "port.sys",
        (("ntoskrnl.exe", ("DbgPrint", "ExNewer")), ("x.sys", ("Entry",)), ("gone.sys", ("G",))),
        ("PortInitialize",),
    )
    files = [File(f"{DRIVERS}\\x.sys", own), File(f"{DRIVERS}\\port.sys", port)]
    windows = memory_windows(machine_cache, extra=files)
    found = read_driver(windows.filesystem, "\\WINDOWS", f"{DRIVERS}\\x.sys")
    assert found.pe is not None
    assert set(unsatisfied(found, found.pe.machine)) == {
        f"port.sys; {DRIVERS}\\port.sys does not export PortNew",
        f"ntoskrnl.exe; \\WINDOWS\\system32\\ntoskrnl.exe does not export ExNewer (needed by {DRIVERS}\\port.sys)",
        f"gone.sys, which is neither in system32\\drivers nor in system32 (needed by {DRIVERS}\\port.sys)",
    }
    assert {each.name for each in found.imports if not each.importer} == {"port.sys", "ntoskrnl.exe"}
