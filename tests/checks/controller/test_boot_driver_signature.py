"""Boot drivers of other makers, wherever they stand, on a 64-bit Windows 7 in memory."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows, memory_windows
from tests.windows.hives import hive_of

from bootgraft.checks.controller.boot_driver_signature import ID, check
from bootgraft.checks.finding import Finding, Severity

_SERVICE = '[ControlSet001\\Services\\{name}]\n"Type"=dword:00000001\n"Start"=dword:{start:08x}\n\n'
_OVERRIDE = '[ControlSet001\\Services\\{name}\\StartOverride]\n"0"=dword:00000003\n\n'
CATROOT = "\\Windows\\system32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}\\"


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    return memory_windows(machine_cache, directory="Windows", release=WINDOWS_7, arch=Architecture.X64)


@pytest.fixture
def drivers(shared_testdata: Path) -> dict[str, bytes]:
    """Red Hat's for Windows 7 and 8.1, cross-signed and self-signed; one without its signature; and its catalog."""
    folder = shared_testdata / "drivers" / "virtio-win-old-drivers"
    found = {name: (folder / name / "amd64" / "viostor.sys").read_bytes() for name in ("Win7", "Win8.1")}
    bare = bytearray(found["Win7"])
    entry = int.from_bytes(bare[0x3C:0x40], "little") + 24 + 112 + 32
    table = int.from_bytes(bare[entry : entry + 4], "little")
    bare[entry : entry + 8] = bytes(8)
    found["bare"] = bytes(bare[:table])
    found["cat"] = (folder / "Win7" / "amd64" / "viostor.cat").read_bytes()
    return found


def look(windows: MemoryWindows, files: Mapping[str, bytes], services: str) -> tuple[Finding, ...]:
    windows.filesystem.files.update({f"\\Windows\\system32\\drivers\\{name}.sys": data for name, data in files.items()})
    return check(guest_of(chain(), windows.installation, hive_of(services)))


def service(name: str, start: int = 0) -> str:
    return _SERVICE.format(name=name, start=start)


def test_a_filter_that_the_loader_refuses(windows: MemoryWindows, drivers: dict[str, bytes]) -> None:
    (found,) = look(windows, {"flt": drivers["Win8.1"]}, service("flt"))
    assert (found.id, found.severity, found.leaves_open) == (ID, Severity.BLOCKER, False)
    assert "flt.sys has no signature that this Windows accepts" in found.title
    (evidence,) = found.evidence
    assert evidence.endswith("drivers\\flt.sys, of Red Hat, Inc.: self-signed by Red Hat Inc.")


def test_one_that_it_accepts(windows: MemoryWindows, drivers: dict[str, bytes]) -> None:
    assert look(windows, {"flt": drivers["Win7"]}, service("flt")) == ()


def test_one_that_only_a_catalog_lists(windows: MemoryWindows, drivers: dict[str, bytes]) -> None:
    (found,) = look(windows, {"flt": drivers["bare"]}, service("flt"))
    assert (found.severity, found.evidence[0].rpartition(": ")[2]) == (Severity.BLOCKER, "it carries no signature")
    windows.filesystem.files[f"{CATROOT}oem1.cat"] = drivers["cat"]
    (found,) = look(windows, {"flt": drivers["bare"]}, service("flt"))
    assert (found.severity, found.leaves_open) == (Severity.WARNING, False)
    assert found.evidence[1] == f"{CATROOT}oem1.cat lists it"


def test_a_catalog_that_cannot_be_read_leaves_it_open(windows: MemoryWindows, drivers: dict[str, bytes]) -> None:
    windows.filesystem.files[f"{CATROOT}oem1.cat"] = drivers["cat"][:-300]
    (found,) = look(windows, {"flt": drivers["bare"]}, service("flt"))
    assert (found.severity, found.leaves_open) == (Severity.WARNING, True)
    assert found.evidence[1].startswith(f"not read: {CATROOT}oem1.cat: ")


def test_what_is_not_loaded_at_boot_does_not_count(windows: MemoryWindows, drivers: dict[str, bytes]) -> None:
    files = {"a": drivers["Win8.1"], "b": drivers["Win8.1"], "c": b"", "d": b"MZ"}
    services = service("a", 1) + service("b") + _OVERRIDE.format(name="b") + service("c") + service("d") + service("e")
    assert look(windows, files, services) == ()


def test_32_bit_windows_and_older_ones_do_not_look(machine_cache: Path, drivers: dict[str, bytes]) -> None:
    x86 = memory_windows(machine_cache, directory="Windows", release=WINDOWS_7, arch=Architecture.X86)
    assert look(x86, {"flt": drivers["Win8.1"]}, service("flt")) == ()
    assert look(memory_windows(machine_cache, directory="Windows"), {"flt": drivers["Win8.1"]}, service("flt")) == ()
