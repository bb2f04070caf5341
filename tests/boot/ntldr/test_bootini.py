"""boot.ini: real files, every corner of the grammar, and rubbish."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.boot.ntldr.arc import ArcKind, ArcPath
from bootgraft.boot.ntldr.bootini import ENCODING, MAX_SIZE, BootIni, parse, split_path
from bootgraft.errors import BootConfigError

REAL = Path(__file__).parents[4] / "shared" / "testdata" / "boot-ini"
PLAIN = b"""[boot loader]\r
timeout=30\r
default=multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS\r
[operating systems]\r
multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS="Windows Server 2003, Standard" /noexecute=optout /fastdetect\r
"""


def read(text: bytes) -> BootIni:
    return parse(text, name="disk 0 partition 1: \\boot.ini")


def test_the_plain_case() -> None:
    ini = read(PLAIN)
    (entry,) = ini.entries
    assert (ini.timeout, ini.default, ini.problems) == (30, "multi(0)disk(0)rdisk(0)partition(2)\\WINDOWS", ())
    assert entry.arc == ArcPath(ArcKind.MULTI, 0, 0, 0, 2)
    assert entry.directory == "\\WINDOWS"
    assert entry.description == "Windows Server 2003, Standard"
    assert entry.switches == ("/noexecute=optout", "/fastdetect")
    assert entry.line == 5
    assert ini.default_entry() is entry


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b" \t\r\n"])
@pytest.mark.parametrize("tail", [b"", b"\0\0\0 no more", b"\x1a rubbish = 1", b"\r\n\r\n"])
def test_line_ends_and_ends_of_text_change_nothing(end: bytes, tail: bytes) -> None:
    ini = read(PLAIN.replace(b"\r\n", end) + tail)
    assert (ini.timeout, ini.default, ini.entries) == (read(PLAIN).timeout, read(PLAIN).default, read(PLAIN).entries)
    assert ini.problems == ()


def test_case_blanks_and_comments() -> None:
    ini = read(
        b"; made by hand\r\n\r\n [Boot Loader] \r\nTimeOut = -1\r\n"
        b"DEFAULT = Multi(0)Disk(0)RDisk(1)Partition(3)\\winnt40\r\n"
        b'\r\n[OPERATING SYSTEMS]\r\n;multi(0)disk(0)rdisk(0)partition(1)\\OLD="gone"\r\n'
        b'multi(0)disk(0)rdisk(1)partition(3)\\WINNT40 = "NT 4" /sos\r\n'
    )
    assert ini.problems == ()
    assert ini.timeout == -1
    entry = ini.default_entry()
    assert entry is not None
    assert (entry.directory, entry.switches, entry.line) == ("\\WINNT40", ("/sos",), 9)


ON_PARTITION_1 = "multi(0)disk(0)rdisk(0)partition(1)\\W2"


@pytest.mark.parametrize(
    ("line", "path", "is_boot_sector", "description", "switches"),
    [
        ('C:\\="Microsoft Windows 98"', "C:\\", True, "Microsoft Windows 98", ()),
        ('C:\\BOOTSECT.DOS="DOS"', "C:\\BOOTSECT.DOS", True, "DOS", ()),
        ('c:\\wubildr.mbr="Ubuntu"', "c:\\wubildr.mbr", True, "Ubuntu", ()),
        ('C:\\CMDCONS\\B.DAT="Console" /cmdcons', "C:\\CMDCONS\\B.DAT", True, "Console", ("/cmdcons",)),
        (ON_PARTITION_1 + '="a = b"/sos /pae', ON_PARTITION_1, False, "a = b", ("/sos", "/pae")),
        (ON_PARTITION_1 + "=bare text /sos", ON_PARTITION_1, False, "bare text", ("/sos",)),
        (ON_PARTITION_1, ON_PARTITION_1, False, "", ()),
        (ON_PARTITION_1 + " /sos", ON_PARTITION_1, False, "", ("/sos",)),
    ],
)
def test_entries(line: str, path: str, is_boot_sector: bool, description: str, switches: tuple[str, ...]) -> None:
    ini = read(b"[boot loader]\r\n[operating systems]\r\n" + line.encode() + b"\r\n")
    (entry,) = ini.entries
    assert (entry.path, entry.is_boot_sector) == (path, is_boot_sector)
    assert (entry.description, entry.switches) == (description, switches)
    assert ini.problems == ()
    assert ini.default is None
    assert ini.default_entry() is None


def test_every_byte_survives() -> None:
    name = bytes(range(0x80, 0x100))
    ini = read(b"[operating systems]\nmulti(0)disk(0)rdisk(0)partition(1)\\" + name + b'="' + name + b'"\n')
    assert ini.entries[0].directory.encode(ENCODING) == b"\\" + name
    assert "\n".join(ini.lines).encode(ENCODING).count(name) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[boot loader]\ntimeout=3\n", "no [operating systems]"),
        (b"[operating systems]\n", "no [boot loader]"),
        (b"", "no [boot loader]"),
        (b"[boot loader\ntimeout=3\n[operating systems]", "line 1: the section name lacks"),
        (b"[operation systems]\n", "line 1: ntldr knows no section"),
        (b"timeout=3\n[boot loader]\n[operating systems]", "line 1 stands before"),
        (b"[boot loader]\ntimeout\n", "line 2 has no '='"),
        (b"[boot loader]\ntimeout=soon\n", "line 2: the timeout"),
        (b"[boot loader]\ntimeout=3\ntimeout=4\n", "line 3: 'timeout' is there already"),
        (b"[boot loader]\ndefault=C:\\\ndefault=D:\\\n", "line 3: 'default' is there already"),
        (b'[operating systems]\nmulti(0)disk(0)rdisk(0)partition(1)\\W="open /sos\n', "line 2: the description lacks"),
        (b'[operating systems]\nmulti(0)disk(0)partition(1)\\W="x"\n', "line 2: the path is neither"),
        (b'[operating systems]\nmulti(0)disk(0)rdisk(0)partition(1)="x"\n', "line 2: the path is neither"),
    ],
)
def test_problems_have_line_numbers(text: bytes, problem: str) -> None:
    problems = read(text).problems
    assert any(problem in each for each in problems), problems


def test_the_first_default_counts() -> None:
    assert read(b"[boot loader]\ndefault=C:\\\ndefault=D:\\\n").default == "C:\\"


@pytest.mark.parametrize("data", [b"\xff\xfe[\0b\0", b"\xfe\xff\0[", b"x" * (MAX_SIZE + 1)])
def test_what_ntldr_cannot_read_is_refused(data: bytes) -> None:
    with pytest.raises(BootConfigError) as caught:
        read(data)
    assert caught.value.where == "disk 0 partition 1: \\boot.ini"


@pytest.mark.parametrize(
    ("path", "directory"),
    [
        ("multi(0)disk(0)rdisk(0)partition(1)\\WINDOWS\\", "\\WINDOWS"),
        ("multi(0)disk(0)rdisk(0)partition(1)\\OS\\W2", "\\OS\\W2"),
        ("multi(0)disk(0)rdisk(0)partition(1)\\", ""),
        ("multi(0)disk(0)rdisk(0)partition(1)WINDOWS", ""),
        ("C:\\WINDOWS", ""),
    ],
)
def test_split_path(path: str, directory: str) -> None:
    arc, found = split_path(path)
    assert found == directory
    assert (arc is not None) == bool(directory)


@pytest.mark.parametrize("path", sorted(REAL.glob("*.ini")), ids=lambda path: path.stem)
def test_real_files_read_without_a_problem(path: Path) -> None:
    ini = read(path.read_bytes())
    assert ini.problems == ()
    entry = ini.default_entry()
    assert entry is not None
    assert entry.arc is not None
    assert entry.directory in ("\\WINDOWS", "\\WINNT")


def test_real_files_are_there() -> None:
    if not REAL.is_dir():
        pytest.skip("no shared test data: boot-ini")
    assert list(REAL.glob("*.ini"))


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300), st.lists(st.sampled_from([*PLAIN.split(b"\r\n"), b"=", b'"', b"["])).map(b"\n".join)
    )
)
def test_rubbish_gives_a_menu_or_one_error(data: bytes) -> None:
    try:
        ini = read(data)
    except BootConfigError:
        return
    for entry in ini.entries:
        assert entry.path in ini.lines[entry.line - 1]
