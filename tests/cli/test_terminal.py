"""What reaches the terminal, and what must not."""

import io
import json
import os
import sys
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.cli import terminal
from bootgraft.cli.options import Options
from bootgraft.cli.terminal import StatusLine, answer, monitor_for
from bootgraft.events import Event, EventKind, Unit
from bootgraft.report.layout.lines import printable

STEP = Event(EventKind.STEP, "reading the machine")
NOTE = Event(EventKind.NOTE, "opened")
WARNING = Event(EventKind.WARNING, "old library")
TEXT = "It would boot.\n\nmore\n"


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_control_character_gets_through(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    for character in shown:
        code = ord(character)
        assert character in "\n\t" or not (code < 0x20 or 0x7F <= code < 0xA0)
        assert character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        assert not 0xD800 <= code < 0xE000


def test_ordinary_text_is_as_it_was() -> None:
    text = "\\WINDOWS\\Übersicht der Aufträge\t日本語\n"
    assert printable(text) == text


class Terminal(io.StringIO):
    """Standard output on a terminal."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put standard output on a terminal; in the test itself, as pytest replaces it after the fixtures."""
    made = Terminal()
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return made


@pytest.mark.parametrize(("status", "colour"), [(0, "\x1b[1m"), (1, "\x1b[1;31m")])
def test_the_answer_is_coloured_on_a_terminal(monkeypatch: pytest.MonkeyPatch, status: int, colour: str) -> None:
    tty = on_a_terminal(monkeypatch)
    answer(TEXT, status, Options("check"))
    assert tty.getvalue() == f"{colour}It would boot.\x1b[0m\n\nmore\n"


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = on_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    answer(TEXT, 0, Options("check"))
    assert tty.getvalue() == TEXT


def test_an_empty_no_color_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = on_a_terminal(monkeypatch)
    # https://no-color.org: "when present and not an empty string"
    monkeypatch.setenv("NO_COLOR", "")
    answer(TEXT, 0, Options("check"))
    assert tty.getvalue().startswith("\x1b")


def test_no_colour_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    answer(TEXT, 0, Options("check"))
    assert capsys.readouterr().out == TEXT


def test_quiet_is_the_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    answer(TEXT, 0, Options("check", quiet=True))
    assert capsys.readouterr().out == "It would boot.\n"


def test_the_text_of_an_answer_cannot_colour_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = on_a_terminal(monkeypatch)
    answer("\x1b[32mfake\n", 1, Options("check", quiet=True))
    assert tty.getvalue().count("\x1b") == 2


class Timer:
    """A timer that ends when the test says so."""

    ends: list[Callable[[], None]] = []

    def __init__(self, _seconds: float, end: Callable[[], None]) -> None:
        self.ends.append(end)
        self.daemon = False

    def start(self) -> None:
        assert self.daemon

    def cancel(self) -> None:
        """The test may end it all the same: a real one may have begun to."""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (Options("check"), ["old library"]),
        (Options("check", quiet=True), ["old library"]),
        (Options("check", verbose=True), ["reading the machine", "opened", "old library"]),
    ],
)
def test_who_is_told_what(
    options: Options, told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "Timer", Timer)
    monitor = monitor_for(options)
    for event in (STEP, NOTE, WARNING):
        monitor(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "".join(f"bootgraft: {text}\n" for text in told)


class ErrorTerminal(Terminal):
    """Standard error on a terminal."""

    def fileno(self) -> int:
        return 2


def test_progress_is_a_line_of_the_terminal_that_messages_take_the_place_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Timer", Timer)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((80, 24)))
    stderr = ErrorTerminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monitor = monitor_for(Options("repair"))
    monitor(Event(EventKind.STEP, "writing", 0, 100))
    monitor(Event(EventKind.PROGRESS, "writing", 50, 100))
    assert stderr.getvalue() == ""
    Timer.ends.pop()()
    monitor(Event(EventKind.PROGRESS, "writing", 0, 100))
    monitor(WARNING)
    assert stderr.getvalue() == f"bootgraft: writing\n\rbootgraft: writing: 0 %\r{' ' * 23}\rbootgraft: old library\n"
    monitor(Event(EventKind.PROGRESS, "writing", 0, 100))
    answer(TEXT, 0, Options("repair"))
    assert stderr.getvalue().endswith(f"\rbootgraft: writing: 0 %\r{' ' * 23}\r")


def test_progress_is_not_for_files(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = monitor_for(Options("repair", verbose=True))
    monitor(Event(EventKind.STEP, "writing", 0, 3))
    monitor(Event(EventKind.PROGRESS, "writing", 1, 3))
    assert capsys.readouterr().err == "bootgraft: writing\n"


def test_long_work_tells_its_step_and_those_that_follow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "Timer", Timer)
    monitor = monitor_for(Options("repair"))
    monitor(Event(EventKind.STEP, "one"))
    monitor(Event(EventKind.STEP, "two"))
    monitor(NOTE)
    assert capsys.readouterr().err == ""
    Timer.ends.pop()()
    monitor(Event(EventKind.STEP, "three"))
    monitor(NOTE)
    assert capsys.readouterr().err == "bootgraft: two\nbootgraft: three\n"


class Gone(io.StringIO):
    """A stream whose reader went away."""

    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


def test_that_nobody_reads_the_messages_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())
    monitor_for(Options("repair", verbose=True))(STEP)


def test_a_hostile_name_in_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    monitor_for(Options("repair", verbose=True))(Event(EventKind.STEP, "writing \x1b[2J.qcow2"))
    assert "\x1b" not in capsys.readouterr().err


def test_patience_is_a_second() -> None:
    assert terminal.PATIENCE == 1.0


def with_errors_on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> ErrorTerminal:
    made = ErrorTerminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    return made


def test_it_is_written_over_and_goes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = with_errors_on_a_terminal(monkeypatch)
    line = StatusLine()
    line.show("one 10 %")
    line.show("two 9 %")
    line.clear()
    line.clear()
    assert terminal.getvalue() == "\rone 10 %\rtwo 9 % \r       \r"


def test_it_is_no_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = with_errors_on_a_terminal(monkeypatch, columns=10)
    StatusLine().show("reading a very long name")
    assert terminal.getvalue() == "\rreading a"


def test_wide_characters_do_not_make_it_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = with_errors_on_a_terminal(monkeypatch, columns=10)
    line = StatusLine()
    line.show("読み取り日本語")
    line.show("ab")
    assert terminal.getvalue() == "\r読み取り\rab      "


def test_each_stream_is_laid_out_by_what_it_is_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stderr = with_errors_on_a_terminal(monkeypatch, columns=12)
    answer("It would not boot.\n", 1, Options("check"))
    terminal.tell("It would not boot.\n")
    assert capsys.readouterr().out == "It would not boot.\n"
    assert stderr.getvalue() == "It would not\nboot.\n"


@pytest.mark.parametrize("columns", [0, 80])
def test_a_terminal_that_does_not_say_how_wide_it_is_has_80_columns(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = with_errors_on_a_terminal(monkeypatch, columns)
    StatusLine().show("x" * 100)
    assert stderr.getvalue() == "\r" + "x" * 79


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    line = StatusLine()
    line.show("one")
    line.clear()
    assert capsys.readouterr() == ("", "")


def test_events_are_lines_of_json_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monitor = monitor_for(Options("check", events=True, quiet=True))
    long = "reading " + "\N{LATIN SMALL LETTER U WITH DIAERESIS} \x1b[31m " * 40
    monitor(Event(EventKind.NOTE, long))
    monitor(Event(EventKind.PROGRESS, "reading", 5, 0, Unit.INFS))
    monitor(Event(EventKind.STEP, "reading", 0, 10))
    lines = [json.loads(line) for line in made.getvalue().splitlines()]
    assert "\x1b" not in made.getvalue()
    assert [each["text"] for each in lines] == [long, "reading", "reading"]
    counts = [(each["kind"], each["done"], each["total"], each["unit"]) for each in lines]
    assert counts == [
        ("note", None, None, None),
        ("progress", 5, None, "INFs"),
        ("step", 0, 10, "bytes"),
    ]


def test_a_command_that_is_over_tells_no_step_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "Timer", Timer)
    monitor = monitor_for(Options("check"))
    monitor(Event(EventKind.STEP, "reading the boot chain"))
    terminal.rest()
    Timer.ends.pop()()
    assert capsys.readouterr().err == ""
