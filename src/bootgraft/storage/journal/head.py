"""What an undo journal says: the machine's disks, the stretches changed, the witnesses; and its head as strict JSON.

A journal is input like any other: it lies in a folder that others may write to, and it directs writes to a disk image.
So it names no file that is written: a disk is matched with an image given on the command line, and container bytes are
given by the number of the file within that image. A machine's description that was edited with its disks is here as a
whole, and has to be given like a disk. How the parts lie in the file is told in ``journalfile``.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import JournalError
from bootgraft.storage.devices.blockdevice import SECTOR
from bootgraft.storage.images.imageinfo import PreservedRange
from bootgraft.text import one_line

MAX_HEAD = 16 * 2**20
"""Bytes that the JSON head may have."""
MAX_EXTENTS = 2**18
"""Stretches that one journal may cover."""
MAX_COVERED = 16 * 2**30
"""Bytes that the stretches may cover together: a repair changes megabytes, and every one is compared before an undo."""
MAX_DISKS = 64
MAX_EDITED = 2 * 2**20
"""Bytes that a machine's description may have."""
MAX_WITNESSES = 4096
MAX_WITNESS = 2**20
"""Bytes that one witness may cover."""
_MAX_DISK = 2**63 - 1


class JournalState(StrEnum):
    """How far the work that a journal records has come."""

    UNFINISHED = "unfinished"  # the journal is complete, the images hold old and new content mixed
    SEALED = "sealed"  # the images hold the new content
    UNDOING = "undoing"  # an undo has begun and not ended


class JournalDisk(Struct, frozen=True):
    """One disk as it was when it was journalled; ``path`` is None for a URI, ``size`` its virtual bytes.

    ``lengths`` are those of a container's ``files``, in bytes, on stable storage before the first write; empty in a
    journal of a version before 3, and for what is no container that qemu writes.
    """

    location: str
    path: Path | None
    format: str
    subformat: str
    size: int
    files: tuple[str, ...]
    kept: tuple[PreservedRange, ...]
    lengths: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What the user calls it: the path that still finds it from any folder, or the URI."""
        return str(self.path) if self.path is not None else self.location


class Witness(Struct, frozen=True):
    """Bytes of a disk that the repair did not change and that Windows changes whenever it runs."""

    disk: int
    offset: int
    length: int
    sha256: bytes


class EditedFile(Struct, frozen=True):
    """A machine's description that is edited with its disks, or alone: the whole of it before and after."""

    location: str
    path: Path
    old: bytes
    new: bytes


class JournalHead(Struct, frozen=True):
    """All that a journal says besides the old and new content. ``serial`` counts a machine's repairs from 1."""

    tool: str
    created: str
    serial: int
    summary: str
    disks: tuple[JournalDisk, ...]
    witnesses: tuple[Witness, ...]
    edited: EditedFile | None = None

    @property
    def change(self) -> str:
        """The summary as one line: whoever owns the disk may have made the journal, and must print no line of ours."""
        return one_line(self.summary)


class Extent(Struct, frozen=True):
    """A changed stretch of one disk, in bytes; ``old`` and ``new`` are the byte it consists of, None for data."""

    disk: int
    offset: int
    length: int
    old: int | None
    new: int | None


def damaged(path: Path, fault: str) -> JournalError:
    """Return the error for a journal that cannot be trusted."""
    return JournalError(
        f"this undo journal is damaged ({fault}), so the state of the disks it covers is unknown; nothing was written",
        where=str(path),
        advice="Fetch an undamaged copy of the journal, or restore the images from a backup; if you know them to be "
        "whole, move the journal away",
        id="journal-damaged",
    )


def encode_head(head: JournalHead) -> bytes:
    """Return the head as JSON."""
    document: dict[str, object] = {
        "tool": head.tool,
        "created": head.created,
        "serial": head.serial,
        "summary": head.summary,
        "disks": [
            {
                "location": disk.location,
                "path": None if disk.path is None else str(disk.path),
                "format": disk.format,
                "subformat": disk.subformat,
                "size": disk.size,
                "files": list(disk.files),
                "kept": [
                    {
                        "file": kept.file,
                        "offset": kept.offset,
                        "data": base64.b64encode(kept.data).decode("ascii"),
                        "ends_file": kept.ends_file,
                    }
                    for kept in disk.kept
                ],
                **({"lengths": list(disk.lengths)} if disk.lengths else {}),
            }
            for disk in head.disks
        ],
        "witnesses": [
            {"disk": w.disk, "offset": w.offset, "length": w.length, "sha256": w.sha256.hex()} for w in head.witnesses
        ],
    }
    if head.edited is not None:
        document["edited"] = {
            "location": head.edited.location,
            "path": str(head.edited.path),
            "old": base64.b64encode(head.edited.old).decode("ascii"),
            "new": base64.b64encode(head.edited.new).decode("ascii"),
        }
    return json.dumps(document, ensure_ascii=True, indent=1).encode("ascii")


class _MalformedError(Exception):
    """The head is not what encode_head writes; told to the user as a damaged journal."""


def decode_head(data: bytes, *, path: Path) -> JournalHead:
    """Return what ``data`` says.

    Raises:
        JournalError: it is not exactly of the shape that encode_head writes, or a number is out of its bounds.
    """
    try:
        _check(len(data) <= MAX_HEAD)
        return _head(parse_json(data))
    except (ValueError, RecursionError, _MalformedError) as error:
        raise damaged(path, "its head is not what bootgraft writes") from error


def parse_json(data: bytes) -> object:
    """Return the document in ``data``; ValueError or RecursionError where it is none, or gives a name twice."""
    return json.loads(data.decode("ascii"), object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object; a name given twice could be read one way here and another elsewhere."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError
    return result


def _no_constant(_name: str) -> object:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError


def _head(document: object) -> JournalHead:
    """Return the head of a parsed document."""
    edited = _edited(document.pop("edited")) if isinstance(document, dict) and "edited" in document else None
    fields = _fields(document, "tool", "created", "serial", "summary", "disks", "witnesses")
    disks = tuple(_disk(item) for item in _list(fields["disks"], MAX_DISKS))
    witnesses = tuple(_witness(item, disks) for item in _list(fields["witnesses"], MAX_WITNESSES))
    created = _line(fields["created"])
    datetime.fromisoformat(created)
    _check(bool(disks) or edited is not None)
    return JournalHead(
        tool=_line(fields["tool"]),
        created=created,
        serial=_integer(fields["serial"], 1, 2**31),
        summary=_text(fields["summary"]),
        disks=disks,
        witnesses=witnesses,
        edited=edited,
    )


def _edited(item: object) -> EditedFile:
    """Return the machine's description of the head."""
    fields = _fields(item, "location", "path", "old", "new")
    old, new = _bytes(fields["old"]), _bytes(fields["new"])
    _check(max(len(old), len(new)) <= MAX_EDITED)
    return EditedFile(_line(fields["location"]), Path(_line(fields["path"])), old, new)


def _disk(item: object) -> JournalDisk:
    """Return one disk of the head."""
    has_lengths = isinstance(item, dict) and "lengths" in item
    lengths = _list(item.pop("lengths"), 2**16) if isinstance(item, dict) and has_lengths else []
    fields = _fields(item, "location", "path", "format", "subformat", "size", "files", "kept")
    files = tuple(_line(name) for name in _list(fields["files"], 2**16))
    _check(not has_lengths or 0 < len(lengths) == len(files))
    path = fields["path"]
    return JournalDisk(
        location=_line(fields["location"]),
        path=None if path is None else Path(_line(path)),
        format=_line(fields["format"]),
        subformat=_line(fields["subformat"]),
        size=_integer(fields["size"], 0, _MAX_DISK),
        files=files,
        kept=tuple(_kept(entry, len(files)) for entry in _list(fields["kept"], 16)),
        lengths=tuple(_integer(length, 0, _MAX_DISK) for length in lengths),
    )


def _kept(item: object, file_count: int) -> PreservedRange:
    """Return one range of container bytes."""
    fields = _fields(item, "file", "offset", "data", "ends_file")
    ends_file = fields["ends_file"]
    _check(isinstance(ends_file, bool))
    return PreservedRange(
        file=_integer(fields["file"], 0, file_count - 1),
        offset=_integer(fields["offset"], 0, _MAX_DISK),
        data=_bytes(fields["data"]),
        ends_file=ends_file is True,
    )


def _bytes(item: object) -> bytes:
    """Return bytes in base64."""
    if not isinstance(item, str):
        raise _MalformedError
    try:
        return base64.b64decode(item, validate=True)
    except binascii.Error as error:
        raise _MalformedError from error


def _witness(item: object, disks: Sequence[JournalDisk]) -> Witness:
    """Return one witness."""
    fields = _fields(item, "disk", "offset", "length", "sha256")
    disk = _integer(fields["disk"], 0, len(disks) - 1)
    length = _integer(fields["length"], 1, min(MAX_WITNESS, disks[disk].size))
    digest = _line(fields["sha256"])
    _check(re.fullmatch("[0-9a-f]{64}", digest) is not None)
    return Witness(disk, _integer(fields["offset"], 0, disks[disk].size - length), length, bytes.fromhex(digest))


def _check(holds: bool) -> None:  # noqa: FBT001 - an assertion
    """Raise where the document is not what it has to be."""
    if not holds:
        raise _MalformedError


def _fields(item: object, *names: str) -> dict[str, object]:
    """Return an object that has exactly these names."""
    if not isinstance(item, dict) or set(item) != set(names):
        raise _MalformedError
    return item


def _list(item: object, limit: int) -> list[object]:
    """Return an array of at most ``limit`` items."""
    if not isinstance(item, list) or len(item) > limit:
        raise _MalformedError
    return item


def _integer(item: object, lowest: int, highest: int) -> int:
    """Return a whole number inside its bounds."""
    if not isinstance(item, int) or isinstance(item, bool) or not lowest <= item <= highest:
        raise _MalformedError
    return item


def is_plain(text: str) -> bool:
    """Whether ``text`` has no control characters: a terminal would obey them, and no image is named so."""
    return all(character >= " " and not "\x7f" <= character <= "\x9f" for character in text)


def _line(item: object) -> str:
    """Return a line of text; undecodable bytes of a path (surrogates U+DC80 to U+DCFF) may be in it."""
    if not isinstance(item, str) or not is_plain(item) or len(item) > 2**16:
        raise _MalformedError
    item.encode("utf-8", "surrogateescape")
    return item


def _text(item: object) -> str:
    """Return several lines of text."""
    if not isinstance(item, str) or not is_plain(item.replace("\n", "").replace("\t", "")):
        raise _MalformedError
    item.encode("utf-8")
    return item


def check_extents(
    extents: Sequence[Extent], disks: Sequence[JournalDisk], *, fault: Callable[[str], JournalError]
) -> None:
    """Raise where the extents are not ascending, apart, sector by sector and inside their disks."""
    last = (-1, 0)
    covered = 0
    for extent in extents:
        if extent.disk >= len(disks):
            raise fault("a stretch names a disk that is not there")
        end, size = extent.offset + extent.length, disks[extent.disk].size
        if extent.length == 0 or end > size:
            raise fault("a stretch lies outside its disk")
        if extent.offset % SECTOR or (end % SECTOR and end != size):
            raise fault("a stretch does not consist of sectors")
        if (extent.disk, extent.offset) < last:
            raise fault("its stretches overlap or are out of order")
        last = (extent.disk, end)
        covered += extent.length
    if covered > MAX_COVERED:
        raise fault("it covers more than any repair changes")
