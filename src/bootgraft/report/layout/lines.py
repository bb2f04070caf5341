"""What a command prints for people: lines, and what each of them is, so that a terminal can lay them out.

A line is a plain ``str`` where its words say all there is to know: running text, which is wrapped below its own
indent, or a command, which is never broken (an indent of four and ``bootgraft``). All else is a :class:`PrintedLine`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import Annotated

from msgspec import Meta, Struct

from bootgraft.text import one_line

_COMMAND = re.compile(r" {4,}bootgraft ")
# Names on a disk are hostile input too: control characters would let them write anywhere on the terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_GAP = 2
"""Blanks between the columns of a table."""


class LineRole(StrEnum):
    """What a line is to the layout."""

    PROSE = "prose"  # wrapped at the terminal's width
    CODE = "code"  # to be copied or compared: never broken
    ROW = "row"  # of a table
    BAR = "bar"  # a disk drawn to scale


class Tone(StrEnum):
    """How a line is meant; bad news is never in the colour of good news."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    OPEN = "open"  # nobody knows, or it may matter
    QUIET = "quiet"
    HEAD = "head"  # an answer that is neither good nor bad


class PrintedLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One line as it stands in a pipe, and what a terminal needs to know to lay it out at another width.

    ``columns`` are the places in the text at which the cells of a row begin. ``tone`` is that of what stands before the
    last of them; of all of it, where there are none. ``parts`` are the labels and bytes of the stretches of a bar.
    """

    text: str
    role: LineRole = LineRole.PROSE
    tone: Tone = Tone.PLAIN
    columns: tuple[Annotated[int, Meta(ge=0)], ...] = ()
    parts: tuple[tuple[str, int], ...] = ()


Printed = str | PrintedLine
Text = tuple[Printed, ...]


def printable(text: str) -> str:
    """The text without control characters but line ends and tabs, and without direction overrides."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(text: Iterable[Printed]) -> str:
    """The text as it goes into pipes, files and logs; empty where there are no lines."""
    return "".join(f"{each if isinstance(each, str) else each.text}\n" for each in text)


def lines_of(text: str) -> Text:
    """The lines of a text without any but plain ones."""
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


def typed(line: Printed) -> PrintedLine:
    """The line with its role, where only its words say it."""
    if isinstance(line, PrintedLine):
        return line
    return PrintedLine(line, LineRole.CODE if _COMMAND.match(line) else LineRole.PROSE)


def rows(
    cells: Sequence[Sequence[str]], *, indent: int = 0, tones: Sequence[Tone] = (), least: Sequence[int] = ()
) -> Iterator[PrintedLine]:
    """The rows of a table, each column as wide as its widest cell, and at ``least`` so wide.

    ``tones`` has one for each row, or none.
    """
    widest = (max(map(len, column)) for column in zip(*cells, strict=True))
    widths = [max(each) for each in zip_longest(widest, least, fillvalue=0)]
    columns = tuple(indent + sum(widths[:place]) + _GAP * place for place in range(len(widths)))
    for place, row in enumerate(cells):
        padded = (" " * _GAP).join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        tone = tones[place] if tones else Tone.PLAIN
        yield PrintedLine(one_line(f"{' ' * indent}{padded}".rstrip()), LineRole.ROW, tone, columns)
