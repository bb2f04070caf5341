"""Lines: what they are, and how they stand in a pipe."""

import pytest

from bootgraft.report.layout.lines import LineRole, PrintedLine, Tone, lines_of, plain, rows, typed


def test_the_text_of_a_pipe_is_the_lines_one_below_the_other() -> None:
    assert plain(("one", "", PrintedLine("  [..]", LineRole.BAR, Tone.BAD, (0, 2), (("", 7),)))) == "one\n\n  [..]\n"
    assert plain(()) == ""


@pytest.mark.parametrize("text", ["", "one\n", "one\n\ntwo\n", "\none\n"])
def test_a_text_of_plain_lines_is_what_it_was(text: str) -> None:
    assert plain(lines_of(text)) == text


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("    bootgraft check a.raw", LineRole.CODE),
        ("        bootgraft check a.raw", LineRole.CODE),
        ("    bootgraft's own words", LineRole.PROSE),
        ("bootgraft cannot repair it", LineRole.PROSE),
        (PrintedLine("    bootgraft check a.raw", LineRole.ROW), LineRole.ROW),
    ],
)
def test_a_command_is_known_by_its_indent(line: str | PrintedLine, role: LineRole) -> None:
    assert typed(line).role is role


def test_a_table_has_its_columns_where_its_cells_begin() -> None:
    table = tuple(rows([("a", "long", "x y"), ("abc", "b", "")], indent=2, tones=(Tone.BAD, Tone.GOOD), least=(4,)))
    assert plain(table) == "  a     long  x y\n  abc   b\n"
    assert [(each.columns, each.tone) for each in table] == [((2, 8, 14), Tone.BAD), ((2, 8, 14), Tone.GOOD)]
    assert tuple(rows([])) == ()


def test_a_name_on_a_disk_makes_no_row_of_its_own() -> None:
    assert plain(rows([("a\nb", "c\rd")])).count("\n") == 1
