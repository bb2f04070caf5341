"""Images built on another one: snapshots and overlays, found by the headers of the files beside it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bootgraft.errors import ImageError
from bootgraft.storage import hypervfiles, qcow2, vdi, vhd, vhdx, vmdkimage
from bootgraft.storage.confine import resolve
from bootgraft.storage.container import ContainerFile
from bootgraft.storage.detect import sniff
from bootgraft.storage.imageinfo import ImageFormat, ImageInfo
from bootgraft.storage.vmdk import NO_PARENT, Descriptor

_MAX_ENTRIES = 5000
_SNAPSHOT_FOLDER = "Snapshots"  # where VirtualBox puts a machine's differencing disks
_MIN_SIZE = 64


@dataclass
class _Search:
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
        elif found in _IS_CHILD and _IS_CHILD[found](file, search):
            search.children.append(path)


def _is_qcow2_child(file: ContainerFile, search: _Search) -> bool:
    backing = qcow2.read_header(file).backing
    return backing is not None and resolve(file.path.parent / backing.removeprefix("file:")) in search.own


def _is_vhd_child(file: ContainerFile, search: _Search) -> bool:
    parent = vhd.read_parent(file) if search.info.format is ImageFormat.VHD else None
    if parent is None:
        return False
    with ContainerFile(search.info.files[0]) as own:
        return parent[0] == vhd.read_footer(own).unique_id or _is_named(parent[1], search)


def _is_vhdx_child(file: ContainerFile, search: _Search) -> bool:
    locator = vhdx.read_parent(file) if search.info.format is ImageFormat.VHDX else None
    if locator is None:
        return False
    with ContainerFile(search.info.files[0]) as own:
        linkage = vhdx.format_guid(vhdx.read_header(own).data_write_guid)
    named = (locator.get(key, "") for key in ("relative_path", "absolute_win32_path", "volume_path"))
    return locator.get("parent_linkage", "").strip("{}").upper() == linkage or any(
        _is_named(name, search) for name in named
    )


def _is_vdi_child(file: ContainerFile, search: _Search) -> bool:
    header = vdi.read_header(file) if search.info.format is ImageFormat.VDI else None
    if header is None or not header.is_linked:
        return False
    with ContainerFile(search.info.files[0]) as own:
        return header.link_id == vdi.read_header(own).image_id


_IS_CHILD = {
    ImageFormat.QCOW2: _is_qcow2_child,
    ImageFormat.VHD: _is_vhd_child,
    ImageFormat.VHDX: _is_vhdx_child,
    ImageFormat.VDI: _is_vdi_child,
}


def _is_named(name: str, search: _Search) -> bool:
    """Tell whether a Windows path ends in the image's own name."""
    return name.replace("\\", "/").rsplit("/", 1)[-1].casefold() == search.info.files[0].name.casefold()


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
