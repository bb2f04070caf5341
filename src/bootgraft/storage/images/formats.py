"""Each format's reader, and the way down a chain of parents."""

from importlib import import_module
from typing import cast

from bootgraft.errors import ImageError
from bootgraft.storage.confine import Confinement, exists
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.detect import sniff
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import Chain, Facts, ImageReader, Parent, ReadOptions

_MAX_DEPTH = 64


def read_facts(file: ContainerFile, found: ImageFormat, how: ReadOptions) -> Facts:
    """Say what one image file is, without what lies below it.

    Raises:
        ImageError: it is not of the format ``found``, is damaged, or cannot be used as it is.
    """
    if not found.module:
        subformat = "block-device" if file.is_block_device else ""
        return Facts(subformat=subformat, files=(file.path,), size=file.size)
    return reader_of(found).read(file, how)


def reader_of(found: ImageFormat) -> ImageReader:
    """What reads a format; its module is imported where it is needed: most commands meet one."""
    return cast("ImageReader", import_module(f"bootgraft.storage.images.{found.module}").READER)


def follow_parents(image: Facts, confinement: Confinement) -> Chain:
    """Read every image below one, nearest first.

    Raises:
        ImageError: one is missing, damaged, changed since its child was made, of unknown format, or named before.
    """
    chain: list[tuple[Parent, Facts]] = []
    seen = set(image.files)
    above = image
    while above.parent is not None:
        parent = above.parent
        below = _read_parent(above, parent, confinement)
        if not seen.isdisjoint(below[1].files) or len(chain) >= _MAX_DEPTH:
            raise ImageError(
                f"its chain of parents goes in a circle, or is longer than {_MAX_DEPTH} images",
                where=str(image.files[0]),
                advice="Restore the image's files, or flatten the chain with the hypervisor's own tools",
            )
        seen.update(below[1].files)
        chain.append(below)
        above = below[1]
    return Chain(
        images=tuple((parent.path, parent.format or ImageFormat.RAW) for parent, _ in chain),
        files=tuple(path for _, facts in chain for path in facts.files),
    )


def _read_parent(child: Facts, parent: Parent, confinement: Confinement) -> tuple[Parent, Facts]:
    where = str(child.files[0])
    if not exists(parent.path):
        raise ImageError(
            f"the image it is built on, {parent.path}, is missing",
            where=where,
            advice="Copy that image to where it is expected, or give the merged disk",
            id="image-is-snapshot",
        )
    with ContainerFile(parent.path) as file:
        found = parent.format or sniff(file)
        if parent.format is None and found is ImageFormat.RAW:
            raise ImageError(
                f"the format of the image it is built on, {parent.path}, is not recorded, and guessing is not safe",
                where=where,
                advice=f"If it is raw, record that: qemu-img rebase -u -F raw -b {parent.path} {where}",
                id="image-is-snapshot",
            )
        facts = read_facts(file, found, ReadOptions(confinement, as_parent=True))
    if parent.content_id is not None and parent.content_id != facts.content_id:
        raise ImageError(
            f"its parent {parent.path} was changed after this snapshot was made (CID {facts.content_id or 0:08x},"
            f" expected {parent.content_id:08x})",
            where=where,
            advice="Restore the parent as it was, or the two from one backup",
            id="image-is-snapshot",
        )
    return Parent(parent.path, found), facts
