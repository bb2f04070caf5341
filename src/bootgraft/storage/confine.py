"""Which files an image may name: those in its own folder, and those under the folders the user allowed.

A descriptor or header is hostile text. Whoever follows it blindly reads, or writes, whatever file it names.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from msgspec import Struct

from bootgraft.errors import ImageError


def resolve(path: Path) -> Path:
    """Follow every symbolic link. Raises ImageError where they go in a circle or the name is impossible."""
    try:
        found = path.resolve()
        _refuse_circle(found)
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageError("its path cannot be followed", where=repr(str(path)), advice="Check the path") from error
    return found


def _refuse_circle(resolved: Path) -> None:
    """Raise OSError where links are left in it: from 3.13 on ``Path.resolve`` stops at a circle without a word."""
    try:
        resolved.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise


def exists(path: Path) -> bool:
    """Tell whether there is such a file; an impossible name (too long, say) is that of no file."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for such names


class Confinement(Struct, frozen=True):
    """The folders whose files an image may name; all resolved."""

    folders: tuple[Path, ...]

    @classmethod
    def around(cls, image: Path, allow_paths: Sequence[Path]) -> Self:
        """Allow the folder of ``image`` (resolved) and everything under ``allow_paths`` (folders or files)."""
        return cls((image.parent, *(resolve(path) for path in allow_paths)))

    def allows(self, path: Path) -> bool:
        """Tell whether a resolved path may be opened."""
        return any(path.is_relative_to(folder) for folder in self.folders)

    def admit(self, name: str, *, named_by: Path) -> Path:
        """Return the resolved path of the file that ``named_by`` (resolved) calls ``name``; it need not exist.

        Raises:
            ImageError: it lies elsewhere, or the name is not a plain file name but a protocol of qemu's.
        """
        where = str(named_by)
        if not name or "\0" in name:
            raise ImageError("it names a file without a name", where=where, advice="Restore its descriptor")
        if has_protocol(name):
            raise ImageError(
                f"it names {name!r}, which qemu would take for a network address or options",
                where=where,
                advice="Rename that file so that its name holds no colon, and name it so in the image",
            )
        path = resolve(named_by.parent / name)
        if self.allows(path):
            return path
        raise ImageError(
            f"it names {name!r}, which lies outside its own folder",
            where=where,
            advice=f"If that file really belongs to this image, say so: --allow-path {path.parent}",
            id="path-not-allowed",
        )


def has_protocol(name: str) -> bool:
    """Tell whether qemu would take a name for ``PROTOCOL:...``: a colon before the first slash."""
    colon = name.find(":")
    slash = name.find("/")
    return colon >= 0 and (slash < 0 or colon < slash)
