"""What the loader reads before any driver, taken away file by file."""

import pytest
from tests.core_windows import core_windows, driver_file, guest, in_sets, repaired
from tests.machines.spec import Architecture
from tests.machines.windows_hives import NT_4, WINDOWS_7, WINDOWS_10, WINDOWS_2000, WINDOWS_VISTA, WINDOWS_XP, Release
from tests.memory_windows import MemoryWindows

from bootgraft.boot.ntldr.bootini import BootEntry
from bootgraft.checks.core import loader_files
from bootgraft.checks.core.loader_files import ID
from bootgraft.checks.diagnosis import Verdict, diagnose
from bootgraft.checks.finding import Finding, Remedy

X86, X64 = Architecture.X86, Architecture.X64
NEEDED: dict[str, tuple[Release, Architecture, tuple[str, ...]]] = {
    "nt4": (NT_4, X86, ("ntoskrnl.exe", "hal.dll", "c_1252.nls", "c_437.nls", "l_intl.nls")),
    "2000": (WINDOWS_2000, X86, ("hal.dll", "bootvid.dll", "c_1252.nls", "l_intl.nls")),
    "xp": (WINDOWS_XP, X86, ("hal.dll", "bootvid.dll", "kdcom.dll", "c_1252.nls", "c_437.nls", "l_intl.nls")),
    "vista": (WINDOWS_VISTA, X64, ("bootvid.dll", "kdcom.dll", "pshed.dll", "ci.dll", "l_intl.nls")),
    "10": (WINDOWS_10, X64, ("hal.dll", "bootvid.dll", "kdcom.dll", "pshed.dll", "ci.dll", "c_1252.nls", "l_intl.nls")),
}
CASES = [(name, file) for name, (_, _, files) in NEEDED.items() for file in files]


def find(windows: MemoryWindows) -> tuple[Finding, ...]:
    return tuple(loader_files.find(guest(windows)))


@pytest.mark.parametrize("name", NEEDED)
def test_windows_as_shipped_have_them(name: str) -> None:
    release, arch, _ = NEEDED[name]
    assert find(core_windows(release=release, arch=arch)) == ()


@pytest.mark.parametrize(("name", "file"), CASES)
def test_each_of_them_stops_the_loader(name: str, file: str) -> None:
    release, arch, _ = NEEDED[name]
    found = find(core_windows(release=release, arch=arch, without=(rf"system32\{file}",)))
    assert [(each.id, each.severity.value) for each in found] == [(ID, "blocker")]
    assert file in found[0].title


@pytest.mark.parametrize("content", [b"", b"MZ" + bytes(4000)])
def test_a_damaged_one_is_as_bad(content: bytes) -> None:
    (finding,) = find(core_windows(files={r"system32\bootvid.dll": content}))
    assert finding.id == ID


def test_an_empty_code_page_is_none() -> None:
    (finding,) = find(core_windows(files={r"system32\c_1252.nls": b""}))
    assert "empty" in finding.title


def test_the_code_pages_are_those_that_the_registry_names() -> None:
    japanese = in_sets({r"Control\Nls\CodePage": {"ACP": "932", "OEMCP": "932", "932": "c_932.nls"}})
    (finding,) = find(core_windows(japanese))
    assert "c_932.nls" in finding.title
    assert (
        find(core_windows(japanese, files={r"system32\c_932.nls": b"a table"}, without=(r"system32\c_1252.nls",))) == ()
    )


@pytest.mark.parametrize(
    ("values", "lacking"), [({"ACP": "1255"}, "no value 1255"), ({"ACP": "", "OEMCP": ""}, "no value ACP")]
)
def test_a_code_page_for_which_no_file_is_named_leaves_it_open(values: dict[str, str], lacking: str) -> None:
    nameless = in_sets({r"Control\Nls\CodePage": values})
    found = find(core_windows(nameless))
    assert [(each.severity.value, each.leaves_open) for each in found] == [("warning", True)] * len(values)
    assert found[0].evidence[0].endswith(lacking)
    assert find(core_windows(nameless, release=WINDOWS_10, arch=X64)) == ()  # 65001 has none there either


def test_a_library_for_another_architecture_is_no_use() -> None:
    (finding,) = find(core_windows(files={r"system32\kdcom.dll": driver_file(WINDOWS_10, X64)}))
    assert "x64" in finding.title


def test_without_a_debugger_windows_8_and_later_take_kd_dll() -> None:
    stub = {r"system32\kd.dll": driver_file(WINDOWS_10, X64)}
    windows = core_windows(release=WINDOWS_10, arch=X64, without=(r"system32\kdcom.dll",), files=stub)
    assert find(windows) == ()


def test_a_hal_that_boot_ini_names_stands_in() -> None:
    looked_at = guest(core_windows(without=(r"system32\hal.dll",)))
    entry = BootEntry(r"multi(0)disk(0)rdisk(0)partition(1)\WINDOWS", None, r"\WINDOWS", "", ("/HAL=halx.dll",), 4)
    looked_at.chain = type(looked_at.chain)(looked_at.chain.steps, looked_at.chain.default, (), entry=entry)
    assert tuple(loader_files.find(looked_at)) == ()


@pytest.mark.parametrize("file", ["bootvid.dll", "c_1252.nls"])
def test_a_copy_in_dllcache_takes_its_place(file: str) -> None:
    content = driver_file() if file.endswith("dll") else b"a table"
    windows = core_windows(without=(rf"system32\{file}",), files={rf"system32\dllcache\{file}": content})
    findings = find(windows)
    assert [each.remedy for each in findings] == [Remedy.CHANGES]
    assert find(repaired(windows, findings)) == ()


def test_no_hal_is_chosen() -> None:
    """A hal.dll in a cache is the one for machines without ACPI."""
    windows = core_windows(without=(r"system32\hal.dll",), files={r"system32\dllcache\hal.dll": driver_file()})
    assert [each.remedy for each in find(windows)] == [Remedy.NONE]


def test_a_windows_without_kernel_does_not_boot() -> None:
    found = diagnose(guest(core_windows(release=WINDOWS_7, without=(r"system32\ntoskrnl.exe",))))
    assert found.verdict is Verdict.BLOCKED
    assert "ntoskrnl.exe" in found.blockers[0].title
