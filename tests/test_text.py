"""Names from disks, as they are shown."""

from bootgraft.text import counted, excerpt, listed, printable


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert printable("boot\x1b[31m\r\n\u202e.ini") == "boot?[31m???.ini"
    assert printable("W\xefndows \u30c7") == "W\xefndows \u30c7"


def test_evidence_shows_the_beginning_of_a_long_text() -> None:
    assert excerpt("cmd.exe\x1b") == "cmd.exe?"
    assert excerpt("x" * 999) == "x" * 200 + "…"


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert [counted(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


def test_parts_are_listed() -> None:
    assert [listed(list("abc"[:count])) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
