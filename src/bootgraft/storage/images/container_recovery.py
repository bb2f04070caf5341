"""What a qemu that was killed leaves in a container, and qemu itself does not repair.

Found by killing qemu-nbd 7.2 at each of its writes. VMDK and QCOW2 come out such that the next writer can go on; a
VHDX whose log holds something is replayed when it is opened. Three things are left: a dynamic VHD without its footer, a
VHDX that names a log in which there is nothing yet, and a VDI that counts a block which its map does not name.
"""

import os

from bootgraft.storage.durable import explained, write_all
from bootgraft.storage.fileidentity import open_identified
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.formats import reader_of
from bootgraft.storage.images.imageinfo import FileRange, ImageInfo
from bootgraft.storage.images.opening import OpenImage, open_image


def recover_container(image: OpenImage) -> None:
    """Repair an image's container where that is needed: close its device, write, and open a new one.

    The image is open for writing: a log that can be replayed was replayed when it was opened. For a moment it is not
    locked.

    Raises:
        JournalError: the file cannot be written.
        ImageError: it cannot be opened again.
        ImageInUseError: another file was put in its place meanwhile.
    """
    if not _lacks(image.info):
        return
    image.close()
    for item in _lacks(image.info):  # looked at again: closing it may have changed it
        with explained(item.path, action="repairing the container"):
            identity = image.info.identities[image.info.files.index(item.path)]
            descriptor = open_identified(item.path, identity, os.O_RDWR)
            try:
                write_all(descriptor, item.data, item.offset)
                if item.ends_file:
                    os.ftruncate(descriptor, item.offset + len(item.data))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    image.device = open_image(image.info, writable=True).device


def _lacks(info: ImageInfo) -> tuple[FileRange, ...]:
    """Return what is to be written to a container, in this order."""
    leftovers = reader_of(info.format).leftovers if info.format.module else None
    if leftovers is None:
        return ()
    with ContainerFile(info.files[0]) as file:
        return leftovers(file)
