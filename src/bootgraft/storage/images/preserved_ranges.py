"""Container bytes that the work must leave as they were: qemu gives a VMDK a new CID with the first write.

A child disk (a snapshot) names its parent's CID and no longer opens once that changed; so the descriptor is put back
after qemu has closed the disk. qemu also pads a descriptor file with zeros to 20 sectors (block/vmdk.c,
vmdk_write_cid); what it added behind the last byte is cut off again.
"""

import os
from collections.abc import Sequence

from bootgraft.errors import ImageError, JournalError
from bootgraft.storage.durable import explained, open_regular, read_all, write_all
from bootgraft.storage.fileidentity import open_identified
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import ImageInfo, PreservedRange


def is_behind_qemu(info: ImageInfo) -> bool:
    """Whether qemu-nbd writes this container, so that it is whole only after the device was closed."""
    return info.format not in (ImageFormat.RAW, ImageFormat.NBD) and not info.layout


def kept_bytes(info: ImageInfo) -> tuple[PreservedRange, ...]:
    """Return the container bytes to keep, as they are now.

    Raises:
        ImageError: they changed since the image was looked at.
        JournalError: the file cannot be read.
    """
    kept = []
    for item in info.preserved:
        with explained(item.path, action="reading the container's descriptor"):
            descriptor = open_regular(item.path, os.O_RDONLY)
            try:
                now = read_all(descriptor, item.offset, len(item.data))
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
        if now != item.data:
            raise ImageError(
                "another program changed the descriptor while the image was being looked at",
                where=str(item.path),
                advice="Shut the machine down, end the programs that use the image, and run the command again",
            )
        ends_file = item.offset + len(item.data) == size
        kept.append(PreservedRange(info.files.index(item.path), item.offset, item.data, ends_file))
    return tuple(kept)


def check_kept(info: ImageInfo, kept: Sequence[PreservedRange], *, where: str) -> None:
    """Refuse container bytes that lie elsewhere than this image's own descriptor: a journal may come from anybody.

    Raises:
        JournalError: they do.
    """
    now = {(kept.file, kept.offset): kept for kept in kept_bytes(info)}
    for item in kept:
        own = now.get((item.file, item.offset))
        if own is None or own.ends_file != item.ends_file or (len(own.data) != len(item.data) and not own.ends_file):
            raise JournalError(
                f"this undo journal does not fit {info.location}: it holds container bytes that lie elsewhere there; "
                "nothing was written",
                where=where,
                advice="Give the image by the name under which it was repaired, or its own journal by --journal PATH",
            )


def restore_kept(info: ImageInfo, kept: Sequence[PreservedRange]) -> None:
    """Put container bytes back, and return when they are on stable storage.

    They are written even where they read right already: after a failed flush, that is no evidence. The image must not
    be open in qemu.

    Raises:
        JournalError: the file system refused.
        ImageInUseError: another file was put in the place of the image's own.
    """
    for item in kept:
        path = info.files[item.file]
        end = item.offset + len(item.data)
        with explained(path, action="restoring the container's descriptor"):
            descriptor = open_identified(path, info.identities[item.file], os.O_RDWR)
            try:
                write_all(descriptor, item.data, item.offset)
                if item.ends_file and os.fstat(descriptor).st_size > end:
                    os.ftruncate(descriptor, end)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
