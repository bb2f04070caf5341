"""Write a journal's old or new content to the images, bring it to stable storage, and leave the containers whole."""

from collections.abc import Sequence

from bootgraft.events import Event, EventKind, Monitor
from bootgraft.storage.images import OpenImage
from bootgraft.storage.journal import KeptBytes
from bootgraft.storage.journalfile import JournalFile, Stored, pieces
from bootgraft.storage.keptbytes import is_behind_qemu, restore_kept


def write_back(
    file: JournalFile,
    stretches: Sequence[Stored],
    images: Sequence[OpenImage],
    kept: Sequence[Sequence[KeptBytes]],
    *,
    new: bool,
    monitor: Monitor,
) -> None:
    """Write one side of the journal, flush, close what qemu writes, and restore the container bytes to keep.

    ``images`` and ``kept`` are in the order of the journal's disks. What already reads right is not written: that
    would give a sparse image clusters it does not need. Images that qemu writes are closed on return.

    Raises:
        ImageError: an image cannot be read or written.
        JournalError: the journal or a container's descriptor cannot.
    """
    total = sum(stored.extent.length for stored in stretches)
    monitor(Event(EventKind.STEP, f"writing the {'new' if new else 'old'} content to the image", 0, total))
    for stored in stretches:
        device, extent = images[stored.extent.disk].device, stored.extent
        for start, length in pieces(extent.length):
            data = file.content(stored, start, length, new=new)
            if device.read(extent.offset + start, length) != data:
                device.write(extent.offset + start, data)
    monitor(Event(EventKind.STEP, "waiting until the image is on stable storage", total, total))
    for image in images:
        image.device.flush()
    for image, items in zip(images, kept, strict=True):
        if is_behind_qemu(image.info):
            image.close()
        restore_kept(image.info, items)
