"""Images built on another one: snapshots and overlays, found by the headers of the files beside it."""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from bootgraft.errors import ImageError
from bootgraft.storage.confine import resolve
from bootgraft.storage.images import hypervfiles, vmdkimage
from bootgraft.storage.images.container import ContainerFile
from bootgraft.storage.images.detect import sniff
from bootgraft.storage.images.formats import reader_of
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.imageinfo import ImageInfo
from bootgraft.storage.images.vmdk import NO_PARENT, Descriptor

_MAX_ENTRIES = 5000
_SNAPSHOT_FOLDER = "Snapshots"  # where VirtualBox puts a machine's differencing disks
_MIN_SIZE = 64


class _Search(Struct):
    """One image, and what the files beside it were found to be."""

    info: ImageInfo
    own: frozenset[Path]
    descriptors: dict[Path, Descriptor] = field(default_factory=dict)
    children: list[Path] = field(default_factory=list)


def find_children(info: ImageInfo) -> tuple[Path, ...]:
    """Return the images in the folder of ``info`` (and in VirtualBox's ``Snapshots`` there) that are built on it.

    A file that cannot be read, or is no sound image, is nobody's child, unless Hyper-V's name for it says so.

    Raises:
        ImageError: the folder holds more than 5000 files.
    """
    if not info.files or info.subformat == "block-device":
        return ()
    search = _Search(info, frozenset(info.files))
    folder = info.files[0].parent
    for path in (*_files_in(folder), *_files_in(folder / _SNAPSHOT_FOLDER)):
        if path not in search.own:
            try:
                _examine(path, search)
            except ImageError:
                if hypervfiles.is_checkpoint_of(path.name, info.files[0]):
                    search.children.append(path)
    search.children += _vmdk_children(search)
    return tuple(sorted(search.children))


def _files_in(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= _MAX_ENTRIES:
                    raise ImageError(
                        f"the folder holds more than {_MAX_ENTRIES} files, too many to look for snapshots among them",
                        where=str(folder),
                        advice="Move the disk's files into a folder of their own",
                    )
                if entry.is_file():
                    yield resolve(Path(entry.path))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ImageError(
            f"the folder cannot be searched for snapshots ({error.strerror})",
            where=str(folder),
            advice="Give yourself permission to read the folder",
        ) from error


def _examine(path: Path, search: _Search) -> None:
    with ContainerFile(path) as file:
        if file.size < _MIN_SIZE:
            return
        found = sniff(file)
        if found is ImageFormat.VMDK:
            search.descriptors[path] = vmdkimage.read_descriptor(file)
        elif found.module:
            is_child = reader_of(found).is_child
            if is_child is not None and is_child(file, search.info):
                search.children.append(path)


def _vmdk_children(search: _Search) -> Iterator[Path]:
    """Yield the VMDKs whose parent is this image, or a descriptor of which this image is an extent."""
    bases = set(search.own)
    content_ids = set()
    for path, descriptor in search.descriptors.items():
        names = (extent.name for extent in descriptor.extents if extent.name is not None)
        if any(resolve(path.parent / name) in search.own for name in names):
            bases.add(path)
            content_ids.add(descriptor.cid)
    if search.info.format is ImageFormat.VMDK:
        with ContainerFile(search.info.files[0]) as own:
            content_ids.add(vmdkimage.read_descriptor(own).cid)
    for path, descriptor in search.descriptors.items():
        if descriptor.parent_cid == NO_PARENT or descriptor.parent_hint is None:
            continue
        target = _hinted(path, descriptor.parent_hint)
        # Disks fresh from VMware share one CID, so it counts only where the hint leads nowhere.
        if target in bases or (target is None and descriptor.parent_cid in content_ids):
            yield path


def _hinted(child: Path, hint: str) -> Path | None:
    name = hint.replace("\\", "/").rsplit("/", 1)[-1]
    for candidate in (child.parent / hint, child.parent / name):
        if name and os.path.isfile(candidate):  # noqa: PTH113 - Path.is_file raises for names that are too long
            return resolve(candidate)
    return None
