"""boot.ini edited in place: the paths of a few lines are replaced, every other byte stays as it was."""

import re
from collections.abc import Mapping

from bootgraft.boot.ntldr.arc import ArcPath
from bootgraft.boot.ntldr.bootini import ENCODING, BootIni

_LINE = re.compile(r"(?P<text>[^\r\n]*)(?P<end>\r\n|\r|\n|\Z)")
_LINE_END = re.compile(r"\r\n|\r|\n")
_DISK_AND_PARTITION = re.compile(r"(rdisk\()\d+(\)partition\()\d+(\))", re.IGNORECASE | re.ASCII)


def respelled(path: str, old: ArcPath, new: ArcPath) -> str:
    """Return ``path`` with its ARC path made ``new``; where only the numbers differ, case and all else are kept."""
    length = len(path) - len(path.lstrip(" \t"))
    end = path.index(")", path.lower().index("partition(")) + 1
    arc, rest = path[length:end], path[end:]
    if (old.kind, old.adapter, old.disk) == (new.kind, new.adapter, new.disk):
        arc = _DISK_AND_PARTITION.sub(rf"\g<1>{new.rdisk}\g<2>{new.partition}\g<3>", arc)
    else:
        arc = str(new)
    return path[:length] + arc + rest


def rewrite(data: bytes, menu: BootIni, paths: Mapping[int, str]) -> bytes:
    """Return boot.ini with the path in each of these lines (counted from 1) replaced.

    A line is that of ``default=`` or an entry's of ``menu``, which was parsed from ``data``.
    """
    old = {entry.line: entry.path for entry in menu.entries}
    if menu.default is not None and menu.default_line is not None:
        old[menu.default_line] = menu.default
    text = data.decode(ENCODING)
    pieces = []
    at = 0
    for number in range(1, max(paths, default=0) + 1):
        line = _LINE.match(text, at)
        if line is None:
            raise ValueError(number)
        pieces.append(_replaced(line["text"], old[number], paths[number]) if number in paths else line["text"])
        pieces.append(line["end"])
        at = line.end()
    return "".join((*pieces, text[at:])).encode(ENCODING)


def with_default(data: bytes, menu: BootIni, path: str) -> bytes:
    """Return boot.ini with ``path`` as its default; ``menu``, parsed from ``data``, names none."""
    text = data.decode(ENCODING)
    added = f"default={path}\r\n"
    if menu.default_line is not None:  # the line is there, and empty behind its "="
        start, end = _line_at(text, menu.default_line)
        line = text[start:end]
        return (text[:start] + line[: line.index("=") + 1] + path + text[end:]).encode(ENCODING)
    if menu.loader_line is None:
        return (f"[boot loader]\r\ntimeout=30\r\n{added}" + text).encode(ENCODING)
    _, end = _line_at(text, menu.loader_line)
    rest = _LINE_END.match(text, end)
    head = text[: rest.end()] if rest else text[:end] + "\r\n"
    return (head + added + text[len(head) if rest else end :]).encode(ENCODING)


def _line_at(text: str, number: int) -> tuple[int, int]:
    """Where a line (counted from 1) begins and ends in the text, without its line end."""
    at = 0
    for _ in range(number - 1):
        line = _LINE.match(text, at)
        if line is None:
            raise ValueError(number)
        at = line.end()
    line = _LINE.match(text, at)
    if line is None:
        raise ValueError(number)
    return line.span("text")


def _replaced(line: str, old: str, new: str) -> str:
    """The line with its path replaced: an entry begins with it, in the default's line it follows the ``=``."""
    before = line.index("=") + 1 if re.match(r"[ \t]*default[ \t]*=", line, re.IGNORECASE) else 0
    at = line.index(old, before)
    return line[:at] + new + line[at + len(old) :]
