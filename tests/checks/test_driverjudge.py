"""One file of one guest, judged: by itself, and by the Windows' own catalogs."""

from pathlib import Path

import pytest
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.drivers.inf.infs import driver
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_7
from tests.memory_windows import MemoryWindows, memory_windows

from bootgraft.windows.signatures.acceptance import Acceptance

DRIVERS = "\\Windows\\system32\\drivers\\"
CATROOT = "\\Windows\\system32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}\\"


@pytest.fixture
def windows(machine_cache: Path) -> MemoryWindows:
    """Windows 7 x64."""
    return memory_windows(machine_cache, directory="Windows", release=WINDOWS_7, arch=Architecture.X64)


def judge(windows: MemoryWindows, path: str, data: bytes):  # type: ignore[no-untyped-def]
    windows.filesystem.files[path] = data
    return guest_of(chain(), windows.installation, windows.hive).judge_driver(path)


def test_real_drivers(windows: MemoryWindows, shared_testdata: Path) -> None:
    folder = shared_testdata / "drivers" / "virtio-win-old-drivers"
    good = judge(windows, f"{DRIVERS}a.sys", (folder / "Win7" / "amd64" / "viostor.sys").read_bytes())
    assert (good.is_accepted, good.is_signed, good.catalog, good.unread) == (True, True, None, ())
    bad = judge(windows, f"{DRIVERS}b.sys", (folder / "Win8.1" / "amd64" / "viostor.sys").read_bytes())
    assert (bad.judgement.acceptance, bad.judgement.short) == (Acceptance.REFUSED, "self-signed")
    assert bad.catalog is None


def test_a_real_catalog_vouches_only_from_the_catalog_root(windows: MemoryWindows, shared_testdata: Path) -> None:
    """The driver without its signature, and its own catalog beside it, and taken in."""
    folder = shared_testdata / "drivers" / "virtio-win-0.1.240" / "viostor" / "2k8R2" / "amd64"
    whole = bytearray((folder / "viostor.sys").read_bytes())
    entry = int.from_bytes(whole[0x3C:0x40], "little") + 24 + 112 + 32
    table = int.from_bytes(whole[entry : entry + 4], "little")
    whole[entry : entry + 8] = bytes(8)
    catalog = (folder / "viostor.cat").read_bytes()
    windows.filesystem.files[f"{DRIVERS}viostor.cat"] = catalog
    beside = judge(windows, f"{DRIVERS}viostor.sys", bytes(whole[:table]))
    assert (beside.judgement.reason, beside.catalog) == ("it carries no signature", None)
    windows.filesystem.files[f"{CATROOT}oem4.cat"] = catalog
    assert judge(windows, f"{DRIVERS}viostor.sys", bytes(whole[:table])).catalog == f"{CATROOT}oem4.cat"


def test_a_file_is_read_once(windows: MemoryWindows, machine_cache: Path) -> None:
    windows.filesystem.files[f"{DRIVERS}a.sys"] = driver(machine_cache, Architecture.X64)
    guest = guest_of(chain(), windows.installation, windows.hive)
    first = guest.judge_driver(f"{DRIVERS}a.sys")
    calls = windows.filesystem.calls
    assert guest.on(None).judge_driver(f"{DRIVERS}A.SYS") is first
    assert windows.filesystem.calls == calls
