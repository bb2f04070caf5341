"""virt-v2v's output: steps, wrapped errors, JSON lines."""

import json
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explain import logs

from bootgraft.explain.converters.virtv2v import HELPERS, V2V, V2V_IN_PLACE, VirtV2vLines, parse
from bootgraft.explain.message import Level, LogMessage
from bootgraft.explain.wrapping.unwrapping import LogLine


def records(text: str) -> list[LogMessage]:
    messages = VirtV2vLines()
    found = [
        each
        for number, line in enumerate(text.split("\n"), 1)
        for each in messages.feed(LogLine(number, line.strip())) or ()
    ]
    return [*found, *messages.end()]


def test_a_wrapped_error_is_put_together() -> None:
    errors = [each for each in records(logs.IN_PLACE_NO_ROOT) if each.level is Level.ERROR]
    (error,) = errors
    assert (error.number, error.tool) == (7, V2V_IN_PLACE)
    assert error.text.startswith("inspection could not detect the source guest (or physical machine) operating system.")
    assert error.text.split(".")[-2].strip() == "No root device found in this operating system image"


def test_steps_have_their_seconds() -> None:
    steps = [each for each in records(logs.IN_PLACE_NO_ROOT) if each.time]
    assert [each.time for each in steps] == ["0.0", "1.1", "11.5", "13.2", "13.4"]


def test_json_lines() -> None:
    (error,) = (each for each in records(logs.JSON_NO_ROOT) if each.level is Level.ERROR)
    assert error.time == "2026-06-09T15:26:34.443250970+02:00"
    assert error.text.endswith("happen. No root device found in this operating system image.")


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "[]", '{"message": 1, "type": "error"}', '{"message": "a", "type": {}}', "{" * 5000, '{"a":' * 5000],
)
def test_json_that_is_none_of_its(text: str) -> None:
    assert parse(LogLine(1, text)) is None


def test_an_error_takes_no_more_lines_than_a_message_has() -> None:
    (error,) = records("virt-v2v: error: one\n" + "more\n" * 1000)
    assert len(error.text) < 100


def test_a_line_into_which_libguestfs_wrote_its_trace() -> None:
    # the form of https://github.com/vexxhost/migratekit/issues/54
    found = records(
        "mount: /sysroot: unknown filesyslibguestfs: trace: v2v: mount_ro = -1 (error)\n"
        "libguestfs: trace: v2v: is_dir\ntem type 'ntfs'.\nplain\n"
    )
    assert [each.text for each in found] == ["mount: /sysroot: unknown filesystem type 'ntfs'."]
    assert records("x" * 299 + "libguestfs: trace: a\n" * 50) == []


def test_programs_without_virt_v2v_are_no_virt_v2v() -> None:
    (error,) = records("qemu-img: odd")
    assert error.tool is HELPERS
    assert {each.tool for each in records("[   1.0] Opening the source\nqemu-img: odd")} == {V2V}


WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=30)


@given(WORDS, st.integers(40, 90), st.booleans())
@settings(max_examples=150, deadline=None)
def test_however_wide_the_terminal_is(words: list[str], width: int, as_json: bool) -> None:
    text = " ".join(words)
    if as_json:
        log = json.dumps({"message": text, "timestamp": "t", "type": "error"})
    else:
        log = "\n".join(textwrap.wrap(f"virt-v2v: error: {text}", width, break_long_words=False))
    (error,) = records(log)
    assert (error.level, error.text) == (Level.ERROR, text)
