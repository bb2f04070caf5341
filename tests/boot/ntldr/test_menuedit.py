"""boot.ini edited in place: only the paths change, whatever else the file holds."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.boot.ntldr.arc import ArcKind, ArcPath, parse_arc
from bootgraft.boot.ntldr.bootini import parse
from bootgraft.boot.ntldr.menuedit import respelled, rewrite, with_default

SECOND = ArcPath(ArcKind.MULTI, 0, 0, 1, 12)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"multi(0)disk(0)rdisk(0)partition(2)\WINDOWS", r"multi(0)disk(0)rdisk(1)partition(12)\WINDOWS"),
        (r"MULTI(0)Disk(0)rDisk(00)Partition(2)\partition(2)", r"MULTI(0)Disk(0)rDisk(1)Partition(12)\partition(2)"),
        (r"signature(8b467c12)disk(0)rdisk(0)partition(2)\W", r"multi(0)disk(0)rdisk(1)partition(12)\W"),
        ("scsi(1)disk(3)rdisk(0)partition(1)\\W\\", "multi(0)disk(0)rdisk(1)partition(12)\\W\\"),
        (r"multi(1)disk(0)rdisk(0)partition(2)\W", r"multi(0)disk(0)rdisk(1)partition(12)\W"),
    ],
)
def test_a_path_keeps_its_spelling_where_it_can(path: str, expected: str) -> None:
    parsed = parse_arc(path)
    assert parsed is not None
    assert respelled(path, parsed[0], SECOND) == expected


LINE = st.binary(max_size=12).map(lambda each: each.translate(None, b"\r\n\0\x1a[;"))
END = st.sampled_from([b"\r\n", b"\n", b"\r"])


@settings(max_examples=150, deadline=None)
@given(before=LINE, rest=LINE, blanks=st.sampled_from([b"", b" ", b"\t  "]), end=END, tail=st.binary(max_size=20))
def test_every_other_byte_stays(before: bytes, rest: bytes, blanks: bytes, end: bytes, tail: bytes) -> None:
    old, new = rb"multi(0)disk(0)rdisk(0)partition(2)\WINDOWS", rb"multi(0)disk(0)rdisk(1)partition(12)\WINDOWS"

    def made(path: bytes) -> bytes:
        lines = [b"[boot loader]", b";" + before, b"default=" + blanks + path + blanks, b"[operating systems]"]
        return end.join([*lines, blanks + path + blanks + b"=" + rest, b"\x1a" + tail])

    data = made(old)
    menu = parse(data, name="boot.ini")
    assert (menu.default_line, menu.entries[0].line) == (3, 5)
    assert rewrite(data, menu, {3: new.decode(), 5: new.decode()}) == made(new)
    assert rewrite(data, menu, {}) == data


@settings(max_examples=150, deadline=None)
@given(head=st.lists(LINE, max_size=3), empty=st.booleans(), loader=st.booleans(), end=END, tail=st.lists(LINE))
def test_a_default_is_added_and_every_other_byte_stays(
    head: list[bytes], empty: bool, loader: bool, end: bytes, tail: list[bytes]
) -> None:
    new = rb"multi(0)disk(0)rdisk(1)partition(12)\WINDOWS"
    lines = [b";" + each for each in head]
    lines += [b" [Boot Loader]", b"timeout=5"] if loader else []
    lines += [b"default = "] if loader and empty else []
    lines += [b"[operating systems]", new + b'="x"', *(b";" + each for each in tail)]
    data = end.join(lines)
    menu = parse(data, name="boot.ini")
    assert not menu.default
    edited = with_default(data, menu, new.decode())
    again = parse(edited, name="boot.ini")
    assert again.default == new.decode()
    assert again.default_entry() is not None
    if loader and empty:
        added = edited.replace(b"default =" + new, b"default = ", 1)
    elif loader:
        added = edited.replace(b"default=" + new + b"\r\n", b"", 1)
    else:
        added = edited.removeprefix(b"[boot loader]\r\ntimeout=30\r\ndefault=" + new + b"\r\n")
    assert added == data


def test_a_default_below_a_header_that_ends_the_file() -> None:
    data = b"[operating systems]\r\nC:\\=x\r\n[boot loader]"
    edited = with_default(data, parse(data, name="boot.ini"), "C:\\")
    assert edited == data + b"\r\ndefault=C:\\\r\n"


def test_the_real_ones(shared_testdata: Path) -> None:
    seen = 0
    for file in sorted((shared_testdata / "boot-ini").glob("*.ini")):
        data = file.read_bytes()
        menu = parse(data, name=file.name)
        entry = menu.default_entry()
        if entry is None or entry.arc is None or menu.default is None or menu.default_line is None:
            continue
        seen += 1
        default = respelled(menu.default, entry.arc, SECOND)
        edited = rewrite(data, menu, {menu.default_line: default, entry.line: respelled(entry.path, entry.arc, SECOND)})
        again = parse(edited, name=file.name)
        assert again.default_entry() is not None
        assert [each.arc for each in again.entries if each.line == entry.line] == [SECOND]
        old, new = data.split(b"\n"), edited.split(b"\n")
        changed = {number for number, pair in enumerate(zip(old, new, strict=True), start=1) if pair[0] != pair[1]}
        assert changed == {menu.default_line, entry.line}
    assert seen > 5
