"""Disk images of any format: say what one is, open it, find what is built on it.

Raw files, block devices and flat VMDKs are opened here; every other format through qemu-nbd, a URI through libnbd.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from bootgraft.errors import ImageError, ImageInUseError, ReadOnlyError
from bootgraft.storage.confine import Confinement, resolve
from bootgraft.storage.devices.blockdevice import SECTOR, ImageDevice
from bootgraft.storage.devices.flat import FlatDevice
from bootgraft.storage.devices.rawfile import RawFile, open_descriptor
from bootgraft.storage.fileidentity import exchanged, identify_file, require_identified
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.detect import sniff
from bootgraft.storage.images.formats import follow_parents, read_facts
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Facts, FileRange, ImageInfo, ReadOptions
from bootgraft.storage.usage import inuse, locks

__all__ = ["FileRange", "ImageFormat", "ImageInfo", "OpenImage", "find_children", "identify", "open_image"]

_URI_SCHEMES = ("nbd://", "nbds://", "nbd+unix://", "nbds+unix://", "nbd+vsock://", "nbds+vsock://")
_USE_OVERLAY = "Leave it as it is and write the repair beside it: --overlay OUT.qcow2"


class OpenImage:
    """An image that is open and locked; a context manager. Closing it closes its device.

    ``unasked`` says, in sentences, what could not be asked of who else uses it, ``passed_over`` which lock signs beside
    it do not count.
    """

    def __init__(
        self,
        info: ImageInfo,
        device: ImageDevice,
        *,
        writable: bool,
        unasked: tuple[str, ...] = (),
        passed_over: tuple[str, ...] = (),
    ) -> None:
        self.info = info
        self.device = device
        self.writable = writable
        self.unasked = unasked
        self.passed_over = passed_over

    def require_unused(self) -> None:
        """Look once more whether others use it, as is due right before its first write.

        Raises:
            ImageInUseError: somebody has opened it since; the message names who.
        """
        locks.refuse_vmware_locks(_lockable(self.info))
        if isinstance(self.device, RawFile | FlatDevice):
            self.device.require_unused()
            return
        for path in self.info.files:  # qemu-nbd has them open, which a lease would meet; its locks keep others off
            inuse.require_no_signs(path, writing=True)

    def require_identified(self) -> None:
        """Return where the files that are open are those that were identified, no more and no fewer.

        Raises:
            ImageInUseError: somebody put another file in the place of one.
            ImageError: the system does not tell.
        """
        info = self.info
        paths = (*info.files, *info.backing)
        if info.layout:  # the descriptor of a flat VMDK is read, and closed again
            extents = {extent.path for extent in info.layout if extent.length}
            known = [pair for pair in zip(paths, info.identities, strict=True) if pair[0] in extents]
        else:
            known = list(zip(paths, info.identities, strict=True))
        require_identified(known, self.device.opened_files())

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
    end_may_lack: bool = False,
) -> ImageInfo:
    """Say what the image at ``location`` (a path or an NBD URI) is. Nothing is locked and nothing written.

    ``format`` overrides detection. Files that the image names must lie in its own folder or under ``allow_paths``.
    ``pending_log_ok`` admits a container whose own log waits to be replayed: for undo and resume, which open it for
    writing and so replay it. ``end_may_lack`` admits one whose file ends too early (``lostends``).

    Raises:
        ImageError: there is no such image, it is damaged or cut short, or cannot be read as it is.
    """
    if location.casefold().startswith(_URI_SCHEMES):
        return ImageInfo(location, ImageFormat.NBD, "", (), (), ImageFormat.NBD.not_in_place or None, ())
    path = resolve(Path(location))
    confinement = Confinement.around(path, allow_paths)
    with ContainerFile(path) as file:
        found = _settle_format(file, format)
        facts = read_facts(
            file, found, ReadOptions(confinement, pending_log_ok=pending_log_ok, end_may_lack=end_may_lack)
        )
    chain = follow_parents(facts, confinement)
    identities = tuple(identify_file(each) for each in (*facts.files, *chain.files))
    reason = facts.read_only_reason or found.not_in_place or _first_unwritable(facts)
    return ImageInfo(
        location=location,
        format=found,
        subformat=facts.subformat,
        files=facts.files,
        backing=chain.files,
        read_only_reason=reason,
        preserved=facts.preserved,
        chain=chain.images,
        layout=facts.layout,
        size=facts.size,
        notes=facts.notes,
        identities=identities,
        sector_size=facts.sector_size,
        cluster=facts.cluster if facts.parent is not None else 0,
    )


def identify_stored(
    location: str,
    *,
    format: ImageFormat | None = None,  # noqa: A002
    allow_paths: Sequence[Path] = (),
) -> ImageInfo:
    """Say what the image at ``location`` is by what is on its storage, where a flush may have failed: see ``readback``.

    For undo and resume: a log that waits to be replayed is admitted.

    Raises:
        ImageError: as :func:`identify`.
    """
    from bootgraft.storage.devices.readback import drop_cached

    info = identify(location, format=format, allow_paths=allow_paths, pending_log_ok=True)
    drop_cached((*info.files, *info.backing))
    return identify(location, format=format, allow_paths=allow_paths, pending_log_ok=True)


def open_image(info: ImageInfo, *, writable: bool) -> OpenImage:
    """Open and lock an image.

    Raises:
        ImageInUseError: a virtual machine or another program has it open.
        ReadOnlyError: ``writable`` was asked for and the image cannot be written in place; the message says why.
        ImageError: it cannot be opened.
        MissingDependencyError: it needs qemu-nbd or libnbd, which is not installed.
    """
    if writable and info.read_only_reason is not None:
        raise ReadOnlyError(
            f"it cannot be written in place: {info.read_only_reason}", where=info.location, advice=_USE_OVERLAY
        )
    passed_over = locks.refuse_vmware_locks(_lockable(info))
    try:
        device, unasked = _open_device(info, writable=writable)
    except ReadOnlyError:
        _require_in_place(info)  # a file that was put in the place of one is kept from qemu, which then says just that
        raise
    try:
        unasked = tuple(dict.fromkeys(unasked))
        image = OpenImage(info, device, writable=writable, unasked=unasked, passed_over=passed_over)
        image.require_identified()
        _check_opened(info, device, writable=writable)
    except BaseException:
        device.close()
        raise
    return image


def _require_in_place(info: ImageInfo) -> None:
    """Raise ImageInUseError where a name leads to another file by now than to the one that was identified."""
    for path, identity in zip((*info.files, *info.backing), info.identities, strict=False):
        if identify_file(path) != identity:
            raise exchanged(path)


def find_children(info: ImageInfo) -> tuple[Path, ...]:
    """Return the images in the same folder that are built on this one: its snapshots, and overlays over it.

    Writing this one would destroy them.

    Raises:
        ImageError: the folder holds too many files to look through.
    """
    from bootgraft.storage.images import children

    return children.find_children(info)


def _settle_format(file: ContainerFile, wanted: ImageFormat | None) -> ImageFormat:
    if wanted is ImageFormat.NBD:
        raise ImageError("this is a file, not an NBD URI", where=file.name, advice="Leave --format out, or give a URI")
    if wanted is ImageFormat.RAW and file.size:
        return wanted
    found = sniff(file)
    if wanted not in (None, found):
        raise ImageError(
            f"this is no {wanted} image: by its content it is {found}",
            where=file.name,
            advice=f"Leave --format out, or give --format {found}",
        )
    return found


def _first_unwritable(facts: Facts) -> str | None:
    # A flat VMDK's descriptor is never written, so it may be read-only.
    extents = dict.fromkeys(extent.path for extent in facts.layout if extent.path is not None)
    for path in extents or facts.files:
        reason = _unwritable(path)
        if reason is not None:
            return f"{path.name} {reason}"
    return None


def _unwritable(path: Path) -> str | None:
    """Say why a file cannot be written, None where it can; opening it tells what os.access never tells root."""
    try:
        status = path.stat()
        if stat.S_ISBLK(status.st_mode):
            return _unwritable_device(path, status.st_rdev)
        if not status.st_mode & 0o222:
            return "is marked read-only (chmod u+w makes it writable)"
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        return f"cannot be opened for writing ({error.strerror})"
    return None


def _unwritable_device(path: Path, number: int) -> str | None:
    # Opened for writing, a device would be probed anew by udev when it is closed: ask the kernel instead.
    try:
        read_only = Path("/sys/dev/block", f"{os.major(number)}:{os.minor(number)}", "ro").read_text() == "1\n"
    except OSError:
        read_only = False
    return "is a read-only block device" if read_only or not os.access(path, os.W_OK) else None


def _lockable(info: ImageInfo) -> list[Path]:
    """Return the files beside which VMware would put a lock; it names a bare flat extent's after the descriptor."""
    flat = [path for path in info.files if path.name.endswith("-flat.vmdk")]
    return [*info.files, *(path.with_name(path.name.removesuffix("-flat.vmdk") + ".vmdk") for path in flat)]


def _open_device(info: ImageInfo, *, writable: bool) -> tuple[ImageDevice, tuple[str, ...]]:
    """Open what an image's bytes are in; return it with what could not be asked of who else uses it."""
    if info.format is ImageFormat.NBD:
        from bootgraft.storage.devices import nbd

        return nbd.open_uri(info.location, writable=writable), (
            "an NBD server does not report who else uses an export",
        )
    if info.format is ImageFormat.RAW:
        file = RawFile(info.files[0], writable=writable)
        return file, file.unasked
    if info.layout:
        extents = {extent.path for extent in info.layout}
        unasked = require_unused([path for path in info.files if path not in extents], writable=False)
        device = FlatDevice(info.layout, writable=writable, name=info.location)
        return device, (*unasked, *device.unasked)
    from bootgraft.storage.devices import qemunbd

    unasked = (*require_unused(info.files, writable=writable), *require_unused(info.backing, writable=False))
    backing = [qemunbd.Backing(path, below.qemu_driver) for path, below in info.chain]
    driver = info.format.qemu_driver
    first, *parts = info.files
    return qemunbd.open_qemu(
        first, driver, writable=writable, backing=backing, parts=parts, below=info.backing
    ), unasked


def require_unused(files: Sequence[Path], *, writable: bool) -> tuple[str, ...]:
    """Look for other users of files that we do not keep open; return what could not be asked.

    qemu takes its locks itself, but its words are harder to read, and it would itself be who has them open.
    """
    unasked: list[str] = []
    for path in files:
        descriptor = open_descriptor(path, writable=False, exclusive=writable)
        try:
            locks.probe(descriptor, path, writable=writable)
            unasked += inuse.require_unused(descriptor, path, writing=writable)
        finally:
            os.close(descriptor)
    return tuple(unasked)


def _check_opened(info: ImageInfo, device: ImageDevice, *, writable: bool) -> None:
    """Refuse an image that changed after it was identified, or that qemu sees otherwise than we do."""
    if info.size is not None and -(-info.size // SECTOR) != -(-device.size // SECTOR):
        raise ImageError(
            f"its header says {info.size} bytes, but its size is {device.size}",
            where=info.location,
            advice="The image is damaged or was changed just now; if it happens again, convert it with qemu-img first",
        )
    for kept in info.preserved if writable else ():
        with ContainerFile(kept.path) as file:
            if file.peek(kept.offset, len(kept.data)) != kept.data:
                raise ImageInUseError(
                    "it was changed by another program just now",
                    where=info.location,
                    advice="Find out which program uses it, end that, and try again",
                )
