"""What is known of a disk image before it is opened: its format, its files, and why it must not be written."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from bootgraft.storage.confine import Confinement
from bootgraft.storage.devices.flat import FlatExtent
from bootgraft.storage.fileidentity import FileIdentity
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.imageformat import ImageFormat


class FileRange(Struct, frozen=True):
    """The bytes ``data`` at ``offset`` (bytes) of a container file, which ends behind them where ``ends_file`` says."""

    path: Path
    offset: int
    data: bytes
    ends_file: bool = False


class PreservedRange(Struct, frozen=True):
    """Container bytes that must read the same after the work as before it (a VMDK's descriptor).

    ``file`` is the place of the file in the image's own ``files``, ``ends_file`` whether these bytes were the file's
    last: qemu pads a short descriptor file with zeros, which are cut off again.
    """

    file: int
    offset: int
    data: bytes
    ends_file: bool


class ImageInfo(Struct, frozen=True):
    """One disk image.

    ``location`` is what the user gave: a path or a URI. ``subformat`` is a VMDK's createType, a VHD's or VHDX's
    ``fixed``, ``dynamic`` or ``differencing``, ``block-device``, or empty. ``files`` are the container's own files
    (descriptor and extents), resolved; ``backing`` are those it reads through and never writes. ``read_only_reason``
    says why bootgraft cannot write it in place, None where it can. ``preserved`` are container bytes that must read
    the same after a commit: a VMDK's descriptor, whose CID qemu changes.

    ``chain`` names the parents as images, nearest first, each with its format; ``layout`` is a flat VMDK's, empty for
    every other image; ``size`` is the disk's size in bytes as the headers say, None where only opening tells. ``notes``
    are sentences the user should know before the image is written. ``identities`` says which files ``files`` and then
    ``backing`` led to. ``sector_size`` is that of the disk, in bytes, where the format keeps it (VHDX).
    ``cluster`` is how many bytes of the disk an image takes over from its parent at once, 0 where that has none.
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
    identities: tuple[FileIdentity, ...] = ()
    sector_size: int | None = None
    cluster: int = 0

    def is_named(self, windows_path: str) -> bool:
        """Whether a path of Windows' ends in the image's own name."""
        return windows_path.replace("\\", "/").rsplit("/", 1)[-1].casefold() == self.files[0].name.casefold()


class Parent(Struct, frozen=True):
    """The image that another is built on: its file (resolved), its format (None: not recorded), and its content id.

    ``content_id`` is what the child expects (a VMDK's parentCID), None where the format has no such thing.
    """

    path: Path
    format: ImageFormat | None
    content_id: int | None = None


class Facts(Struct, frozen=True):
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
    sector_size: int | None = None
    cluster: int = 0


class Chain(Struct, frozen=True):
    """What lies below an image: the parents as images, nearest first, and all their files."""

    images: tuple[tuple[Path, ImageFormat], ...]
    files: tuple[Path, ...]


class ReadOptions(Struct, frozen=True):
    """How an image is to be looked at.

    Files that it names must be admitted by ``confinement``. ``pending_log_ok`` admits for writing an image that was not
    closed cleanly: opening it repairs it; ``end_may_lack`` one whose file ends before what its tables name, to be made
    as long as that before it is opened. ``as_parent`` holds for what is read through qemu because an image above it
    is.
    """

    confinement: Confinement
    pending_log_ok: bool = False
    as_parent: bool = False
    end_may_lack: bool = False


class Reach(Struct, frozen=True):
    """How far the parts of the disk reach that a growing container's tables name, in bytes of its file.

    ``end`` is where the last of them ends, ``unit`` how many bytes of the disk one holds, ``stored`` how many of the
    file it takes. ``footer`` is the length of the footer that has to follow the last, where the file ends without it.
    """

    end: int
    unit: int
    stored: int
    footer: int = 0


class ImageReader(Struct, frozen=True, eq=False):
    """What the module of a format can do, as ``READER`` in it.

    ``read`` says what one image file is, without what lies below it. ``is_child`` tells whether a file of the format is
    built on an image, ``leftovers`` what is to be written to a container, in this order, that a killed qemu left and
    does not repair itself, ``reach`` how far one of its files has to reach (None for a file that does not grow). All
    raise ImageError for a file that is not of the format, is damaged, or cannot be used as it is.
    """

    read: Callable[[ContainerFile, ReadOptions], Facts]
    is_child: Callable[[ContainerFile, ImageInfo], bool] | None = None
    leftovers: Callable[[ContainerFile], tuple[FileRange, ...]] | None = None
    reach: Callable[[ContainerFile], Reach | None] | None = None
