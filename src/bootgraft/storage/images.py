"""Disk images of any format: say what one is, open it, find what is built on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from bootgraft.storage.blockdevice import BlockDevice
from bootgraft.storage.imageinfo import FileRange, ImageFormat, ImageInfo

__all__ = ["FileRange", "ImageFormat", "ImageInfo", "OpenImage", "identify", "open_image"]


class OpenImage:
    """An image that is open and locked; a context manager. Closing it closes its device."""

    def __init__(self, info: ImageInfo, device: BlockDevice, *, writable: bool) -> None:
        self.info = info
        self.device = device
        self.writable = writable

    def close(self) -> None:
        """Close the device, which gives its locks back; a second call does nothing."""
        self.device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def identify(
    location: str,
    *,
    format: ImageFormat | None = None,  # noqa: A002 - the name the command line uses
    allow_paths: Sequence[Path] = (),
    pending_log_ok: bool = False,
) -> ImageInfo:
    """Say what the image at ``location`` (a path or an NBD URI) is. Nothing is locked and nothing written.

    ``format`` overrides detection. Files that it names must lie in its own folder or under one of ``allow_paths``.
    ``pending_log_ok`` admits a container whose own log waits to be replayed: for undo and resume, which write.
    """
    raise NotImplementedError


def open_image(info: ImageInfo, *, writable: bool) -> OpenImage:
    """Open and lock an image."""
    raise NotImplementedError


def find_children(info: ImageInfo) -> tuple[Path, ...]:
    """Return the images in the same folder that are built on this one: its snapshots, and overlays over it."""
    raise NotImplementedError
