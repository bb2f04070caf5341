r"""Values as JSON and back: structs, enumerations, tuples, bytes (in base64) and what they hold.

The text is ASCII, and a lone surrogate (a name on a disk, or a path, that is no Unicode) comes through as ``\udc80``.
msgspec's own encoder and decoder refuse that; so the text is the standard library's, and msgspec judges the values.
"""

import json
from typing import TypeVar

import msgspec

Form = TypeVar("Form")


def to_json(value: object) -> str:
    """The value as JSON, in one line."""
    return json.dumps(msgspec.to_builtins(value))


def from_json(text: bytes | str, form: type[Form]) -> Form:
    """The value of this type in a JSON text, strictly: a number is no string, and nothing is missing.

    Raises ValueError where there is none, RecursionError where it is nested too deep.
    """
    return msgspec.convert(json.loads(text), form)
