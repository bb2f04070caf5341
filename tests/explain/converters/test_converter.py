"""The generations of Converter's log lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.explain.converters.converter import CONVERTER, parse
from bootgraft.explain.message import Level
from bootgraft.explain.wrapping.unwrapping import LogLine

STAMP = "2011-10-05 09:01:18.894"
FORMS = {
    "4.0": "[{time} 'App' 3064 {level}] {text}",
    "5.0": "[#8] [{time} 02372 {level} 'App'] {text}",
    "5.0 with opID": "[{time} 02372 {level} 'App' opID=3e-1] {text}",
    "5.5": "{iso}+02:00 [03456 {level} 'App'] {text}",
    "6.0": "{iso}+09:00 {level} App[04780] [Originator@6876 sub=Default] {text}",
    "6.6": "{iso}Z {level} App[04780] {text}",
}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=80)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("word", "level"),
    [("error", Level.ERROR), ("panic", Level.ERROR), ("warning", Level.WARNING), ("verbose", Level.INFO)],
)
def test_every_generation(form: str, word: str, level: Level) -> None:
    text = form.format(time=STAMP, iso=STAMP.replace(" ", "T"), level=word, text="it's [odd] 'here'")
    record = parse(LogLine(7, text))
    assert record is not None
    assert (record.number, record.tool, record.level, record.part) == (7, CONVERTER, level, "App")
    assert record.time.replace("T", " ").startswith(STAMP)
    assert record.text == "it's [odd] 'here'"


@given(st.sampled_from(sorted(FORMS)), TEXT)
@settings(max_examples=150, deadline=None)
def test_what_is_logged_comes_back(form: str, text: str) -> None:
    line = FORMS[form].format(time=STAMP, iso=STAMP.replace(" ", "T"), level="info", text=f"- {text}")
    record = parse(LogLine(1, line))
    assert record is not None
    assert record.text == f"- {text}"


@given(st.text("[]#0123456789-T: .'+Zerorinfo>%FAILD\\(){}\"", max_size=120))
@settings(max_examples=300, deadline=None)
def test_whatever_a_line_is_it_is_a_record_or_none(text: str) -> None:
    record = parse(LogLine(1, text))
    assert record is None or record.text in text


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("[task,379] [task-4] -- ERROR -- Convert: x.Fault", Level.ERROR),
        ("TaskImpl has failed with MethodFault::Exception: converter.fault.SomeFault", Level.ERROR),
        ("[task,379] [task-4] TaskImpl has failed with MethodFault::Exception: x.Fault", Level.ERROR),
        ("TaskImpl has not failed with any", Level.INFO),
    ],
)
def test_that_a_task_failed_is_an_error_though_it_is_logged_as_an_information(text: str, level: Level) -> None:
    record = parse(LogLine(1, f"2016-06-16T09:05:46.763+09:00 info vmware-converter-server[1] {text}"))
    assert record is not None
    assert record.level is level


def test_lines_of_an_object_and_of_the_list_of_tasks() -> None:
    member = parse(LogLine(1, '-->    msg = "x"'))
    assert member is not None
    assert (member.text, member.level, member.time) == ('msg = "x"', Level.INFO, "")
    for text in ("98% FAILED: Unable", "%98 FAILED: Unable", "FAILED: A file I/O error"):
        task = parse(LogLine(1, text))
        assert task is not None
        assert (task.level, task.text) == (Level.ERROR, text)


@pytest.mark.parametrize("text", ["", "plain", "[   2.6] Inspecting the source", "[2011-10-05] no", "12:00 error"])
def test_other_lines_are_none_of_converters(text: str) -> None:
    assert parse(LogLine(1, text)) is None


def test_a_line_made_to_be_slow_is_not() -> None:
    for text in (
        "[" * 16384,
        "[#1] [" + "2" * 16000,
        "2011-10-05 09:01:18.894 " * 600,
        f"[{STAMP} 1 info '" + "'" * 16000,
    ):
        assert parse(LogLine(1, text)) is None
