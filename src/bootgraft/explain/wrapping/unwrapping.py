r"""Lines as a converter wrote them, out of those in which other programs logged its output.

Layers may lie in each other (``journalctl`` of a container that logs with logrus), colours anywhere; a line that was
split is put together again, one that holds several is taken apart. What has no layer comes through as it is.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.explain.reading import Line
from bootgraft.explain.wrapping import jsonlayers, textlayers
from bootgraft.explain.wrapping.textlayers import Layer

MAX_TEXT = 16384
"""Characters of an unwrapped line that are looked at."""

_MAX_LAYERS = 6
_MAX_OPEN = 16
_MAX_LINES = 2000
_JSON = ("{", "fatal: [", "failed: [", "changed: [", "ok: [")
_SPECIAL = ("\x1b", "#033[", "\\n")
_COLOUR = re.compile(
    r"(?:\x1b|#033)\[[0-9;:?]{0,64}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)?|\x1b[=>()78][AB0]?"
)
_PASTED = re.compile(r"(?:(?<=[\s.])|(?<=\w\w:))\\n(?:\\n)*|\\n\\n(?:\\n)*")
r"""Line feeds that a test framework printed as ``\n`` (https://github.com/autotest/tp-libvirt/pull/3664)."""


class LogLine(Struct, frozen=True):
    """One line of one program: ``number`` is that of the line of the file.

    ``stamp`` is the outermost time before it; ``rank`` is "error" or "warning" where it is a message of what is around
    the converter that is ranked so; ``stream`` and ``run`` tell apart what several programs wrote at a time.
    """

    number: int
    text: str
    stamp: str = ""
    rank: str = ""
    stream: str = ""
    run: str = ""


class Unwrapper:
    """Takes the lines of one file."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}

    def feed(self, line: Line) -> Iterable[LogLine]:
        """The lines in it; none where it goes on."""
        text = line.text
        if textlayers.has_none(text) and not text.startswith(_JSON) and not any(each in text for each in _SPECIAL):
            return (LogLine(line.number, text[:MAX_TEXT].rstrip()),)  # most lines of a gigabyte
        return self._layers(LogLine(line.number, text), _MAX_LAYERS)

    def _layers(self, line: LogLine, left: int) -> Iterator[LogLine]:
        text = line.text
        if "\x1b" in text or "#033[" in text:
            text = _COLOUR.sub("", text).lstrip()
        found = self._layer(text) if left else ()
        if found:
            for piece in found:
                yield from self._inner(line, piece, left - 1)
        elif "\\n" in text and "virt-v2v" in text and not text.startswith("{"):
            for each in _PASTED.split(text):
                if each.strip():
                    yield replace(line, text=each.strip()[:MAX_TEXT])
        elif text:
            yield replace(line, text=text[:MAX_TEXT].rstrip())

    def _layer(self, text: str) -> tuple[Layer, ...]:
        if text.startswith(_JSON):
            return jsonlayers.pieces(text)
        piece = textlayers.layer(text)
        return () if piece is None else (piece,)

    def _inner(self, line: LogLine, piece: Layer, left: int) -> Iterator[LogLine]:
        stream = "/".join(each for each in (line.stream, piece.stream) if each)
        run = piece.run or line.run
        text = piece.text
        if piece.goes_on or self._open:
            text = (self._open.pop(f"{run}/{stream}", "") + text)[:MAX_TEXT]
        if piece.goes_on:
            if len(self._open) >= _MAX_OPEN:
                del self._open[next(iter(self._open))]
            self._open[f"{run}/{stream}"] = text
            return
        rank = piece.rank or ("" if piece.stream else line.rank)
        inner = LogLine(line.number, "", line.stamp or piece.stamp, rank, stream, run)
        for number, each in enumerate(re.split(r"[\r\n]", text)):
            if number >= _MAX_LINES:
                return
            if each.strip():
                yield from self._layers(replace(inner, text=each.lstrip()), left)
