"""Where the disks lie that a machine's description names: beside it, or where the user allowed."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import UsageError, VmDescriptionError
from bootgraft.storage.confine import Confinement, exists, has_protocol, resolve
from bootgraft.targets.descriptions.vmdescription import VmDescription, VmDisk
from bootgraft.text import printable

# A path of Windows', of a datastore ("[store] vm/disk.vmdk") or of a storage of Proxmox' ("local:100/disk.qcow2").
_ELSEWHERE = re.compile(r"[A-Za-z]:[\\/].*|\\\\.*|\[[^\]]*\].*|[A-Za-z][A-Za-z0-9._-]*:(?!//).*", re.DOTALL)


class LocatedDisks(Struct, frozen=True):
    """The disks' files in BIOS order, and what the description has of each.

    ``notes`` tell how one was found elsewhere, or why they are in another order than the description's.
    """

    locations: tuple[str, ...]
    disks: tuple[VmDisk, ...]
    notes: tuple[str, ...] = ()

    @property
    def controllers(self) -> tuple[str | None, ...]:
        """The target that presents each of them, None where that is not told."""
        return tuple(disk.controller for disk in self.disks)

    @property
    def places(self) -> tuple[str, ...]:
        """Where each of them is attached."""
        return tuple(disk.place for disk in self.disks)

    @property
    def sector_sizes(self) -> tuple[int | None, ...]:
        """The logical sector size that the machine presents for each of them, in bytes, None where that is not told."""
        return tuple(disk.sector_size for disk in self.disks)


def locate(description: VmDescription, allow_paths: Sequence[Path]) -> LocatedDisks:
    """Find the files of a machine's disks.

    A name that is a path of another computer's stands for the file of that name beside the description.

    Raises:
        VmDescriptionError: there are no disks, their order is not told, or a file is not where it should be.
        ImageError: a file lies outside the description's folder and the folders allowed.
    """
    if not description.disks:
        raise _no_disk(description)
    if description.order_doubt:
        names = [str(description.path.parent / printable(file_name(disk))) for disk in description.disks]
        raise VmDescriptionError(
            f"the order of its disks is not told: {description.order_doubt}",
            where=str(description.path),
            advice=f"Give them too, in BIOS order: {shlex.join([*names, '--vm', str(description.path)])}",
        )
    confinement = Confinement.around(resolve(description.path), allow_paths)
    found = [_find(disk, description.path, confinement) for disk in description.disks]
    return LocatedDisks(
        tuple(location for location, _ in found),
        description.disks,
        tuple(note for _, note in found if note),
    )


def match(description: VmDescription, images: Sequence[str]) -> LocatedDisks:
    """Take the images that the user gave, in that order, for the disks that the description names.

    Raises:
        UsageError: they are not the description's disks by their names.
    """
    by_name = {file_name(disk): disk for disk in description.disks}
    names = [resolve(Path(image)).name for image in images]
    if sorted(names) != sorted(file_name(disk) for disk in description.disks) or len(set(names)) != len(names):
        named = ", ".join(printable(file_name(disk)) for disk in description.disks) or "none"
        raise UsageError(
            f"the images are not the disks that the description names: {named}",
            where="--vm",
            advice="Give --vm alone, or just these disks with it, in BIOS order" + _not_attached(description),
        )
    disks = tuple(by_name[name] for name in names)
    return LocatedDisks(tuple(images), disks, tuple(_other_order(description, disks)))


def _other_order(description: VmDescription, disks: tuple[VmDisk, ...]) -> Iterator[str]:
    """Say which order was taken where the user's is not that of the description."""
    if disks == description.disks:
        return
    given, described = (", ".join(printable(file_name(disk)) for disk in each) for each in (disks, description.disks))
    why = f" (and it does not say the order for sure: {description.order_doubt})" if description.order_doubt else ""
    yield (
        f"the disks are taken in the order in which they were given: {given}; the command line comes before the "
        f"description, whose order is {described}{why}"
    )


def _no_disk(description: VmDescription) -> VmDescriptionError:
    return VmDescriptionError(
        "this description has no hard disk",
        where=str(description.path),
        advice="Give the disks without --vm" + _not_attached(description),
    )


def _not_attached(description: VmDescription) -> str:
    """The end of an advice: a disk of the machine that is not attached may be the one that is looked for."""
    named = ", ".join(f"{disk.place}: {printable(disk.name)}" for disk in description.unattached[:4])
    return f". Not attached to the machine, so that it cannot start from it: {named}" if named else ""


def file_name(disk: VmDisk) -> str:
    """The last part of a disk's name, whatever system the path is of."""
    return re.split(r"[\\/:\]]", disk.name.rstrip("\\/ "))[-1].strip()


def _find(disk: VmDisk, description: Path, confinement: Confinement) -> tuple[str, str]:
    """Return where a disk lies, and a note where that is not what the description says."""
    where = f"{description}, line {disk.line}"
    name = disk.name
    is_foreign = bool(_ELSEWHERE.fullmatch(name)) or (name.startswith("/") and not exists(Path(name)))
    if is_foreign:
        name = file_name(disk)
    if not name or has_protocol(name):
        raise _missing(disk, where)
    path = confinement.admit(name, named_by=resolve(description))
    if not exists(path):
        raise _missing(disk, where)
    # As the user would type it: relative where the description was given so.
    location = str(description.parent / name)
    return (
        location,
        f"{disk.place}: {printable(disk.name)} is not here; {location} was taken for it" if is_foreign else "",
    )


def _missing(disk: VmDisk, where: str) -> VmDescriptionError:
    return VmDescriptionError(
        f"the disk {disk.name!r} ({disk.place}) is not here",
        where=where,
        advice="Copy it beside the description, or give the disks' files too, in BIOS order: IMAGE… --vm FILE",
    )
