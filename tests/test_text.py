"""Names from disks, as they are shown."""

from bootgraft.text import printable


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert printable("boot\x1b[31m\r\n\u202e.ini") == "boot?[31m???.ini"
    assert printable("W\xefndows \u30c7") == "W\xefndows \u30c7"
