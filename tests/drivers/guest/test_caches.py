"""Where a Windows keeps drivers: which places are found, in which order, and how they are read."""

import pytest
from tests.fakes import FakeFileSystem
from tests.machines.cabinets import cabinet, lzx_cabinet

from bootgraft.drivers.guest import caches as caches_module
from bootgraft.drivers.guest.caches import CachedFile, CachedFileKind, Caches, cabinets_with
from bootgraft.errors import DriverSourceError, FileMissingError, FileSystemError
from bootgraft.filesystems.base import Entry
from bootgraft.windows.pe import Architecture

W = "\\WINDOWS"
CACHE = f"{W}\\Driver Cache\\i386"
INDEX = b"""; made by Setup\r
[Version]\r
Signature = "$Windows NT$"\r
CabFiles=driver,sp1,sp2\r
\r
[driver]\r
aic78u2.sys\r
SYMMPI.SYS\r
[sp2]\r
symmpi.sys ; newer\r
\r
[sp1]\r
other.sys\r
\r
[Cabs]\r
driver=driver.cab\r
sp1 = sp1.cab\r
sp2="sp2.cab"\r
"""


def caches(
    files: dict[str, bytes], *, version: tuple[int, int] = (5, 2), arch: Architecture = Architecture.X86
) -> Caches:
    return Caches(FakeFileSystem(files), "disk 0 partition 2", W, version, arch)


def test_every_place_of_windows_2003_in_its_order() -> None:
    paths = [
        f"{W}\\system32\\drivers\\SYMMPI.sys",
        f"{W}\\system32\\dllcache\\symmpi.sys",
        f"{W}\\ServicePackFiles\\i386\\symmpi.sys",
        f"{W}\\ServicePackFiles\\i386\\symmpi.sy_",
        f"{W}\\system32\\ReinstallBackups\\0003\\DriverFiles\\symmpi.sys",
    ]
    elsewhere = [f"{W}\\ServicePackFiles\\amd64\\symmpi.sys", f"{W}\\symmpi.sys", f"{CACHE}\\symmpi.sys"]
    found = list(caches(dict.fromkeys([*elsewhere, *paths], b"x")).files("symmpi.sys"))
    assert [each.path for each in found] == paths
    assert [each.kind for each in found] == [CachedFileKind.FILE] * 3 + [CachedFileKind.PACKED, CachedFileKind.FILE]
    assert found[3].name == "symmpi.sys"


def test_the_folders_of_x64() -> None:
    files = {f"{W}\\ServicePackFiles\\{each}\\symmpi.sys": b"x" for each in ("i386", "amd64")}
    files |= {f"{W}\\Driver Cache\\{each}\\driver.cab": b"x" for each in ("i386", "amd64")}
    found = caches(files, arch=Architecture.X64)
    assert [each.path for each in found.files("symmpi.sys")] == [f"{W}\\ServicePackFiles\\amd64\\symmpi.sys"]
    assert [each.path for each in found.cabinets("symmpi.sys")] == [f"{W}\\Driver Cache\\amd64\\driver.cab"]


def test_the_driver_store_of_later_windows() -> None:
    store = f"{W}\\System32\\DriverStore\\FileRepository"
    files = {f"{store}\\lsi_sas.inf_{arch}_neutral_1\\LSI_SAS.sys": b"x" for arch in ("x86", "amd64")}
    files |= {f"{CACHE}\\driver.cab": b"x", f"{W}\\system32\\dllcache\\lsi_sas.sys": b"x"}
    found = caches(files, version=(6, 1), arch=Architecture.X64)
    assert [each.path for each in found.files("lsi_sas.sys")] == [f"{store}\\lsi_sas.inf_amd64_neutral_1\\LSI_SAS.sys"]
    assert found.cabinets("lsi_sas.sys") == ()


def test_the_index_names_cabinets_and_the_newest_comes_first() -> None:
    files = {f"{CACHE}\\{each}": b"x" for each in ("driver.cab", "sp1.cab", "SP2.CAB", "sp10.cab", "oem.cab", "x.inf")}
    found = caches(files | {f"{W}\\inf\\drvindex.inf": INDEX})
    names = [each.path.rpartition("\\")[2] for each in found.cabinets("symmpi.sys")]
    assert names == ["sp10.cab", "SP2.CAB", "sp1.cab", "oem.cab", "driver.cab"]
    assert [each.path.rpartition("\\")[2] for each in found.indexed("symmpi.sys")] == ["SP2.CAB", "driver.cab"]
    assert found.indexed("nothing.sys") == ()


def test_an_indexed_cabinet_that_is_gone_is_no_place() -> None:
    found = caches({f"{CACHE}\\driver.cab": b"x", f"{W}\\inf\\drvindex.inf": INDEX})
    assert [each.path for each in found.indexed("symmpi.sys")] == [f"{CACHE}\\driver.cab"]
    assert caches({f"{W}\\inf\\drvindex.inf": INDEX}).indexed("symmpi.sys") == ()
    assert caches({f"{CACHE}\\driver.cab": b"x"}).indexed("symmpi.sys") == ()


@pytest.mark.parametrize("index", [INDEX, INDEX.decode().encode("utf-16")])
def test_an_index_in_ansi_and_in_unicode(index: bytes) -> None:
    assert list(cabinets_with(index, "Symmpi.sys")) == ["driver.cab", "sp2.cab"]
    assert list(cabinets_with(index, "aic78u2.sys")) == ["driver.cab"]
    assert list(cabinets_with(b"\xff\xfe\x00", "x")) == []


def test_each_kind_of_place_is_read() -> None:
    path = f"{CACHE}\\driver.cab"
    files = {path: cabinet({"other.sys": b"1", "symmpi.sys": b"driver"}), "\\x.sy_": lzx_cabinet("x.sys", b"driver")}
    found = caches(files | {"\\x.sys": b"driver"})
    assert found.read(CachedFile(CachedFileKind.CABINET, path, "SYMMPI.SYS")) == b"driver"
    assert found.read(CachedFile(CachedFileKind.PACKED, "\\x.sy_", "x.sys")) == b"driver"
    assert found.read(CachedFile(CachedFileKind.FILE, "\\x.sys", "x.sys")) == b"driver"
    with pytest.raises(FileMissingError):
        found.read(CachedFile(CachedFileKind.CABINET, path, "nothing.sys"))


def test_what_cannot_be_read_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{CACHE}\\driver.cab"
    with pytest.raises(DriverSourceError, match="no archive") as caught:
        caches({path: b"garbage"}).read(CachedFile(CachedFileKind.CABINET, path, "symmpi.sys"))
    assert caught.value.where == f"disk 0 partition 2: {path}"
    monkeypatch.setattr(caches_module, "MAX_DRIVER", 10)
    with pytest.raises(DriverSourceError, match="too large"):
        caches({"\\x.sys": b"x" * 11}).read(CachedFile(CachedFileKind.FILE, "\\x.sys", "x.sys"))


def test_a_place_that_damage_hides_is_named_and_keeps_no_other_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damaged, sound = f"{W}\\system32\\dllcache\\symmpi.sys", f"{W}\\ServicePackFiles\\i386\\symmpi.sys"
    found = caches({sound: b"x"})
    really = FakeFileSystem.stat

    def stat(filesystem: FakeFileSystem, path: str) -> Entry:
        if path.startswith(f"{W}\\system32\\dllcache"):
            raise FileSystemError("the directory in MFT record 92 cannot be searched", where=path, advice="chkdsk")
        return really(filesystem, path)

    monkeypatch.setattr(FakeFileSystem, "stat", stat)
    assert [each.path for each in found.files("symmpi.sys")] == [damaged, sound]
