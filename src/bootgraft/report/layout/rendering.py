"""Lines laid out for a terminal, with rich: wrapped between words, tables and disks as wide as it is, in colour."""

import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import groupby, pairwise

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text as Styled

from bootgraft.report.layout.drawing import draw
from bootgraft.report.layout.lines import LineRole, Printed, PrintedLine, Tone, printable, typed

MOST = 200
"""Columns that a table or a disk is drawn in at most."""
MOST_OF_PROSE = 120
"""Columns of running text: longer lines are hard to read."""
_LEAST = 24
"""Columns that the last cell of a row needs beside the others; with fewer it goes below them."""
_BELOW = 4
"""Blanks by which it is then indented."""

_STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "bold green",
    Tone.BAD: "bold red",
    Tone.OPEN: "yellow",
    Tone.QUIET: "dim",
    Tone.HEAD: "bold",
}
_COMMAND = "cyan"
_WORDS = re.compile(r"\s*\S+")
_PIECES = re.compile(r"[^\\/]*[\\/]+|[^\\/]+")
"""Where a path that is longer than a line may be broken."""


def render(text: Iterable[Printed], width: int, *, colour: bool) -> str:
    """The text for a terminal of ``width`` columns; without ``colour`` there are no escape sequences in it.

    Nothing in it is markup: what comes from disks is shown as it is, control characters aside.
    """
    stream = StringIO()
    console = Console(
        file=stream,
        width=max(width, 1),
        force_terminal=True,
        force_jupyter=False,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for line in _laid_out([_harmless(typed(each)) for each in text], width):
        console.print(line, soft_wrap=True)
    return stream.getvalue()


def _harmless(line: PrintedLine) -> PrintedLine:
    """The line without control characters; its columns are its own: it may come from a child that went wrong."""
    text = printable(line.text.expandtabs())
    columns = tuple(sorted(min(each, len(text)) for each in line.columns))
    role = LineRole.PROSE if line.role is LineRole.ROW and not columns else line.role
    return PrintedLine(text, role, line.tone, columns, tuple((printable(label), size) for label, size in line.parts))


def _laid_out(lines: Sequence[PrintedLine], width: int) -> Iterator[Styled]:
    for (role, columns), group in groupby(lines, lambda each: (each.role, each.columns)):
        match role:
            case LineRole.ROW:
                yield from _table(list(group), columns, min(width, MOST))
            case LineRole.BAR:
                yield from (bar for each in group for bar in _bar(each, min(width, MOST)))
            case LineRole.CODE:
                yield from map(_code, group)
            case LineRole.PROSE:
                yield from (part for each in group for part in _prose(each, min(width, MOST_OF_PROSE)))


def _styled(line: PrintedLine) -> Styled:
    styled = Styled(line.text)
    styled.stylize(_STYLES[line.tone], 0, line.columns[-1] if line.columns else len(line.text))
    return styled


def _code(line: PrintedLine) -> Styled:
    """What is to be copied: one line, however long, which the terminal itself carries over."""
    styled = _styled(line)
    if line.tone is Tone.PLAIN and line.text.lstrip().startswith("bootgraft "):
        styled.stylize(_COMMAND)
    return styled


def _prose(line: PrintedLine, width: int) -> list[Styled]:
    return _wrapped(_styled(line), width)


def _wrapped(text: Styled, width: int, indent: int = 0) -> list[Styled]:
    """The text in lines, each below its own indent; ``indent`` is put before all of them."""
    own = len(text.plain) - len(text.plain.lstrip(" "))
    body = text[own:]
    blanks = Styled(" " * (own + indent))
    room = max(width - own - indent, 1)
    lines = list(body.divide(_breaks(body.plain, room)))
    for each in lines:
        each.rstrip()
    return [blanks + each for each in lines] if body.plain else [Styled("")]


def _breaks(text: str, width: int) -> list[int]:
    """Where to break a text into lines of at most ``width`` columns: between words, wherever these fit."""
    found, at, used = [], 0, 0
    for piece in _unbroken(text, width):
        needed = cell_len(piece)
        if used and used + needed > width:
            blanks = len(piece) - len(piece.lstrip())
            found.append(at + blanks)
            needed -= blanks
            used = 0
        used += needed
        at += len(piece)
    return found


def _unbroken(text: str, width: int) -> Iterator[str]:
    """The words of a text with the blanks before them; of what is longer than a line, pieces of a path, or of any."""
    for word in _WORDS.findall(text):
        if cell_len(word.lstrip()) <= width:
            yield word
            continue
        for piece in _PIECES.findall(word):
            yield from [piece] if cell_len(piece.lstrip()) <= width else chop_cells(piece, width)


def _table(lines: Sequence[PrintedLine], columns: Sequence[int], width: int) -> Iterator[Styled]:
    last = columns[-1]
    if max(cell_len(each.text) for each in lines) <= width:
        yield from map(_styled, lines)
    elif width - last >= _LEAST:
        for each in lines:
            yield from _hanging(_styled(each), last, width)
    else:
        for each in lines:
            yield from _below(_styled(each), columns, width)


def _hanging(row: Styled, last: int, width: int) -> Iterator[Styled]:
    """The row with its last cell wrapped in its own column."""
    first, *more = _wrapped(row[last:], width - last)
    yield row[:last] + first
    yield from (Styled(" " * last) + each for each in more)


def _below(row: Styled, columns: Sequence[int], width: int) -> Iterator[Styled]:
    """The row with its last cell below the others, which are no longer aligned."""
    indent, last = columns[0], columns[-1]
    cells = [row[start:end] for start, end in pairwise(columns)]
    for each in cells:
        each.rstrip()
    head = Styled(" " * indent) + Styled("  ").join(each for each in cells if each.plain)
    yield from _wrapped(head, width)
    if row.plain[last:].strip():
        yield from _wrapped(row[last:], width, indent + _BELOW)


def _bar(line: PrintedLine, width: int) -> Iterator[Styled]:
    """The disk in the width that there is, brackets and indent included."""
    indent = len(line.text) - len(line.text.lstrip(" "))
    drawing = draw(line.parts, width - 2 * indent - 2)
    if drawing is not None:
        yield Styled(" " * indent + drawing)
