"""Hives on a volume: the logs beside them are found as Windows finds them, and SYSTEM.ALT is kept in step."""

import struct
from pathlib import Path

import pytest
from tests.memory_windows import MemoryFileSystem
from tests.registry.log_writer import Write, bins_of, new_log, old_log, rebased, sealed
from tests.registry.support import FILETIME, Memory, built_hive, exported, real_file, tree

from bootgraft.checks.machine.pending_transactions import check
from bootgraft.errors import DirtyHiveError, FileMissingError, HiveError
from bootgraft.registry.alternate import bring_into_line
from bootgraft.registry.hive import Hive
from bootgraft.registry.hivefile import open_hive_file

KTM_LOCKED = 0x01
"""In the flags at 0x90 of the base block (msuhanov, "Windows registry file format specification")."""
CONFIG = "\\WINNT\\system32\\config\\"
TEXT = '[\\Select]\n"Current"=dword:00000001\n\n[\\Services]\n'


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """Hives of two versions."""
    folder = tmp_path_factory.mktemp("start")
    return {minor: built_hive(folder, minor=minor, text=TEXT) for minor in (3, 5)}


def edit(data: bytes) -> bytes:
    """A hive with one more key and a value that makes it grow."""
    file = Memory(data)
    hive = Hive.open(file, name="made")
    hive.create_key("Services\\symmpi")
    hive.set_value("Services\\symmpi", "Big", 3, b"x" * 9000)
    hive.commit(filetime=FILETIME)
    return bytes(file.data)


def volume(**files: bytes) -> MemoryFileSystem:
    """A volume with these files in config; a double underscore stands for the dot."""
    return MemoryFileSystem({CONFIG + name.replace("__", "."): data for name, data in files.items()})


def open_on(filesystem: MemoryFileSystem, path: str = CONFIG + "SYSTEM", *, writable: bool = True) -> Hive:
    return open_hive_file(filesystem, path, name=f"disk 0 partition 1: {path}", writable=writable)


def test_a_clean_hive_asks_for_no_log(start: dict[int, bytes]) -> None:
    hive = open_on(volume(system=start[5], system__LOG=b"", system__LOG1=b""))
    assert hive.pending is None
    assert hive.key("Services") is not None


def test_logs_are_found_in_any_case(start: dict[int, bytes]) -> None:
    after = edit(start[5])
    dirty = rebased(start[5], primary=8, secondary=7)
    filesystem = volume(SyStem=dirty, sYSTEM__log1=new_log([Write(start[5], after, 7)]), OTHER__LOG2=b"x")
    hive = open_on(filesystem, CONFIG.upper() + "system")
    assert hive.pending is not None
    assert [log.name for log in hive.pending.logs] == ["sYSTEM.log1"]
    assert tree(hive) == tree(Hive.open(Memory(after), name="x"))
    assert filesystem.find(CONFIG + "SYSTEM") == dirty, "nothing is written by reading"


def test_a_directory_is_no_log(start: dict[int, bytes]) -> None:
    filesystem = volume(SYSTEM=rebased(start[5], primary=8, secondary=7))
    filesystem.files[CONFIG + "SYSTEM.LOG1\\x"] = b""
    with pytest.raises(DirtyHiveError, match=r"there is no SYSTEM\.LOG or") as caught:
        open_on(filesystem)
    assert caught.value.where == f"disk 0 partition 1: {CONFIG}SYSTEM"


def test_what_is_not_dirty_keeps_its_own_error(start: dict[int, bytes]) -> None:
    with pytest.raises(FileMissingError):
        open_on(volume(SOFTWARE=b""))
    for broken in (b"no hive" * 2000, start[5][:4096], sealed(start[5][:40] + bytes(4) + start[5][44:])):
        with pytest.raises(HiveError) as caught:
            open_on(volume(SYSTEM=broken, SYSTEM__LOG1=b"x"))
        assert not isinstance(caught.value, DirtyHiveError)


def alternate_of(hive: bytes, kind: int = 1) -> bytes:
    (number,) = struct.unpack_from("<I", hive, 4)
    return rebased(hive, primary=number, secondary=number, kind=kind)


@pytest.mark.parametrize("kind", [0, 1])
def test_the_alternate_follows(start: dict[int, bytes], kind: int, tmp_path: Path) -> None:
    filesystem = volume(SYSTEM=start[3], SYSTEM__ALT=alternate_of(start[3], kind))
    hive = open_on(filesystem)
    hive.set_value("Select", "Default", 4, b"\1\0\0\0")
    assert filesystem.find(CONFIG + "SYSTEM.ALT") == alternate_of(start[3], kind)
    hive.create_key("Services\\symmpi")
    hive.set_value("Services\\symmpi", "Big", 3, b"x" * 9000)
    hive.commit(filetime=FILETIME)
    system, alternate = filesystem.find(CONFIG + "SYSTEM"), filesystem.find(CONFIG + "SYSTEM.ALT")
    assert alternate == alternate_of(system, kind)
    assert exported(rebased(alternate, primary=1, secondary=1), tmp_path) == tree(open_on(filesystem))


def test_the_alternate_follows_a_recovered_hive(start: dict[int, bytes]) -> None:
    after = edit(start[3])
    dirty = rebased(start[3], primary=8, secondary=7, timestamp=FILETIME)
    log = old_log(start[3], after, sequence=7, kind=2)
    filesystem = volume(SYSTEM=dirty, SYSTEM__LOG=log, SYSTEM__ALT=alternate_of(start[3])[:9000])
    hive = open_on(filesystem)
    hive.delete_key("Select")
    hive.commit(filetime=FILETIME + 1)
    system = filesystem.find(CONFIG + "SYSTEM")
    assert len(bins_of(system)) == len(bins_of(after))
    assert filesystem.find(CONFIG + "SYSTEM.ALT") == alternate_of(system)
    assert tree(open_on(filesystem)) == {
        path: values for path, values in tree(Hive.open(Memory(after), name="x")).items() if path != "Select"
    }


def test_a_ruined_alternate_is_repaired(start: dict[int, bytes]) -> None:
    for ruined in (b"", b"\xa5" * 20000, alternate_of(start[3], kind=2)):
        alternate = Memory(ruined)
        bring_into_line(Memory(start[3]), alternate, bins_size=len(bins_of(start[3])))
        wanted = alternate_of(start[3])
        assert bytes(alternate.data[: len(wanted)]) == wanted
        assert alternate.writes[-1] == (0, 4096), "the base block last"


def test_only_pages_that_differ_are_written(start: dict[int, bytes]) -> None:
    alternate = Memory(alternate_of(start[3]))
    alternate.data[4096 + 100] ^= 1
    bring_into_line(Memory(start[3]), alternate, bins_size=len(bins_of(start[3])))
    assert alternate.writes == [(4096, 4096), (0, 4096)]
    assert alternate.data == alternate_of(start[3])


def test_a_later_windows_has_no_alternate(start: dict[int, bytes]) -> None:
    stale = b"left from an upgrade"
    filesystem = volume(SYSTEM=start[5], SYSTEM__ALT=stale, SOFTWARE=start[3], SOFTWARE__ALT=stale)
    for name in ("SYSTEM", "SOFTWARE"):
        hive = open_on(filesystem, CONFIG + name)
        hive.create_key("New")
        hive.commit(filetime=FILETIME)
        assert filesystem.find(f"{CONFIG}{name}.ALT") == stale


@pytest.mark.parametrize("machine", ["win7-sp1-x86-vmware-lsisas", "win10-21h2-x64-vmware-nvme-clean"])
def test_the_ktm_flag_of_a_real_clean_hive_is_no_sign_of_pending_transactions(machine: str) -> None:
    """Windows leaves it in the base block of hives that it wrote to the end: nothing is to be replayed."""
    data = real_file(f"hives-system/{machine}/SYSTEM").read_bytes()
    (flags,) = struct.unpack_from("<I", data, 0x90)
    assert flags & KTM_LOCKED
    assert data[4:8] == data[8:12]
    filesystem = MemoryFileSystem({CONFIG + "SYSTEM": data})
    hive = open_on(filesystem, writable=False)
    assert hive.pending is None
    assert check("SYSTEM", hive.pending) == ()


def test_nor_is_it_of_one_that_was_set_by_hand(start: dict[int, bytes]) -> None:
    flagged = bytearray(start[5])
    struct.pack_into("<I", flagged, 0x90, KTM_LOCKED)
    flagged[:512] = sealed(flagged[:512])
    assert open_on(volume(SYSTEM=bytes(flagged))).pending is None
