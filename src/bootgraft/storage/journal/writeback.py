"""Write a journal's old or new content to the images, bring it to stable storage, and leave the containers whole.

Nothing is skipped because it *reads* right: after a failed flush the page cache holds what the storage does not
(``readback``). What was written is read back from the storage before the caller says that it is there.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bootgraft.errors import ImageError
from bootgraft.events import Event, EventKind, Monitor, Progress
from bootgraft.storage.devices.blockdevice import ImageDevice
from bootgraft.storage.durable import explained
from bootgraft.storage.fileidentity import open_identified
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import ImageInfo, PreservedRange
from bootgraft.storage.images.opening import OpenImage, open_image
from bootgraft.storage.images.preserved_ranges import is_behind_qemu, restore_kept
from bootgraft.storage.journal.journalfile import JournalFile, Stored, pieces


def write_back(
    file: JournalFile,
    stretches: Sequence[Stored],
    images: Sequence[OpenImage],
    kept: Sequence[Sequence[PreservedRange]],
    *,
    new: bool,
    reopen: bool,
    monitor: Monitor,
) -> None:
    """Write one side of the journal, flush, close what qemu writes, and restore the container bytes to keep.

    ``images`` and ``kept`` are in the order of the journal's disks. Pieces that are the same before and after the
    repair are not written: that would give a sparse image clusters it does not need. In an image that is built on
    another the stretches are the clusters that it gets, and are written whole. Images that qemu writes are closed on
    return; ``reopen`` has them read back by another qemu-nbd too, where an earlier flush may have failed.

    Raises:
        ImageError: an image cannot be read or written, or does not hold what was written.
        ImageInUseError: another file was put in the place of one of an image's files.
        JournalError: the journal or a container's descriptor cannot.
    """
    for image in images:
        image.require_identified()
    with ExitStack() as stack:
        containers = [stack.enter_context(_held_files(image.info)) for image in images]
        _write(file, stretches, images, new=new, monitor=monitor)
        for image in images:
            image.device.flush()
        for image, container, items in zip(images, containers, kept, strict=True):
            if is_behind_qemu(image.info):
                image.close()  # qemu writes what is left of its tables
                _sync(container)
            restore_kept(image.info, items)
    for number, image in enumerate(images):
        own = [stored for stored in stretches if stored.extent.disk == number]
        if image.info.format is ImageFormat.NBD:
            continue  # what it gives back comes from its storage or from its cache: only the server knows
        if not is_behind_qemu(image.info):
            _verify(file, own, image.device, image.info, monitor, new=new)
        elif reopen:
            with _reopened(image.info) as device:
                _verify(file, own, device, image.info, monitor, new=new)


def bring_to_storage(info: ImageInfo) -> None:
    """Return when a container that qemu is going to write is on stable storage as it is now (see ``lostends``).

    Raises:
        ImageInUseError: another file was put in the place of one of its files.
        JournalError: the storage refused.
    """
    with _held_files(info) as held:
        _sync(held)


def _write(
    file: JournalFile, stretches: Sequence[Stored], images: Sequence[OpenImage], *, new: bool, monitor: Monitor
) -> None:
    """Write one side of the journal through the images' devices."""
    total = sum(stored.extent.length for stored in stretches)
    progress = Progress(monitor, f"writing the {'new' if new else 'old'} content to the image", total)
    for stored in stretches:
        image, extent = images[stored.extent.disk], stored.extent
        before = progress.done
        for start, data in _written(file, stored, image.info, new=new):
            image.device.write(extent.offset + start, data)
            progress.advance(before + start + len(data) - progress.done)
        progress.advance(before + extent.length - progress.done)
    monitor(Event(EventKind.STEP, "waiting until the image is on stable storage"))


def _written(file: JournalFile, stored: Stored, info: ImageInfo, *, new: bool) -> Iterator[tuple[int, bytes]]:
    """Yield what of a stretch is written, as (start in the stretch, content)."""
    for start, length in pieces(stored.extent.length):
        data = file.content(stored, start, length, new=new)
        if info.cluster or data != file.content(stored, start, length, new=not new):
            yield start, data


@contextmanager
def _held_files(info: ImageInfo) -> Iterator[list[tuple[Path, int]]]:
    """Hold the files that qemu writes open: a descriptor is told of every write error since it was opened (fsync(2)).

    So an error that qemu meets after the last flush, while it closes the image, is not lost with its descriptor.
    """
    held: list[tuple[Path, int]] = []
    try:
        if is_behind_qemu(info):
            for path, identity in zip(info.files, info.identities, strict=False):
                with explained(path, action="opening the image's file"):
                    held.append((path, open_identified(path, identity, os.O_RDONLY)))
        yield held
    finally:
        for _, descriptor in held:
            os.close(descriptor)


def _sync(held: Sequence[tuple[Path, int]]) -> None:
    """Return when the files are on stable storage as they are."""
    for path, descriptor in held:
        with explained(path, action="bringing the image to stable storage"):
            os.fsync(descriptor)


@contextmanager
def _reopened(info: ImageInfo) -> Iterator[ImageDevice]:
    """Open an image that was closed once more, its files read from storage."""
    from bootgraft.storage.devices.readback import drop_cached

    drop_cached(info.files)
    with open_image(info, writable=False) as image:
        yield image.device


def _verify(
    file: JournalFile,
    stretches: Sequence[Stored],
    device: ImageDevice,
    info: ImageInfo,
    monitor: Monitor,
    *,
    new: bool,
) -> None:
    """Raise ImageError where the storage does not hold what was written."""
    progress = Progress(monitor, "reading back what was written", sum(stored.extent.length for stored in stretches))
    for stored in stretches:
        for start, data in _written(file, stored, info, new=new):
            at = stored.extent.offset + start
            if device.read_back(at, len(data)) != data:
                raise ImageError(
                    f"the storage accepted the write at byte {at} but returns other data",
                    where=info.location,
                    advice="Look for disk or network errors (dmesg), and copy the image to sound storage",
                )
        progress.advance(stored.extent.length)
