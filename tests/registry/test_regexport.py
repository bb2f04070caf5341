"""Exported .reg files: read back they say what is in the hive, in both dialects."""

import pytest
from tests.registry.support import Memory, Tree, open_bytes, real_bcds, real_file, tree, unnumbered

from bootgraft.errors import RegFileError
from bootgraft.registry.hive import Hive
from bootgraft.registry.regexport import export, export_keys
from bootgraft.registry.regfile import RegFileDialect, RegKey, RegValue, parse
from bootgraft.registry.values import ValueType, text_data

ROOT = r"HKEY_LOCAL_MACHINE\HIVE"


def read_back(hive: Hive, key: str = "", *, ansi: str | None = None) -> tuple[RegFileDialect, Tree]:
    top = hive.key(key)
    assert top is not None
    file = parse(b"".join(export(top, ROOT, ansi=ansi)), name="exported.reg")
    assert not any(each.delete for each in file.keys)
    prefix = f"{ROOT}\\"
    return file.dialect, {
        each.path.removeprefix(ROOT).removeprefix("\\") if each.path == ROOT else each.path.removeprefix(prefix): {
            value.name: (value.type, value.data) for value in each.values
        }
        for each in file.keys
    }


@pytest.mark.parametrize(
    "name",
    [
        "hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM",
        "hives-other/setup-media/xp-sp3-x86-nlite-media/SETUPREG.HIV",
        "hives-other/yarp/BigDataHive",
        "hives-other/yarp/UnicodeHive",
        "hives-other/yarp/StringValuesHive",
        "hives-other/yarp/MultiSzHive",
        *real_bcds()[:4],
    ],
)
def test_version_5_says_everything(name: str) -> None:
    hive = open_bytes(real_file(name).read_bytes())
    assert read_back(hive) == (RegFileDialect.VERSION_5, tree(hive))


def test_regedit4_says_what_the_code_page_has() -> None:
    hive = open_bytes(real_file("hives-other/setup-media/xp-sp3-x86-nlite-media/SETUPREG.HIV").read_bytes())
    assert read_back(hive, ansi="cp1252") == (RegFileDialect.REGEDIT4, tree(hive))


def test_below_a_key() -> None:
    hive = open_bytes(real_file("hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM").read_bytes())
    _, content = read_back(hive, r"ControlSet001\Services\atapi")
    whole = tree(hive)
    assert content == {
        path.removeprefix(r"ControlSet001\Services\atapi").removeprefix("\\"): values
        for path, values in whole.items()
        if path == r"ControlSet001\Services\atapi" or path.startswith("ControlSet001\\Services\\atapi\\")
    }


@pytest.fixture
def hive() -> Hive:
    return Hive.open(Memory(real_file("hives-other/yarp/EmptyHive").read_bytes()), name="hive")


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (1, utf16("plain\0")),
        (1, utf16("two\nlines\0")),
        (1, utf16("no end")),
        (1, b""),
        (2, utf16("%x%\0")),
        (3, bytes(range(256))),
        (4, b"\1\0\0\0"),
        (4, b"\1"),
        (7, utf16("a\0b\0\0")),
        (0xFFFF0012, b"x"),
        (1, utf16('quo"te\\\0')),
    ],
)
@pytest.mark.parametrize("name", ["", "v", 'q"\\', "with\nline end", "ä"])
def test_values_of_all_sorts(hive: Hive, name: str, kind: int, data: bytes) -> None:
    hive.create_key("K")
    hive.set_value("K", name, kind, data)
    for ansi in (None, "cp1252"):
        assert read_back(hive, "K", ansi=ansi)[1] == {"": {name: (kind, data)}}


@pytest.mark.parametrize(
    ("name", "kind", "data"), [("中", 3, b""), ("v", 1, utf16("中\0")), ("v", 7, utf16("中\0\0")), ("v", 2, b"abc")]
)
def test_what_regedit4_cannot_say_is_an_error(hive: Hive, name: str, kind: int, data: bytes) -> None:
    hive.create_key("K")
    hive.set_value("K", name, kind, data)
    with pytest.raises(RegFileError, match=r"cannot be written|characters") as caught:
        read_back(hive, "K", ansi="cp1252")
    assert "--ansi" in caught.value.advice
    assert read_back(hive, "K")[1] == {"": {name: (kind, data)}}


@pytest.mark.parametrize("bad", ["line\r\nend", "cr\r", "lf\n"])
@pytest.mark.parametrize("ansi", [None, "cp1252"])
def test_a_key_that_reg_text_cannot_say_is_named_and_the_rest_goes_on(hive: Hive, bad: str, ansi: str | None) -> None:
    for path in ("K\\aa", f"K\\{bad}\\below", f"K\\{bad}z", "K\\z"):
        hive.create_key(path)
    hive.set_value(f"K\\{bad}", "v", ValueType.REG_DWORD, bytes(4))
    top = hive.key("K")
    assert top is not None
    left: list[str] = []
    data = b"".join(export(top, ROOT, ansi=ansi, leave_out=left.append))
    assert left == [f"{ROOT}\\{bad}", f"{ROOT}\\{bad}z"]
    assert [each.path for each in parse(data, name="exported.reg").keys] == [ROOT, f"{ROOT}\\aa", f"{ROOT}\\z"]
    text = data.decode(ansi or "utf-16")
    assert f"\r\n; left out with all that is below it: {ROOT}\\{bad[:2]}" in text
    assert bad not in text


def test_keys_that_are_to_be_set_and_deleted_in_both_dialects() -> None:
    keys = (
        RegKey("HKEY_LOCAL_MACHINE\\A", delete=True),
        RegKey(
            "HKEY_LOCAL_MACHINE\\B",
            values=(
                RegValue("s", ValueType.REG_SZ, text_data("x")),
                RegValue("e", ValueType.REG_EXPAND_SZ, text_data("%x%")),
                RegValue("gone", ValueType.REG_NONE, b"", delete=True),
            ),
        ),
    )
    new, old = export_keys(keys), export_keys(keys, ansi="ascii")
    assert (new[:2], old[:10]) == (b"\xff\xfe", b"REGEDIT4\r\n")
    assert b'"e"=hex(2):25,78,25,00\r\n' in old
    assert unnumbered(parse(new, name="new").keys) == unnumbered(parse(old, name="old").keys) == keys
    with pytest.raises(RegFileError, match="cannot be written in ascii"):
        export_keys((RegKey("HKEY_LOCAL_MACHINE\\\u4e2d"),), ansi="ascii")
