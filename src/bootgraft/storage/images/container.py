"""A container file, open for reading its headers: sizes are checked, nothing is locked, nothing is written."""

import errno
import os
import stat
from pathlib import Path
from typing import Self

from bootgraft.errors import DamagedImageError, ImageError
from bootgraft.storage.devices.rawfile import descriptor_size, open_descriptor


class ContainerFile:
    """A regular file or block device whose headers are read; a context manager.

    Raises:
        ImageError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self._descriptor = open_descriptor(path, writable=False)
        try:
            self.size = descriptor_size(self._descriptor)
            self.is_block_device = stat.S_ISBLK(os.fstat(self._descriptor).st_mode)
        except OSError as error:
            self.close()
            raise self._unreadable(error) from error

    def peek(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer, or none, where the file ends before."""
        if not 0 <= offset < self.size:
            return b""
        try:
            return os.pread(self._descriptor, min(length, self.size - offset), offset)
        except OSError as error:
            raise self._unreadable(error) from error

    def next_data(self, offset: int) -> int:
        """Return ``offset``, or where data follow the hole that it lies in, at most the file's end."""
        try:
            return os.lseek(self._descriptor, offset, os.SEEK_DATA)
        except OSError as error:  # ENXIO: nothing but a hole follows; else: this file system tells of no holes
            return self.size if error.errno == errno.ENXIO else offset

    def read(self, offset: int, length: int, what: str) -> bytes:
        """Return exactly ``length`` bytes from ``offset``; raise ImageError, which names ``what``, where they end."""
        data = self.peek(offset, length)
        if len(data) < length:
            raise self.truncated(what)
        return data

    def require(self, end: int, what: str) -> None:
        """Raise ImageError where the file ends before byte ``end``, up to which ``what`` reaches."""
        if end > self.size:
            raise self.truncated(what)

    def truncated(self, what: str) -> DamagedImageError:
        """Build the error for a file that ends too early."""
        return DamagedImageError(
            f"the file is cut short: it has {self.size} bytes, and {what} lies beyond them",
            where=self.name,
            advice="Copy the whole file again from where it came from",
        )

    def corrupt(self, what: str) -> DamagedImageError:
        """Build the error for a header that contradicts its format."""
        return DamagedImageError(
            what, where=self.name, advice="The image is damaged: copy it again from where it came from, or restore it"
        )

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _unreadable(self, error: OSError) -> ImageError:
        return ImageError(
            f"it cannot be read ({error.strerror})",
            where=self.name,
            advice="Look for disk or network errors (dmesg), and copy the image to sound storage",
        )
