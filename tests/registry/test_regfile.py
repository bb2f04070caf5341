"""The .reg dialects: what regedit takes, what is refused and where, and the way there and back."""

import codecs
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.support import built_hive, exported, real_file, unnumbered

from bootgraft.errors import RegFileError
from bootgraft.registry.regexport import export_keys
from bootgraft.registry.regfile import (
    SIZE_LIMIT,
    RegFile,
    RegFileDialect,
    RegKey,
    RegValue,
    format_key,
    format_value,
    parse,
)
from bootgraft.registry.values import text_data

V5 = "Windows Registry Editor Version 5.00\r\n\r\n"
V4 = "REGEDIT4\r\n\r\n"


def read(text: str, encoding: str = "utf-8") -> RegFile:
    return parse(text.encode(encoding), name="x.reg")


def one(line: str, header: str = V5) -> RegValue:
    (key,) = unnumbered(read(f"{header}[K]\r\n{line}\r\n").keys)
    (value,) = key.values
    return value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('"a"="text"', RegValue("a", 1, text_data("text"))),
        ('"a"=""', RegValue("a", 1, b"\0\0")),
        ('@="default"', RegValue("", 1, text_data("default"))),
        (r'"a\\b\"c"="C:\\x \"y\""', RegValue('a\\b"c', 1, text_data('C:\\x "y"'))),
        ('"a"="two\r\nlines"', RegValue("a", 1, text_data("two\r\nlines"))),
        ('"two\r\nlines"="x"', RegValue("two\r\nlines", 1, text_data("x"))),
        ('"a"="x" ; a comment', RegValue("a", 1, text_data("x"))),
        ('"a"="x;y"', RegValue("a", 1, text_data("x;y"))),
        ('  "a" = "x"  ', RegValue("a", 1, text_data("x"))),
        ('"a"=dword:0000000a', RegValue("a", 4, b"\x0a\0\0\0")),
        ('"a"=DWORD:1', RegValue("a", 4, b"\1\0\0\0")),
        ('"a"=hex:', RegValue("a", 3, b"")),
        ('"a"=hex:01,Ff', RegValue("a", 3, b"\1\xff")),
        ('"a"=hex:1,f', RegValue("a", 3, b"\1\x0f")),
        ('"a"=hex:01,02,', RegValue("a", 3, b"\1\2")),
        ('"a"=hex: 01 , 02 ;x', RegValue("a", 3, b"\1\2")),
        ('"a"=hex:01,\\\r\n  02,\\  \r\n\t03', RegValue("a", 3, b"\1\2\3")),
        ('"a"=hex:01,\\ ; a comment\n  02', RegValue("a", 3, b"\1\2")),
        ('"a"=hex:\\\r\n  01', RegValue("a", 3, b"\1")),
        ('"a"=hex(0):', RegValue("a", 0, b"")),
        ('"a"=hex(b):01,00,00,00,00,00,00,00', RegValue("a", 11, b"\1".ljust(8, b"\0"))),
        ('"a"=hex(7):', RegValue("a", 7, b"")),
        ('"a"=hex(ffff0012):00', RegValue("a", 0xFFFF0012, b"\0")),
        ('"a"=hex(2):25,00,00,00', RegValue("a", 2, b"%\0\0\0")),
        ('"a"=str(2):"%x%"', RegValue("a", 2, text_data("%x%"))),
        ('"a"=str:"x"', RegValue("a", 1, text_data("x"))),
        ('"a"=-', RegValue("a", 0, b"", delete=True)),
        ("@=-", RegValue("", 0, b"", delete=True)),
    ],
)
def test_values(line: str, value: RegValue) -> None:
    assert one(line) == value


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ('"a"=hex(2):25,78,25,00', text_data("%x%")),
        ('"a"=hex(7):61,00,62,00,00', "a\0b\0\0".encode("utf-16-le")),
        ('"a"=hex(1):e4,00', text_data("ä")),
        ('"a"=hex(3):e4,00', b"\xe4\0"),
        ('"a"="ä"', text_data("ä")),
    ],
)
def test_regedit4_strings_become_utf16(line: str, data: bytes) -> None:
    assert parse(f"{V4}[K]\r\n{line}\r\n".encode("cp1252"), name="x").keys[0].values[0].data == data


def test_other_code_pages() -> None:
    keys = parse(f'{V4}[Ж]\r\n"я"="ж"\r\n"b"=hex(2):e6,00\r\n'.encode("cp1251"), name="x", ansi="cp1251").keys
    (key,) = unnumbered(keys)
    assert key == RegKey("Ж", values=(RegValue("я", 1, text_data("ж")), RegValue("b", 2, text_data("ж"))))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (r"[HKEY_LOCAL_MACHINE\SYSTEM]", RegKey(r"HKEY_LOCAL_MACHINE\SYSTEM")),
        (r"[-HKEY_LOCAL_MACHINE\SYSTEM]", RegKey(r"HKEY_LOCAL_MACHINE\SYSTEM", delete=True)),
        (r"[A\[x]\b]", RegKey(r"A\[x]\b")),
        ("[A] ; a comment", RegKey("A")),
        ("  [A]\t", RegKey("A")),
    ],
)
def test_keys(line: str, key: RegKey) -> None:
    assert unnumbered(read(V5 + line).keys) == (key,)


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF16_LE + (V5 + '[ä]\n"中"="ß"').encode("utf-16-le"),
        codecs.BOM_UTF16_BE + (V5 + '[ä]\n"中"="ß"').encode("utf-16-be"),
        (V5 + '[ä]\n"中"="ß"').encode("utf-16-le"),
        codecs.BOM_UTF8 + (V5 + '[ä]\n"中"="ß"').encode(),
        (V5 + '[ä]\n"中"="ß"').encode(),
        (V5.replace("\r\n", "\n") + '[ä]\n"中"="ß"').encode(),
        (V5.replace("\r\n", "\r") + '[ä]\r"中"="ß"').encode(),
    ],
)
def test_encodings(data: bytes) -> None:
    assert unnumbered(parse(data, name="x").keys) == (RegKey("ä", values=(RegValue("中", 1, text_data("ß")),)),)


def test_lines_are_counted() -> None:
    keys = read(V5 + '[A]\n"a"="x\n\ny"\n;comment\n"b"=hex:01,\\\n02\n\n[B]\r\n"c"=-').keys
    assert [(key.line, [value.line for value in key.values]) for key in keys] == [(3, [4, 8]), (11, [12])]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "first line"),
        ("Windows Registry Editor Version 6.00\n", 1, "first line"),
        ("\n" + V5, 1, "first line"),
        (V5 + '"a"="b"', 3, "no key"),
        (V5 + "[A\n", 3, "not closed"),
        (V5 + "[]\n", 3, "no name"),
        (V5 + "[-]\n", 3, "no name"),
        (V5 + "[A] x\n", 3, "unexpected text"),
        (V5 + '[-A]\n"a"="b"', 4, "deleted"),
        (V5 + "[A]\n\nnonsense", 5, "neither a key nor a value"),
        (V5 + '[A]\n"a"', 4, "'='"),
        (V5 + '[A]\n"a"=', 4, "data"),
        (V5 + '[A]\n"a"=x', 4, "data"),
        (V5 + '[A]\n"a="b"', 4, "'='"),
        (V5 + '[A]\n"a"="b', 4, "not closed"),
        (V5 + '[A]\n"a"="b" c', 4, "data"),
        (V5 + '[A]\n"a"="C:\\dir"', 4, "doubled"),
        (V5 + '[A]\n"a"=dword:', 4, "data"),
        (V5 + '[A]\n"a"=dword:123456789', 4, "data"),
        (V5 + '[A]\n"a"=dword:xyz', 4, "data"),
        (V5 + '[A]\n"a"=hex:123', 4, "two hexadecimal digits"),
        (V5 + '[A]\n"a"=hex:01,,02', 4, "two hexadecimal digits"),
        (V5 + '[A]\n"a"=hex:01,\\', 4, "data"),
        (V5 + '[A]\n"a"=hex:01,xy', 4, "data"),
        (V5 + '[A]\n"a"=hex:01,\\-4-data', 4, "data"),
        (V5 + '[A]\n"a"=hex(123456789):01', 4, "data"),
        (V5 + '[A]\n"a"=str(2):x', 4, "data"),
        (V4 + '[A]\n"a"=hex(2):81', 4, "code page cp1252"),
    ],
)
def test_errors_name_the_line(text: str, line: int, what: str) -> None:
    with pytest.raises(RegFileError, match=what) as info:
        read(text)
    assert info.value.where == f"x.reg, line {line}"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (codecs.BOM_UTF16_LE + V5.encode("utf-16-le") + b"x", 3),
        (codecs.BOM_UTF8 + V5.encode() + b"\xff", 3),
        (V5.encode() + b"[A]\r\n\x81\xff", 4),
    ],
)
def test_undecodable(data: bytes, line: int) -> None:
    with pytest.raises(RegFileError) as info:
        parse(data, name="x.reg")
    assert info.value.where.startswith("x.reg, line ")
    assert info.value.where.endswith(str(line)) or data.startswith(codecs.BOM_UTF16_LE)


def test_too_long() -> None:
    with pytest.raises(RegFileError, match="more than"):
        parse(bytes(SIZE_LIMIT + 1), name="x.reg")


@pytest.mark.parametrize("path", ["", "-A", "A\nB", "A\rB"])
def test_keys_that_reg_text_cannot_say(path: str) -> None:
    with pytest.raises(RegFileError):
        format_key(path)


def test_hexadecimal_is_wrapped_as_regedit_does() -> None:
    assert format_value("Security", 3, bytes(40)) == (
        '"Security"=hex:00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,\\\n'
        "  00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00"
    )
    assert max(map(len, format_value("x", 7, bytes(1000)).split("\n"))) <= 80


def test_a_planned_service() -> None:
    values = (
        RegValue("", 1, text_data("x")),
        RegValue("Start", 4, bytes(4)),
        RegValue("ImagePath", 2, text_data("a.sys")),
        RegValue("StartOverride", 0, b"", delete=True),
    )
    keys = (RegKey(r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\symmpi", values=values), RegKey("X", delete=True))
    assert export_keys(keys).decode("utf-16").replace("\r\n", "\n") == (
        "Windows Registry Editor Version 5.00\n\n"
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\symmpi]\n"
        '@="x"\n"Start"=dword:00000000\n'
        '"ImagePath"=hex(2):61,00,2e,00,73,00,79,00,73,00,00,00\n"StartOverride"=-\n\n'
        "[-X]\n\n"
    )


names = st.text(max_size=20)
paths = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=30).filter(
    lambda path: path[0] != "-"
)
strings = st.text(max_size=30).map(text_data)
kinds = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 11, 0xFFFF0012])
set_values = st.builds(RegValue, names, kinds, strings | st.binary(max_size=200))
deleted_values = st.builds(RegValue, names, st.just(0), st.just(b""), st.just(value=True))
keys = st.builds(RegKey, paths, st.just(value=False), st.lists(set_values | deleted_values, max_size=5).map(tuple))
deleted_keys = st.builds(RegKey, paths, st.just(value=True))


@settings(deadline=None, max_examples=200)
@given(st.lists(keys | deleted_keys, max_size=5).map(tuple), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_there_and_back(written: tuple[RegKey, ...], encoding: str) -> None:
    found = read(export_keys(written).decode("utf-16"), encoding)
    assert (found.dialect, unnumbered(found.keys)) == (RegFileDialect.VERSION_5, written)


@settings(deadline=None, max_examples=200)
@given(st.text('[]"\\=-@;,:()\r\n ahexdword01\u2028\0', max_size=60), st.sampled_from([V4, V5 + "[A]\n"]))
def test_any_text_is_read_or_refused(text: str, header: str) -> None:
    where = "x.reg, line "
    try:
        read(header + text)
    except RegFileError as error:
        where = error.where
    assert where.startswith("x.reg, line ")


Content = dict[str, dict[str, tuple[int, bytes]]]
plain = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.", min_size=1, max_size=12)
merged_values = st.dictionaries(
    plain, st.tuples(kinds, st.binary(max_size=300) | st.text("abc %\\\"'", max_size=60).map(text_data)), max_size=6
)


@settings(deadline=None, max_examples=15)
@given(st.dictionaries(plain, merged_values, max_size=4))
def test_hivexregedit_reads_what_is_written(tmp_path_factory: pytest.TempPathFactory, content: Content) -> None:
    folder = tmp_path_factory.mktemp("merge")
    hive = folder / "hive"
    hive.write_bytes(built_hive(folder, minor=5))
    written = [
        RegKey("\\" + path, values=tuple(RegValue(name, *value) for name, value in values.items()))
        for path, values in content.items()
    ]
    (folder / "x.reg").write_bytes(export_keys(written).decode("utf-16").encode())
    subprocess.run(["hivexregedit", "--merge", str(hive), str(folder / "x.reg")], check=True, capture_output=True)
    assert exported(hive.read_bytes(), folder) == {"": {}} | content


def test_hivexregedit_exports_are_read(tmp_path: Path) -> None:
    if shutil.which("hivexregedit") is None:
        pytest.skip("hivexregedit is not installed")
    hive = real_file("hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM")
    done = subprocess.run(["hivexregedit", "--export", str(hive), "\\"], capture_output=True, check=True)
    found = {
        key.path.strip("\\"): {value.name: (value.type, value.data) for value in key.values}
        for key in parse(done.stdout, name="export").keys
    }
    assert found == exported(hive.read_bytes(), tmp_path)


@pytest.mark.parametrize(
    ("name", "keys", "values"),
    [
        ("reg/mergeide/mergeide.reg", 34, 81),
        ("bcd/templates/bcd-sys/recovery.reg", 39, 21),
        ("bcd/templates/bcd-sys/winload.reg", 50, 24),
    ],
)
def test_files_of_the_wild(name: str, keys: int, values: int) -> None:
    found = parse(real_file(name).read_bytes(), name=name)
    assert (len(found.keys), sum(len(key.values) for key in found.keys)) == (keys, values)
    assert unnumbered(parse(export_keys(found.keys), name=name).keys) == unnumbered(found.keys)


def test_the_torture_test_of_others() -> None:
    (first, second, third) = parse(real_file("reg/dissect-regflex.reg").read_bytes(), name="x").keys
    assert [key.path for key in (first, second, third)] == [
        r"HKEY_CURRENT_USER\Test1",
        r"HKEY_CLASSES_ROOT\Test2",
        r"HKEY_LOCAL_MACHINE\Test Values",
    ]
    values = {value.name: (value.type, value.data) for value in third.values}
    assert len(values) == len(third.values) == 15
    assert values["Hex String"] == (1, text_data("abcd"))
    assert values["Hex Dword BE"] == (5, b"\0\0\0\1")
    assert values["Multi String"] == (7, "a\0b\0c\0d\0\0".encode("utf-16-le"))
    assert len(values["Long Multi String"][1]) > 1000
