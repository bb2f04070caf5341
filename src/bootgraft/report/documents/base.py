"""What every document has."""

from typing import Annotated

from msgspec import Meta, Struct

Size = Annotated[int, Meta(ge=0)]
"""Bytes of a file, taken from a child process that has read hostile ones."""


class Document(Struct, frozen=True, tag_field="schema"):
    """What a command prints with ``--json``.

    The tag of each kind is its member ``schema``: name and version, as ``bootgraft-check/1``. The version rises where a
    member is renamed, removed or means something else, not where one is added.
    """
