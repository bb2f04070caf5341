"""Values as JSON and back: what msgspec's own encoder refuses comes through too."""

import json
from enum import StrEnum

import pytest
from msgspec import Struct

from bootgraft.jsontext import from_json, to_json


class Colour(StrEnum):
    RED = "red"


class Value(Struct, frozen=True):
    name: str
    colour: Colour
    data: bytes = b""
    more: tuple[int, ...] = ()


@pytest.mark.parametrize("name", ["plain", "\u00e9\u20ac", "\U0001f600", "\udc80", "\ud83dx", "\0\x1b\n"])
def test_what_goes_in_comes_out_in_ascii(name: str) -> None:
    value = Value(name, Colour.RED, b"\xff\0", (1, 2**70))
    text = to_json(value)
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text) == {"name": name, "colour": "red", "data": "/wA=", "more": [1, 2**70]}
    assert from_json(text.encode(), Value) == value


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"name": 1, "colour": "red"}', '{"name": "x", "colour": "blue"}', '{"name": "x"}',
     '{"name": "x", "colour": "red", "data": "?"}', '{"name": "x", "colour": "red", "more": ["1"]}'],
)  # fmt: skip
def test_what_is_no_such_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expect|Object|Invalid"):
        from_json(text, Value)


def test_what_is_nested_too_deep() -> None:
    with pytest.raises(RecursionError):
        from_json("[" * 200_000, Value)
