"""The made Windows lack no file that they name: of services that are not disabled, of filters, of the kernel."""

from pathlib import Path

import pytest

from bootgraft.registry.hive import Key
from bootgraft.windows.signatures.signature import SignatureClass, read_signatures
from tests.machines.spec import Architecture
from tests.machines.windows_hives import (
    NT_4,
    SERVER_2003,
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_8_1,
    WINDOWS_10,
    WINDOWS_11,
    WINDOWS_2000,
    WINDOWS_VISTA,
    WINDOWS_XP,
    ControlSet,
    Release,
    Select,
)
from tests.memory_windows import MemoryWindows, memory_windows

RELEASES = (
    NT_4, WINDOWS_2000, WINDOWS_XP, SERVER_2003, WINDOWS_VISTA, WINDOWS_7, WINDOWS_8, WINDOWS_8_1, WINDOWS_10,
    WINDOWS_11,
)  # fmt: skip
DISABLED, DRIVERS = 4, (1, 2, 8)
"""Start of what never starts, and the Types of kernel drivers, file systems and recognisers."""


@pytest.fixture(params=RELEASES, ids=lambda release: f"{release.product}-{release.build}")
def windows(request: pytest.FixtureRequest, machine_cache: Path) -> MemoryWindows:
    release: Release = request.param
    arch = Architecture.X86 if release.nt < (6, 0) else Architecture.X64
    only = (ControlSet(1),)
    found = memory_windows(
        machine_cache, *only, directory=release.directory, release=release, arch=arch, select=Select(last_known_good=1)
    )
    assert isinstance(found, MemoryWindows)
    return found


def below(windows: MemoryWindows, path: str) -> tuple[Key, ...]:
    key = windows.hive.key(rf"ControlSet001\{path}")
    return () if key is None else tuple(key.keys())


def text(key: Key, name: str) -> str:
    value = key.value(name)
    return "" if value is None else value.text() or ""


def number(key: Key, name: str) -> int | None:
    value = key.value(name)
    return None if value is None else value.dword()


def files(windows: MemoryWindows) -> dict[str, bytes]:
    """What lies below the directory of Windows, by path in lower case."""
    top = f"{windows.installation.directory}\\".casefold()
    return {path.casefold().removeprefix(top): data for path, data in windows.filesystem.files.items()}


def image(service: Key) -> str:
    path = (text(service, "ImagePath") or rf"system32\drivers\{service.name}.sys").casefold()
    return path.removeprefix("\\systemroot\\").removeprefix("%systemroot%\\")


def test_every_driver_that_may_start_has_its_file(windows: MemoryWindows) -> None:
    present = files(windows)
    drivers = [each for each in below(windows, "Services") if number(each, "Type") in DRIVERS]
    missing = [each.name for each in drivers if number(each, "Start") != DISABLED and image(each) not in present]
    assert missing == []
    assert len(drivers) > 20


def test_every_filter_has_its_service(windows: MemoryWindows) -> None:
    known = {each.name.casefold(): number(each, "Start") for each in below(windows, "Services")}
    for device_class in below(windows, r"Control\Class"):
        for side in ("UpperFilters", "LowerFilters"):
            value = device_class.value(side)
            for name in () if value is None else value.multi() or ():
                assert known[name.casefold()] not in (None, DISABLED), name


def test_every_binding_leads_to_a_service(windows: MemoryWindows) -> None:
    known = {each.name.casefold() for each in below(windows, "Services")}
    named = {text(each, "Service").casefold() for each in below(windows, r"Control\CriticalDeviceDatabase")}
    database = windows.hive.key(r"DriverDatabase\DriverPackages")
    if database is not None:
        named |= {text(key, "Service").casefold() for key in database.walk() if key.value("ConfigFlags") is not None}
    assert named - known <= {""}


def test_code_pages_and_font_are_there(windows: MemoryWindows) -> None:
    present = files(windows)
    pages = windows.hive.key(r"ControlSet001\Control\Nls\CodePage")
    assert pages is not None
    for which in ("ACP", "OEMCP", "MACCP"):
        assert rf"system32\{text(pages, text(pages, which))}" in present
    assert rf"fonts\{text(pages, 'OEMHAL')}" in present
    assert r"system32\l_intl.nls" in present


def test_binaries_since_vista_are_microsofts(windows: MemoryWindows) -> None:
    binaries = {path: data for path, data in files(windows).items() if data[:2] == b"MZ" and path.endswith(".sys")}
    wanted = [SignatureClass.MICROSOFT] if windows.installation.version >= (6, 0) else []
    odd = [path for path, data in binaries.items() if [each.kind for each in read_signatures(data)] != wanted]
    assert odd == []
