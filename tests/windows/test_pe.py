"""Windows binaries: made by GNU ld, made by Microsoft's linker, and damaged."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.machines import spec
from tests.machines.executables import make_executable

from bootgraft.windows import pe
from bootgraft.windows.pe import Architecture, NotPortableExecutableError, read_architecture, read_pe

DRIVERS = Path(__file__).parents[3] / "shared" / "testdata" / "drivers" / "virtio-win-old-drivers"
IMPORTS = (("SCSIPORT.SYS", ("ScsiPortInitialize", "ScsiPortNotification")), ("ntoskrnl.exe", ("memcpy",)))


@cache
def driver(architecture: spec.Architecture = spec.Architecture.X86, *, with_imports: bool = True) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "symmpi.sys"
        imports = IMPORTS if with_imports else ()
        make_executable(spec.PortableExecutable("symmpi.sys", architecture, imports), path)
        return path.read_bytes()


def test_what_gnu_ld_made() -> None:
    facts = read_pe(driver(), name="symmpi.sys")
    assert facts.machine is Architecture.X86
    assert facts.imports == ("SCSIPORT.SYS", "ntoskrnl.exe")
    assert facts.version == (5, 2, 3790, 3959)
    assert read_pe(driver(spec.Architecture.X64), name="symmpi.sys").machine is Architecture.X64
    assert read_pe(driver(with_imports=False), name="symmpi.sys").imports == ()


@pytest.mark.parametrize("path", sorted(DRIVERS.glob("*/*/*.sys")), ids=lambda p: "-".join(p.parts[-3:]))
def test_real_drivers_as_objdump_reads_them(path: Path) -> None:
    facts = read_pe(path.read_bytes(), name=path.name)
    prefix, expected = {"x86": ("i686", Architecture.X86), "amd64": ("x86_64", Architecture.X64)}[path.parts[-2]]
    command = [f"{prefix}-w64-mingw32-objdump", "-p", str(path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout
    assert facts.imports == tuple(line.split()[-1] for line in text.splitlines() if "DLL Name:" in line)
    assert facts.machine is expected
    assert facts.version is not None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "lacks the MZ header"),
        (b"MZ", "lacks the MZ header"),
        (bytes(4096), "lacks the MZ header"),
        (b"MZ".ljust(4096, b"\0"), "lacks the PE header"),
        (b"MZ".ljust(60, b"\0") + b"\xff\xff\xff\xff" + bytes(100), "lacks the PE header"),
        (b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0\x4c\x01", "damaged"),
    ],
)
def test_what_is_no_windows_binary(data: bytes, what: str) -> None:
    with pytest.raises(NotPortableExecutableError) as caught:
        read_pe(data, name="disk 0 partition 2: \\WINDOWS\\x.sys")
    assert what in caught.value.what
    assert caught.value.where == "disk 0 partition 2: \\WINDOWS\\x.sys"


@pytest.mark.parametrize("machine", [(0x0200, "ia64"), (0xAA64, "arm64"), (0x01C0, "unknown"), (0x014C, "x86")])
def test_architectures(machine: tuple[int, str]) -> None:
    data = b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0" + machine[0].to_bytes(2, "little")
    assert read_architecture(data, name="x").value == machine[1]


def test_a_truncated_file_is_named_so() -> None:
    with pytest.raises(NotPortableExecutableError, match="truncated"):
        read_pe(driver()[:-200], name="x")


def test_a_damaged_import_directory_is_not_an_empty_one() -> None:
    import pefile

    parsed = pefile.PE(data=driver(), fast_load=True)
    parsed.OPTIONAL_HEADER.DATA_DIRECTORY[1].VirtualAddress = 0x00F00000
    with pytest.raises(NotPortableExecutableError, match="damaged"):
        read_pe(bytes(parsed.write()), name="x")


def test_more_than_any_driver_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pe, "MAX_SIZE", len(driver()) - 1)
    with pytest.raises(NotPortableExecutableError, match="more than any driver"):
        read_pe(driver(), name="x")


extremes = st.tuples(st.integers(0, 4095), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
header_bytes = st.tuples(st.integers(0, 1023), st.integers(0, 255))
changes = st.lists(extremes | header_bytes, min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(changes, st.integers(0, 8192), st.sampled_from(spec.Architecture))
def test_mutated_files_give_facts_or_one_error(
    where: list[tuple[int, int]], length: int, architecture: spec.Architecture
) -> None:
    data = bytearray(driver(architecture))
    for offset, byte in where:
        data[offset % len(data)] = byte
    try:
        facts = read_pe(bytes(data[: length or None]), name="x")
    except NotPortableExecutableError:
        return
    assert len(facts.imports) <= pe.MAX_IMPORTS
