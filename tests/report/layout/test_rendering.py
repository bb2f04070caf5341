"""Texts on terminals of any width: nothing is lost, no word is broken that fits, and what is copied stays whole."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bootgraft.report.layout.drawing import draw
from bootgraft.report.layout.lines import LineRole, Printed, PrintedLine, Tone, rows
from bootgraft.report.layout.rendering import MOST, MOST_OF_PROSE, render

WIDTHS = st.integers(40, 250)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
prose = st.builds(lambda indent, text: " " * indent + " ".join(text), st.integers(0, 8), st.lists(words, max_size=30))
COMMAND = "    bootgraft repair '/srv/a very long folder/server 1.vmdk' --target vmware:lsilogic --drivers SOURCE"


def lines(text: Printed | tuple[Printed, ...], width: int, *, colour: bool = False) -> list[str]:
    return render(text if isinstance(text, tuple) else (text,), width, colour=colour).split("\n")[:-1]


@given(prose, WIDTHS)
def test_words_are_kept_whole_and_in_order_within_the_width(text: str, width: int) -> None:
    shown = lines(text, width)
    assert " ".join(shown).split() == text.split()
    assert max(map(cell_len, shown)) <= min(width, MOST_OF_PROSE)


@given(prose.filter(str.strip), WIDTHS)
def test_each_line_stands_below_the_first_and_is_as_full_as_it_can_be(text: str, width: int) -> None:
    shown = lines(text, width)
    indent = len(text) - len(text.lstrip())
    assert all(re.match(rf" {{{indent}}}\S", each) for each in shown)
    for each, following in pairwise(shown):
        assert cell_len(each) + 1 + cell_len(following.split()[0]) > min(width, MOST_OF_PROSE)


@given(st.text(st.characters(categories=["L", "N"]), min_size=41, max_size=300), WIDTHS)
def test_a_word_longer_than_the_line_is_all_there(word: str, width: int) -> None:
    assert "".join(lines(word, width)) == word


def test_a_path_longer_than_the_line_is_broken_behind_a_separator() -> None:
    path = r"ControlSet001\Control\CriticalDeviceDatabase\pci#ven_1000"
    assert lines(path, 40) == ["ControlSet001\\Control\\", "CriticalDeviceDatabase\\pci#ven_1000"]


@pytest.mark.parametrize("width", [1, 20, 40, 80])
def test_what_is_to_be_copied_is_one_line_at_any_width(width: int) -> None:
    code = PrintedLine(
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\a service with a long name]", LineRole.CODE, Tone.GOOD
    )
    assert lines((COMMAND, code), width) == [COMMAND, code.text]
    assert [ESCAPES.sub("", each) for each in lines((COMMAND, code), width, colour=True)] == [COMMAND, code.text]


@pytest.mark.parametrize(
    "hostile", ["[red]x[/red]", "[/]", ":skull:", "[link=http://x]y[/link]", "\\[bold]", "[@click=a]"]
)
def test_a_name_that_looks_like_markup_is_shown_as_it_is(hostile: str) -> None:
    row = PrintedLine(f"  {hostile}  {hostile}", LineRole.ROW, columns=(2, 4 + len(hostile)))
    for each in (hostile, PrintedLine(hostile, LineRole.CODE), PrintedLine(hostile, tone=Tone.BAD), row):
        (shown,) = lines(each, 80, colour=True)
        assert ESCAPES.sub("", shown) == (each if isinstance(each, str) else each.text)


anything = st.text(st.characters(exclude_categories=[]), max_size=120)
parts = st.lists(st.tuples(anything, st.integers()), max_size=6).map(tuple)
columns = st.lists(st.integers(0, 200), max_size=5).map(tuple)
any_line = anything | st.builds(PrintedLine, anything, st.sampled_from(LineRole), st.sampled_from(Tone), columns, parts)


@given(st.lists(any_line, max_size=5).map(tuple), st.integers(0, 250), st.booleans())
def test_whatever_a_child_sends_is_shown_and_writes_nowhere_else(
    text: tuple[Printed, ...], width: int, colour: bool
) -> None:
    shown = render(text, width, colour=colour)
    assert colour or "\x1b" not in shown
    for each in ESCAPES.sub("", shown):
        assert each == "\n" or unicodedata.category(each) not in ("Cc", "Cs")
        assert each not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


cell = st.text(st.sampled_from("ab "), min_size=1, max_size=40).map(str.strip).filter(bool)


@given(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=6), WIDTHS)
def test_a_table_fits_and_loses_nothing(cells: list[tuple[str, str, str]], width: int) -> None:
    shown = lines(tuple(rows(cells, indent=2)), width)
    assert max(map(len, shown)) <= width
    assert " ".join(shown).split() == " ".join(word for row in cells for word in row).split()


def test_the_last_cell_is_wrapped_in_its_column_where_there_is_room_for_it() -> None:
    table = tuple(rows([("kvm:ide", "boots as it is", ""), ("xen:pv", "unknown", "nobody can tell from the disk")]))
    assert lines(table, 52) == [
        "kvm:ide  boots as it is",
        "xen:pv   unknown         nobody can tell from the",
        "                         disk",
    ]


def test_the_last_cell_goes_below_the_others_where_there_is_none() -> None:
    table = tuple(rows([("kvm:ide", "boots as it is", ""), ("xen:pv", "unknown", "nobody can tell from the disk")]))
    assert lines(table, 40) == ["kvm:ide  boots as it is", "xen:pv  unknown", "    nobody can tell from the disk"]


@given(st.lists(st.tuples(st.just("1 ntfs"), st.integers(1, 2**42)), min_size=1, max_size=4).map(tuple), WIDTHS)
def test_a_disk_is_drawn_as_wide_as_the_terminal(stretches: tuple[tuple[str, int], ...], width: int) -> None:
    (shown,) = lines(PrintedLine(f"  {draw(stretches)}", LineRole.BAR, parts=stretches), width)
    assert len(shown) == min(width, MOST) - 2
    assert shown == f"  {draw(stretches, min(width, MOST) - 6)}"


def test_a_disk_of_more_partitions_than_fit_is_not_drawn() -> None:
    stretches = (("1", 1),) * 15
    assert lines(PrintedLine(f"  {draw(stretches)}", LineRole.BAR, parts=stretches), 40) == []


@pytest.mark.parametrize(
    ("tone", "escape"),
    [(Tone.GOOD, "1;32"), (Tone.BAD, "1;31"), (Tone.OPEN, "33"), (Tone.QUIET, "2"), (Tone.HEAD, "1")],
)
def test_each_tone_has_its_colour(tone: Tone, escape: str) -> None:
    assert lines(PrintedLine("all", tone=tone), 80, colour=True) == [f"\x1b[{escape}mall\x1b[0m"]
    assert lines(PrintedLine("head: rest", tone=tone, columns=(0, 5)), 80, colour=True) == [
        f"\x1b[{escape}mhead:\x1b[0m rest"
    ]


def test_wide_characters_count_by_what_they_take() -> None:
    assert lines("日本語日本語日本語日 日本語日本語日本語日本語", 40) == [
        "日本語日本語日本語日",
        "日本語日本語日本語日本語",
    ]
