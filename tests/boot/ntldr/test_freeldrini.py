r"""freeldr.ini as FreeLoader reads it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.boot.ntldr.arc import ArcKind, ArcPath
from bootgraft.boot.ntldr.freeldrini import parse
from bootgraft.boot.ntldr.menuedit import rewrite
from bootgraft.errors import BootConfigError

# As ReactOS 0.4 Setup writes it, but for the colours (layout: boot/bootdata of its source).
INSTALLED = (
    b"[FREELOADER]\r\nDefaultOS=ReactOS_Debug\r\nTimeOut=10\r\n\r\n[Display]\r\nTitleText=ReactOS Boot Manager\r\n\r\n"
    b'[Operating Systems]\r\nReactOS="ReactOS"\r\nReactOS_Debug="ReactOS (Debug)"\r\nFloppy="3 1/2 Floppy (A:)"\r\n\r\n'
    b"[ReactOS]\r\nBootType=Windows2003\r\nSystemPath=multi(0)disk(0)rdisk(0)partition(1)\\ReactOS\r\n\r\n"
    b"[ReactOS_Debug]\r\nBootType=Windows2003\r\nSystemPath=multi(0)disk(0)rdisk(0)partition(1)\\ReactOS\r\n"
    b"Options=/DEBUG /DEBUGPORT=COM1 /BAUDRATE=115200 /SOS\r\n\r\n[Floppy]\r\nBootType=BootSector\r\nBootDrive=fd0\r\n"
)


def test_an_installed_one() -> None:
    ini = parse(INSTALLED, name="freeldr.ini")
    assert [(each.name, each.boot_type) for each in ini.entries] == [
        ("ReactOS", "Windows2003"),
        ("ReactOS_Debug", "Windows2003"),
        ("Floppy", "BootSector"),
    ]
    assert ini.default is ini.entries[1]
    assert ini.default.nt is not None
    assert ini.default.nt.arc == ArcPath(ArcKind.MULTI, 0, 0, 0, 1)
    assert ini.default.nt.switches == ("/DEBUG", "/DEBUGPORT=COM1", "/BAUDRATE=115200", "/SOS")
    assert [each.line for each in ini.menu.entries] == [15, 19]
    assert (ini.menu.default, ini.menu.file) == (ini.default.nt.path, "freeldr.ini")


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        (b"[Operating Systems]\nA=x\nB=y\n[a]\nsystempath = \\R\n[B]\nSystemPath=\\S\n", "A", "\\R"),
        (b"[FREELOADER]\nDefaultOS=b\n[Operating Systems]\nA=x\nB=y\n[A]\n[B]\nSystemPath=\\S\n", "B", "\\S"),
        (b"[FREELOADER]\nDefaultOS=none\n[Operating Systems]\nA=x\n;B=y\n[A]\nSystemPath=\\R", "A", "\\R"),
        (b"[Boot Loader]\nDefaultOS=B\n[Operating Systems]\nA=x\nB=y\n[B]\nSystemPath=\\S\n", "B", "\\S"),
        (b"[A]\nSystemPath=\\R\n[A]\nSystemPath=\\S\n[Operating Systems]\nA=x\n", "A", "\\R"),
        (b'[Operating Systems]\n\\R="ReactOS" /MININT /SOS\n', "\\R", "\\R"),
    ],
)
def test_the_default(text: bytes, name: str, path: str) -> None:
    ini = parse(text, name="freeldr.ini")
    assert ini.default is not None
    assert ini.default.nt is not None
    assert (ini.default.name, ini.default.nt.path) == (name, path)


@pytest.mark.parametrize("kind", ["BootSector", "Linux", "ReactOSSetup", "Drive"])
def test_what_is_no_installed_nt_has_no_path(kind: str) -> None:
    ini = parse(f"[Operating Systems]\nA=x\n[A]\nBootType={kind}\nSystemPath=\\R".encode(), name="freeldr.ini")
    assert ini.default is not None
    assert ini.default.nt is None
    assert ini.menu.entries == ()


@pytest.mark.parametrize("data", [b"\xff\xfe[\0", b";" * 70000])
def test_what_freeloader_could_not_read(data: bytes) -> None:
    with pytest.raises(BootConfigError, match=r"freeldr\.ini"):
        parse(data, name="freeldr.ini")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([
    b"[FREELOADER]", b"[Operating Systems]", b"[A]", b"[B", b"DefaultOS=A", b"A=x", b'B="y" /SOS', b";A=z", b"=", b"",
    b"SystemPath=multi(0)disk(0)rdisk(0)partition(1)\\R", b"BootType=Windows", b"Options=/HAL=x", b"\xe4=\x81",
]), max_size=14))  # fmt: skip
def test_any_lines_are_read_and_a_rewritten_path_is_all_that_changes(lines: list[bytes]) -> None:
    data = b"\r\n".join(lines)
    ini = parse(data, name="freeldr.ini")
    assert rewrite(data, ini.menu, {}) == data
    for entry in ini.menu.entries:
        if entry.arc is not None:
            edited = rewrite(data, ini.menu, {entry.line: entry.path.replace("partition(1)", "partition(12)")})
            assert edited == b"\r\n".join(
                line.replace(b"partition(1)", b"partition(12)") if number == entry.line else line
                for number, line in enumerate(lines, start=1)
            )
