"""What is known of a disk image before it is opened: its format, its files, and why it must not be written."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bootgraft.storage.flat import FlatExtent


class ImageFormat(StrEnum):
    """The container a disk's bytes lie in. ``NBD`` is not a file but a ``nbd://`` or ``nbd+unix://`` URI."""

    RAW = "raw"
    VMDK = "vmdk"
    VHD = "vhd"
    VHDX = "vhdx"
    VDI = "vdi"
    QCOW2 = "qcow2"
    NBD = "nbd"


QEMU_DRIVER = {
    ImageFormat.RAW: "raw",
    ImageFormat.VMDK: "vmdk",
    ImageFormat.VHD: "vpc",
    ImageFormat.VHDX: "vhdx",
    ImageFormat.VDI: "vdi",
    ImageFormat.QCOW2: "qcow2",
}
"""qemu's name of the driver that reads a format."""


@dataclass(frozen=True, slots=True)
class FileRange:
    """The bytes ``data`` at ``offset`` (bytes) of a container file."""

    path: Path
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One disk image.

    ``location`` is what the user gave: a path or a URI. ``subformat`` is a VMDK's createType, a VHD's or VHDX's
    ``fixed``, ``dynamic`` or ``differencing``, ``block-device``, or empty. ``files`` are the container's own files
    (descriptor and extents), resolved; ``backing`` are those it reads through and never writes. ``read_only_reason``
    says why bootgraft cannot write it in place, None where it can. ``preserved`` are container bytes that must read
    the same after a commit: a VMDK's descriptor, whose CID qemu changes.

    ``chain`` names the parents as images, nearest first, each with its format; ``layout`` is a flat VMDK's, empty for
    every other image; ``size`` is the disk's size in bytes as the headers say, None where only opening tells. ``notes``
    are sentences the user should know before the image is written.
    """

    location: str
    format: ImageFormat
    subformat: str
    files: tuple[Path, ...]
    backing: tuple[Path, ...]
    read_only_reason: str | None
    preserved: tuple[FileRange, ...]
    chain: tuple[tuple[Path, ImageFormat], ...] = ()
    layout: tuple[FlatExtent, ...] = ()
    size: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """The image that another is built on: its file (resolved), its format (None: not recorded), and its content id.

    ``content_id`` is what the child expects (a VMDK's parentCID), None where the format has no such thing.
    """

    path: Path
    format: ImageFormat | None
    content_id: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one format's reader says about one image, without what lies below it. Fields as in :class:`ImageInfo`."""

    subformat: str
    files: tuple[Path, ...]
    size: int | None = None
    read_only_reason: str | None = None
    preserved: tuple[FileRange, ...] = ()
    layout: tuple[FlatExtent, ...] = ()
    notes: tuple[str, ...] = ()
    parent: Parent | None = None
    content_id: int | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """What lies below an image: the parents as images, nearest first, and all their files."""

    images: tuple[tuple[Path, ImageFormat], ...]
    files: tuple[Path, ...]
