"""What a program does to the files of a folder, as a disk sees it, in the order in which it was done."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

Files = Mapping[Path, bytes]
"""The content of files."""


class Write(Struct, frozen=True):
    """Bytes that were put into a file."""

    path: Path
    offset: int
    data: bytes


class Resize(Struct, frozen=True):
    """A file was given this length; ``only_grows`` leaves a longer one as it is."""

    path: Path
    size: int
    only_grows: bool = False


class Flush(Struct, frozen=True):
    """What was done to a file before the flush began, the first ``covers`` operations, is on stable storage."""

    path: Path
    covers: int


class FlushFolder(Struct, frozen=True):
    """The same for the names in a folder."""

    path: Path
    covers: int


class Create(Struct, frozen=True):
    """A name was given to a new, empty file."""

    path: Path


class Rename(Struct, frozen=True):
    """A file was given another name, in place of the file that had it."""

    old: Path
    new: Path


class Remove(Struct, frozen=True):
    """A name was taken away."""

    path: Path


Operation = Write | Resize | Flush | FlushFolder | Create | Rename | Remove
