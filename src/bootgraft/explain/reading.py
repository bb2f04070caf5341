"""Bytes of a log become numbered lines of text, in constant memory and whatever their encoding.

Converter services write UTF-8 or the machine's ANSI code page, PowerShell and Notepad save UTF-16 with a byte order
mark, and logs that were pasted together mix them; so all but UTF-16 is decided line by line.
"""

import codecs
from collections.abc import Iterable, Iterator

from msgspec import Struct

MAX_LINE = 65536
"""Bytes of one line that are looked at; the rest of a longer one is dropped. What logs in JSON puts 16 KiB of a
program's output on a line, every quote of it escaped."""
CHUNK = 65536

_UTF16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


class Line(Struct, frozen=True):
    """One line: ``number`` counts line feeds, so several pieces of a progress bar (carriage returns) share one.

    ``cut``: it was longer than what is looked at.
    """

    number: int
    text: str
    cut: bool = False


def lines(chunks: Iterable[bytes]) -> Iterator[Line]:
    """The lines that are not empty. How the bytes are cut into chunks makes no difference."""
    number, pending = 1, b""
    for chunk in _utf8_chunks(chunks):
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            yield from _pieces(pending + piece, number)
            number, pending = number + 1, b""
        pending += rest
        if b"\r" in pending:
            before, _, pending = pending.rpartition(b"\r")
            yield from _pieces(before, number)
        pending = pending[: MAX_LINE + 1]
    yield from _pieces(pending, number)


def _pieces(raw: bytes, number: int) -> Iterator[Line]:
    for piece in raw.split(b"\r"):
        text = _text(piece)
        if text:
            yield Line(number, text, len(piece) > MAX_LINE)


def _text(raw: bytes) -> str:
    if b"\0" in raw:  # UTF-16 without a mark, as `>>` of PowerShell appends it: what is ASCII in it can be read
        raw = raw.replace(b"\0", b"")
    cut = len(raw) > MAX_LINE
    raw = raw[:MAX_LINE]
    try:
        text = codecs.utf_8_decode(raw, "strict", not cut)[0]
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return text.lstrip()  # where a line was split, what ends it counts


def _utf8_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text as UTF-8 where a mark says UTF-16, else the bytes as they are, without a UTF-8 mark."""
    source, head = iter(chunks), b""
    for chunk in source:
        head += chunk
        if len(head) >= len(codecs.BOM_UTF8):
            break
    for mark, encoding in _UTF16:
        if head.startswith(mark):
            decoder = codecs.getincrementaldecoder(encoding)("replace")
            yield decoder.decode(head[len(mark) :]).encode()
            for chunk in source:
                yield decoder.decode(chunk).encode()
            yield decoder.decode(b"", final=True).encode()
            return
    yield head.removeprefix(codecs.BOM_UTF8)
    yield from source
