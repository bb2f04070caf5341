"""Archives by other people's tools are read member by member; hostile ones are refused in words."""

import contextlib
import functools
import random
import resource
import struct
import subprocess
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.machines.cabinets import cabinet, lzx_cabinet
from tests.machines.tools import run

from bootgraft.drivers.archives import _libarchive, _libarchive_build, libarchive
from bootgraft.drivers.archives import archive as archive_module
from bootgraft.drivers.archives.archive import Member, open_archive, open_archive_bytes, read_each
from bootgraft.drivers.archives.memory_archive import MemoryArchive
from bootgraft.errors import DriverSourceError, FileMissingError, MissingDependencyError

SYS = random.Random(1).randbytes(70_000) + bytes(30_000)
FILES = {"symmpi.sys": SYS, "amd64/viostor.sys": b"sixty-four" * 9000, "Grüße.txt": b"hello", "empty.txt": b""}
PATHS = {name.replace("/", "\\"): data for name, data in FILES.items()}


def lay_out(folder: Path) -> Path:
    for name, data in FILES.items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "in"


def made(kind: str, folder: Path) -> Path:
    source, target = lay_out(folder), folder / f"made.{kind}"
    match kind:
        case "cab":
            target.write_bytes(cabinet(FILES))
        case "iso":
            run("genisoimage", "-quiet", "-input-charset", "utf-8", "-J", "-r", "-o", target, source)
        case "zip":
            run("zip", "-q", "-r", target, ".", cwd=source)
        case "7z":
            run("7z", "a", "-bd", target, ".", cwd=source)
    return target


@pytest.mark.parametrize("kind", ["cab", "iso", "zip", "7z"])
def test_every_kind_is_read_from_disk_and_through_callbacks(kind: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path)
    for archive in (open_archive(path), open_archive_bytes(path.read_bytes(), "in memory")):
        assert {each.path: each.size for each in archive.members()} == {k: len(v) for k, v in PATHS.items()}
        for name, data in PATHS.items():
            assert archive.read(name.upper()) == data
        assert archive.read("AMD64/VioStor.sys") == PATHS["amd64\\viostor.sys"]
        with pytest.raises(FileMissingError, match=r"there is no nothing\.sys"):
            archive.read("nothing.sys")


def test_a_file_that_an_iso_holds_once_under_two_names_is_read_under_both(tmp_path: Path) -> None:
    """Driver discs are full of such pairs (genisoimage -cache-inodes): libarchive calls the second a hard link."""
    source = lay_out(tmp_path)
    (source / "2k3").mkdir()
    (source / "2k3" / "symmpi.sys").hardlink_to(source / "symmpi.sys")
    target = tmp_path / "twice.iso"
    run("genisoimage", "-quiet", "-cache-inodes", "-input-charset", "utf-8", "-J", "-r", "-o", target, source)
    archive = open_archive(target)
    sizes = {each.path: each.size for each in archive.members()}
    assert sizes["2k3\\symmpi.sys"] == sizes["symmpi.sys"] == len(SYS)
    assert archive.read("2k3\\symmpi.sys") == archive.read("symmpi.sys") == SYS


LZX = {
    "uncompressed": random.Random(2).randbytes(30_001),
    "verbatim or aligned": b"".join(b"driver %d of the cabinet\xe8\1\2\3\4" % number for number in range(900)),
    "whole frame": (b"a driver, " * 4000)[:32768],
}


@pytest.mark.parametrize("kind", LZX)
def test_an_lzx_cabinet(kind: str, tmp_path: Path) -> None:
    data = LZX[kind]
    assert (len(lzx_cabinet("x", data)) < len(data) / 2) is (kind != "uncompressed")
    path = tmp_path / "driver.cab"
    path.write_bytes(lzx_cabinet("symmpi.sys", data))
    run("cabextract", "-q", "-d", tmp_path / "out", path)
    assert (tmp_path / "out" / "symmpi.sys").read_bytes() == data  # by cabextract: the cabinet itself is good
    archive = open_archive(path)
    assert archive.members() == (Member("symmpi.sys", len(data)),)
    assert archive.read("symmpi.sys") == data


class Watched:
    """Counts what is read of an archive."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read_bytes = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        self.read_bytes += length
        return self.data[offset : offset + length]


def test_reading_stops_at_the_wanted_member() -> None:
    noise = random.Random(3)
    files = {"first.sys": b"first"} | {f"{number}.sys": noise.randbytes(400_000) for number in range(20)}
    source = Watched(cabinet(files))
    archive = open_archive_bytes(source, "driver.cab")
    listed = source.read_bytes
    assert listed < source.size / 4
    assert archive.read("first.sys") == b"first"
    assert source.read_bytes - listed < source.size / 4


def test_what_the_source_raises_comes_out() -> None:
    class Broken(Watched):
        def read(self, offset: int, length: int, /) -> bytes:
            raise DriverSourceError("the disk is on fire", where="disk 0", advice="Run")

    with pytest.raises(DriverSourceError, match="the disk is on fire"):
        open_archive_bytes(Broken(bytes(99)), "driver.cab")


@pytest.mark.parametrize("content", [b"", b"MZ", bytes(4096), b"just some text\n" * 400])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.cab"
    path.write_bytes(content)
    with pytest.raises(DriverSourceError, match=r"no archive that can be read.*Give a cabinet"):
        open_archive(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DriverSourceError, match="cannot be read"):
        open_archive(tmp_path / "nothing.cab")


def renamed(old: str, new: str) -> bytes:
    return cabinet({old: b"evil"}).replace(old.encode(), new.encode())


@pytest.mark.parametrize("name", ["..\\..\\x.sys", "..//../x.sys", "\\\\a\\x.sys", "a:\\xxx.sys", "a\\..\\x.sys"])
def test_paths_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(DriverSourceError, match="leads out of it"):
        open_archive_bytes(renamed("n" * len(name), name), "evil.cab")


def test_truncated_and_damaged_cabinets_are_refused() -> None:
    good = cabinet(FILES)
    with pytest.raises(DriverSourceError, match="damaged"):
        open_archive_bytes(good[: len(good) // 2], "short.cab").read("amd64\\viostor.sys")
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 0xFF
    with pytest.raises(DriverSourceError, match="damaged"):
        open_archive_bytes(bytes(bad), "bad.cab").read("amd64\\viostor.sys")


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    source, target = lay_out(tmp_path), tmp_path / "secret.zip"
    run("zip", "-q", "-P", "word", target, "symmpi.sys", cwd=source)
    with pytest.raises(DriverSourceError, match=r"symmpi.sys in it needs a password"):
        open_archive(target).read("symmpi.sys")


def bomb(size: int) -> bytes:
    """A ZIP with one member of zeros: 1 MiB of it packs to 1 KiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(size >> 20)) + packer.flush()
    check = 0
    for _ in range(size >> 20):
        check = zlib.crc32(bytes(2**20), check)
    fields = struct.pack("<HHHHIII", 0, 8, 0, 0x21, check, len(packed), size)
    local = b"PK\3\4" + struct.pack("<H", 20) + fields + struct.pack("<HH", 5, 0) + b"x.sys" + packed
    central = b"PK\1\2" + struct.pack("<HH", 20, 20) + fields + struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"x.sys"
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def test_a_bomb_is_listed_but_not_expanded() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    archive = open_archive_bytes(bomb(300 << 20), "bomb.zip")
    assert archive.members() == (Member("x.sys", 300 << 20),)
    with pytest.raises(DriverSourceError, match=r"more than 32 MiB.*No driver is that long"):
        archive.read("x.sys")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120 << 10


def test_an_archive_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libarchive, "CPU_SECONDS", 0.0)
    with pytest.raises(DriverSourceError, match=r"took more than 0 seconds.*expand the driver by hand"):
        open_archive_bytes(cabinet(FILES), "slow.cab")


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 3)
    with pytest.raises(DriverSourceError, match="more than 3 files"):
        open_archive_bytes(cabinet(FILES), "many.cab")


@functools.cache
def seeds() -> tuple[bytes, ...]:
    files = {"a.sys": b"abc" * 99, "b/c.inf": b"text"}
    return cabinet(files), lzx_cabinet("a.sys", b"abc" * 99), bomb(1 << 20)


@given(st.integers(0, 2), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_archive_gives_its_content_or_one_clear_error(seed: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray(seeds()[seed])
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(DriverSourceError):
        archive = open_archive_bytes(bytes(data), "damaged")
        for member in archive.members():
            archive.read(member.path)


def test_the_generated_module_is_what_the_declarations_say() -> None:
    assert _libarchive_build.TARGET.read_text() == _libarchive_build.generate()


def test_every_declared_function_is_in_the_library() -> None:
    library = _libarchive.ffi.dlopen(libarchive.LIBARCHIVE.soname)
    for line in _libarchive_build.DECLARATIONS.split(";"):
        if "(" in line and "archive_" in line.split("(")[0] and "typedef" not in line:
            name = line.split("(")[0].split()[-1].lstrip("*")
            assert hasattr(library, name), name


def test_the_declarations_are_those_of_the_header(tmp_path: Path) -> None:
    """A C compiler takes both together, so no type differs."""
    source = "#include <archive.h>\n#include <archive_entry.h>\n" + _libarchive_build.DECLARATIONS
    (tmp_path / "both.c").write_text(source.replace("int64_t", "la_int64_t").replace("ssize_t", "la_ssize_t"))
    try:
        done = subprocess.run(
            ["gcc", "-fsyntax-only", "-Wno-redundant-decls", tmp_path / "both.c"], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no gcc")
    if "archive.h: No such file" in done.stderr:
        pytest.skip("libarchive-dev is not installed")
    assert done.returncode == 0, done.stderr


def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = msgspec.structs.replace(libarchive.LIBARCHIVE, soname="libarchive.so.4711")
    monkeypatch.setattr(libarchive, "LIBARCHIVE", missing)
    with pytest.raises(MissingDependencyError, match="apt install libarchive13 "):
        libarchive.load.__wrapped__()


def test_several_members_in_one_pass(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.inf").write_bytes(b"%d" % number)
    subprocess.run(["zip", "-q", "made.zip", *(f"{n}.inf" for n in range(4))], cwd=tmp_path, check=True)
    archive = open_archive(tmp_path / "made.zip")
    assert list(read_each(archive, ["3.INF", "1.inf"])) == [("1.inf", b"1"), ("3.INF", b"3")]
    assert list(read_each(archive, [])) == []
    with pytest.raises(FileMissingError):
        list(read_each(archive, ["1.inf", "9.inf"]))
    loose = MemoryArchive([("a", b"1"), ("b", b"2")], "memory")
    assert list(read_each(loose, ["b", "A"])) == [("b", b"2"), ("A", b"1")]
