"""Names from disks, as they are shown."""

from bootgraft.text import excerpt, printable


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert printable("boot\x1b[31m\r\n\u202e.ini") == "boot?[31m???.ini"
    assert printable("W\xefndows \u30c7") == "W\xefndows \u30c7"


def test_evidence_shows_the_beginning_of_a_long_text() -> None:
    assert excerpt("cmd.exe\x1b") == "cmd.exe?"
    assert excerpt("x" * 999) == "x" * 200 + "…"
