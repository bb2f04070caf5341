"""XML of strangers as a small tree whose elements know where they lie in the file.

What an attack needs is refused before it is looked at: document types (and with them all entities but the five of XML
itself: no entity bombs, no external files), and more nesting or elements than any description has. The reader is expat,
which the standard library's parsers stand on too; those give no byte offsets, which an edit in place needs.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from msgspec import Struct, field

from bootgraft.targets.descriptions.vmdescription import malformed

MAX_DEPTH = 64
MAX_ELEMENTS = 50_000


class XmlElement(Struct):
    """One element; names are without their namespace prefix.

    ``start`` and ``end`` are bytes in the file: of the ``<`` of the start tag and of the end tag; an empty element's
    ``end`` lies behind it. ``line`` counts from 1. ``text`` is the text before the first child.
    """

    name: str
    attributes: dict[str, str]
    line: int
    start: int
    end: int = 0
    text: str = ""
    children: list["XmlElement"] = field(default_factory=list)

    def all(self, *path: str) -> Iterator["XmlElement"]:
        """Every element that a path of names leads to, in the order of the file."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def first(self, *path: str) -> "XmlElement | None":
        """The first element that a path of names leads to."""
        return next(self.all(*path), None)

    def value(self, *path: str) -> str:
        """The text of the first element that a path leads to, empty where there is none."""
        found = self.first(*path)
        return "" if found is None else found.text.strip()

    def attribute(self, path: tuple[str, ...], name: str) -> str:
        """An attribute of the first element that a path leads to, empty where there is none."""
        found = self.first(*path)
        return "" if found is None else found.attributes.get(name, "")


def parse_xml(data: bytes, path: Path) -> XmlElement:
    """Return the root element of a document.

    Raises:
        VmDescriptionError: it is not well formed, has a document type, or is larger than any description.
    """
    builder = _Builder(path)
    parser = expat.ParserCreate()
    builder.parser = parser
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.buffer_text = True
    try:
        parser.Parse(data, True)  # noqa: FBT003 - this is the last of it
    except expat.ExpatError as error:
        raise malformed(path, error.lineno, f"it is no sound XML ({expat.ErrorString(error.code)})") from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise malformed(path, 1, "it is in an encoding that cannot be read") from error
    assert builder.root is not None  # expat calls a document without an element an error
    return builder.root


class _Builder:
    """Takes what expat finds."""

    parser: Any

    def __init__(self, path: Path) -> None:
        self.root: XmlElement | None = None
        self._path = path
        self._open: list[XmlElement] = []
        self._count = 0

    def doctype(self, *_details: object) -> None:
        raise malformed(
            self._path,
            self.parser.CurrentLineNumber,
            "it has a document type (DOCTYPE), which no hypervisor writes: it could make a reader swell or fetch files",
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise malformed(self._path, self.parser.CurrentLineNumber, "it has more elements than any description")
        # A prefix is bound to its namespace by whoever wrote the file; the names are told apart without it.
        plain = {_local(each): value for each, value in attributes.items()}
        element = XmlElement(_local(name), plain, self.parser.CurrentLineNumber, self.parser.CurrentByteIndex)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop().end = self.parser.CurrentByteIndex

    def text(self, text: str) -> None:
        if self._open and not self._open[-1].children:
            self._open[-1].text += text


def _local(name: str) -> str:
    return name.rpartition(":")[2]


_ENCODING = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def encoding_of(data: bytes) -> str:
    """The name of a document's encoding, for text that is to go into it; of UTF-16 the one without a mark in front."""
    if data.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if data.startswith(b"\xfe\xff"):
        return "utf-16-be"
    found = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf"))
    return found[1].decode("ascii") if found else "utf-8"


_START_TAG = re.compile(r"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")


def start_tag(data: bytes, element: XmlElement, encoding: str) -> str:
    """The start tag of an element, as it is written in the file."""
    found = _START_TAG.match(data[element.start : element.end].decode(encoding, "replace"))
    assert found is not None  # expat read it
    return found[0]
