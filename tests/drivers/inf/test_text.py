"""The text of INFs: what setupapi reads in it, whatever the encoding, and what is no INF."""

import configparser
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drivers.inf.infs import GOOD, inf

from bootgraft.drivers.inf import text
from bootgraft.drivers.inf.text import MAX_SIZE, MAX_TEXT, MAX_TOKENS, parse_inf
from bootgraft.errors import DriverSourceError


def fields(line: str) -> tuple[str | None, tuple[str, ...]]:
    (found,) = inf(f"[s]\n{line}\n").section("s")
    return found.key, found.fields


@pytest.mark.parametrize(
    ("line", "key", "values"),
    [
        ("a=b", "a", ("b",)),
        ("  a  =  b  , c ", "a", ("b", "c")),
        ("a=", "a", ("",)),
        ("a,b", None, ("a", "b")),
        ("a,,,2", None, ("a", "", "", "2")),
        ("a,b=c", None, ("a", "b=c")),
        ("a=b=c", "a", ("b=c",)),
        ('a=" b "', "a", (" b ",)),
        ('a="b;c",d ; e', "a", ("b;c", "d")),
        ('a="b,c"', "a", ("b,c",)),
        ('a="say ""b"""', "a", ('say "b"',)),
        ('a=""', "a", ("",)),
        ('a="b" "c"', "a", ("b c",)),
        ('a="no end', "a", ("no end",)),
        ("a=b\\c", "a", ("b\\c",)),
        ('"a b"=c', "a b", ("c",)),
        ("a=b,\\\n  c", "a", ("b", "c")),
        ("a=b,\\ ; why\n  c", "a", ("b", "c")),
        ('a="x\\"\\\n,y', "a", ("x\\", "y")),
        ("a=b\\\\\n,c", "a", ("b", "c")),
        ("a=%%x%%,%12%,%absent%", "a", ("%x%", "%12%", "%absent%")),
    ],
)
def test_lines(line: str, key: str | None, values: tuple[str, ...]) -> None:
    assert fields(line) == (key, values)


def test_sections_of_one_name_are_one_whatever_the_case() -> None:
    found = inf("[A]\nx=1\n[b]\n[a]\ny=2\n; [a]\n  [ A ]  z=3\n")
    assert [(line.key, line.number) for line in found.section("a")] == [("x", 2), ("y", 5), ("z", 7)]
    assert found.has("B")
    assert found.section("B") == ()
    assert not found.has("c")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_are_counted(ends: str) -> None:
    found = inf(f"[a]{ends}{ends}x=1,\\{ends}2{ends}y=3{ends}")
    assert [(line.key, line.number) for line in found.section("a")] == [("x", 3), ("y", 5)]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("cp1252"),
        lambda text: text.encode("utf-8"),
        lambda text: b"\xef\xbb\xbf" + text.encode("utf-8"),
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
    ],
)
def test_every_encoding(encode: object) -> None:
    assert callable(encode)
    found = parse_inf(encode('[a]\r\nx="Gerätetreiber"\r\n'), "x.inf")
    assert found.value("a", "X") == "Gerätetreiber"


def test_strings_go_in_everywhere_and_once() -> None:
    found = inf("[a]\n%k%=%v%x%V%, 100%%, %w%\n[Strings]\nk=Key\nv=value\nw=%v%\n")
    (line,) = found.section("a")
    assert (line.key, line.fields) == ("Key", ("valuexvalue", "100%", "%v%"))
    assert found.value("a", "key") == "valuexvalue"


def test_english_strings_come_first_and_any_language_is_better_than_none() -> None:
    found = inf("[a]\nx=%x%,%y%,%z%\n[Strings.0407]\nx=eins\nz=drei\n[Strings]\nx=1\ny=2\n[Strings.0409]\nx=one\n")
    assert found.section("a")[0].fields == ("one", "2", "drei")


def test_a_ctrl_z_ends_the_text() -> None:
    assert [line.key for line in inf("[a]\nx=1\n\x1ay=2\n").section("a")] == ["x"]


@pytest.mark.parametrize("text", ["Copyright (c) Vendor, 2015\n", "x=0\n\ny=1\n", '"quoted, text" \\\n  goes on\n'])
def test_text_before_the_first_section_is_skipped(text: str) -> None:
    """As in vendors' packages, some of them signed by Microsoft's hardware programme."""
    found = inf(f"{text}[a]\nx=1\n")
    assert (list(found.raw), found.value("a", "x")) == (["a"], "1")


@pytest.mark.parametrize(
    ("data", "what", "where"),
    [
        (b"x=1\n", "no [section]", "x.inf"),
        (b"", "no [section]", "x.inf"),
        (b"[a]\n\n[b\nx=1\n", "lacks its closing bracket", "x.inf, line 3"),
        (b"[a]\nx\0=1\n", "NUL", "x.inf"),
        (b"MZ\x90\0\3\0\0\0", "NUL", "x.inf"),
        (b"[a]\nx=" + b"y" * (MAX_TEXT + 1), "a field has more than 4096 characters", "x.inf, line 2"),
        (b'[a]\nx="' + b'""' * (MAX_TEXT + 1), "a field has more than 4096 characters", "x.inf, line 2"),
        (b'[a]\nx="' + b'""' * (MAX_TEXT + 2), "a field has more than 4096 characters", "x.inf, line 2"),
        (b"[a]\n" + b"," * (MAX_TOKENS + 1), "more words than any INF", "x.inf, line 2"),
        (b" " * (MAX_SIZE + 1), "more than 8 MiB", "x.inf"),
    ],
)
def test_what_is_no_inf(data: bytes, what: str, where: str) -> None:
    with pytest.raises(DriverSourceError) as caught:
        parse_inf(data, "x.inf")
    assert what in caught.value.what
    assert caught.value.where == where


def test_strings_that_multiply_are_refused() -> None:
    found = inf("[a]\nx=" + "%s%" * 1000 + "\n[Strings]\ns=" + "y" * 4000)
    with pytest.raises(DriverSourceError, match="once its strings are put in") as caught:
        found.value("a", "x")
    assert caught.value.where == "test.inf, line 2"


@given(st.lists(st.sampled_from([*'[]=,;"\\% \n\r\t\xa0\x1cax', '""', "\\\n", "\\ \n", "[s]"]), max_size=60))
@settings(max_examples=300)
def test_an_ordinary_line_is_read_as_any_other(pieces: list[str]) -> None:
    """The quick way and the way through every token come to the same."""
    data = ("[s]\n" + "".join(pieces)).encode()

    def read() -> object:
        try:
            return parse_inf(data, "x.inf").raw
        except DriverSourceError as error:
            return error.what, error.where

    quick = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_ORDINARY", re.compile("(?!)"))
        patch.setattr(text, "_QUOTED_VALUE", re.compile("(?!)"))
        assert quick == read()


@given(st.binary(max_size=400))
def test_any_bytes_are_an_inf_or_one_error(data: bytes) -> None:
    try:
        found = parse_inf(data, "x.inf")
    except DriverSourceError:
        return
    for section in found.raw:
        found.section(section)


@given(st.text(alphabet='[]=,;"\\% \n\r\tax1', max_size=200))
@settings(max_examples=300)
def test_any_text_is_an_inf_or_one_error(text: str) -> None:
    try:
        found = inf("[s]\n" + text)
    except DriverSourceError:
        return
    assert [line.number for line in found.section("s")] == sorted(line.number for line in found.section("s"))


# What may stand between quotes; a line end would end the field.
_QUOTABLE = st.text(
    alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), max_size=20
)


@given(st.lists(_QUOTABLE, min_size=1, max_size=6))
def test_quoted_fields_come_back_as_they_were(values: list[str]) -> None:
    quoted = ",".join('"{}"'.format(value.replace('"', '""').replace("%", "%%")) for value in values)
    assert fields(f"key={quoted}") == ("key", tuple(values))


def packages(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.casefold() in (".inf", ".inx"))


def test_every_real_inf_is_read(shared_testdata: Path) -> None:
    found = packages(shared_testdata)
    assert len(found) >= 30
    for path in found:
        assert parse_inf(path.read_bytes(), path.name).has("Version"), path


def test_sections_and_keys_are_those_of_another_reader(shared_testdata: Path) -> None:
    """configparser knows sections, keys and comments on lines of their own: where a line is that plain, it agrees."""
    compared = 0
    for path in packages(shared_testdata / "drivers"):
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith(b"\xff\xfe") else "cp1252")
        other = configparser.RawConfigParser(
            delimiters="=", comment_prefixes=";", allow_no_value=True, strict=False, empty_lines_in_values=False
        )
        other.optionxform = str.casefold  # type: ignore[method-assign,assignment]
        other.read_string("\n".join(line.strip() for line in text.splitlines()))
        ours = parse_inf(data, path.name)
        assert set(ours.raw) == {section.strip().casefold() for section in other.sections()}, path
        for section in other.sections():
            keys = {line.key.casefold() for line in ours.raw[section.strip().casefold()] if line.key is not None}
            for key, value in other.items(section):
                if value is not None and '"' not in key and "," not in key and not key.startswith(";"):
                    assert key.strip() in keys, (path, section, key)
                    compared += 1
    assert compared > 400


def test_values_are_those_of_a_plain_regular_expression(shared_testdata: Path) -> None:
    for path in packages(shared_testdata / "drivers" / "virtio-win-old-drivers"):
        text = path.read_text("cp1252")
        found = parse_inf(path.read_bytes(), path.name)
        version = re.search(r"^DriverVer\s*=\s*([\d/]+),([\d.]+)", text, re.M)
        assert version is not None
        assert (found.value("Version", "DriverVer"), found.value("version", "driverver", 1)) == version.groups()


def test_the_good_inf_is_good() -> None:
    assert inf(GOOD).value("Version", "Provider") == "A vendor"
