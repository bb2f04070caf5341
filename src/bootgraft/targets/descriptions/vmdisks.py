"""Where the disks lie that a machine's description names: beside it, or where the user allowed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bootgraft.errors import UsageError, VmDescriptionError
from bootgraft.storage.confine import Confinement, exists, has_protocol, resolve
from bootgraft.targets.descriptions.vmdescription import VmDescription, VmDisk
from bootgraft.text import printable

# A path of Windows', of a datastore ("[store] vm/disk.vmdk") or of a storage of Proxmox' ("local:100/disk.qcow2").
_ELSEWHERE = re.compile(r"[A-Za-z]:[\\/].*|\\\\.*|\[[^\]]*\].*|[A-Za-z][A-Za-z0-9._-]*:(?!//).*", re.DOTALL)


_SHOWN = 8
"""Disks that a message names."""


class LocatedDisks(Struct, frozen=True):
    """The disks' files in BIOS order, and what the description has of each.

    ``notes`` tell how one was found elsewhere, or why they are in another order than the description's.
    """

    locations: tuple[str, ...]
    disks: tuple[VmDisk, ...]
    notes: tuple[str, ...] = ()

    @property
    def controllers(self) -> tuple[str | None, ...]:
        """The target that presents each of them, None where that is not specified."""
        return tuple(disk.controller for disk in self.disks)

    @property
    def places(self) -> tuple[str, ...]:
        """Where each of them is attached."""
        return tuple(disk.place for disk in self.disks)

    @property
    def sector_sizes(self) -> tuple[int | None, ...]:
        """The logical sector size that the machine presents for each, in bytes, None where that is not specified."""
        return tuple(disk.sector_size for disk in self.disks)


def locate(
    description: VmDescription, allow_paths: Sequence[Path], named: Mapping[str, str] | None = None
) -> LocatedDisks:
    """Find the files of a machine's disks.

    ``named`` says where some are: by the place or the name that the description has for them. A name that is a path of
    another computer's stands for the file of that name beside the description, one of a volume of Proxmox' for what
    ``pvesm`` says where that can be asked.

    Raises:
        UsageError: ``named`` names what the description has not.
        VmDescriptionError: there are no disks, their order is not specified, or a file is not where it should be.
        ImageError: a file lies outside the description's folder and the folders allowed.
    """
    if not description.disks:
        raise _no_disk(description)
    if description.order_doubt:
        names = [str(description.path.parent / printable(file_name(disk))) for disk in description.disks]
        raise VmDescriptionError(
            f"the order of its disks is not specified: {description.order_doubt}",
            where=str(description.path),
            advice="Give them too, in BIOS order; where that is the description's:",
            choices=[names],
            id="disk-order-unknown",
        )
    given = _given(description, named or {})
    confinement = Confinement.around(resolve(description.path), allow_paths)
    found = [
        (given[disk], "") if disk in given else _find(disk, description, confinement) for disk in description.disks
    ]
    return LocatedDisks(
        tuple(location for location, _ in found),
        description.disks,
        tuple(note for _, note in found if note),
    )


def match(description: VmDescription, images: Sequence[str], named: Mapping[str, str] | None = None) -> LocatedDisks:
    """Take the images that the user gave, in that order, for the disks that the description names.

    ``named`` says which they are where their names do not: by the description's place or name for a disk.

    Raises:
        UsageError: they are not the description's disks by their names.
    """
    given = _given(description, named or {})
    found = [_disks_of(image, description, given) for image in images]
    disks = tuple(each[0] for each in found if len(each) == 1)
    if not len(set(disks)) == len(images) == len(description.disks):
        there = ", ".join(printable(file_name(disk)) for disk in description.disks) or "none"
        raise UsageError(
            f"the images are not the disks that the description names: {there}",
            where="--vm",
            advice="Give --vm alone, or just these disks with it, in BIOS order; where one has another name here, say "
            f"which it is: --disk {description.disks[0].place if description.disks else 'NAME'}=PATH"
            + _not_attached(description),
        )
    return LocatedDisks(tuple(images), disks, tuple(_other_order(description, disks)))


def _given(description: VmDescription, named: Mapping[str, str]) -> dict[VmDisk, str]:
    """The disks that the user said the place of, with it.

    Raises UsageError for one that is not in the description, or may be several.
    """
    given = {}
    for name, path in named.items():
        found = [each for each in description.disks if name in (each.place, each.name, file_name(each))]
        if len(found) != 1:
            known = ", ".join(f"{each.place} ({printable(each.name)})" for each in description.disks[:_SHOWN]) or "none"
            raise UsageError(
                f"{'no disk' if not found else 'more than one disk'} of the description is called {name!r}",
                where="--disk",
                advice=f"It has {known}; give the place and where the disk is here, as --disk PLACE=PATH",
            )
        given[found[0]] = path
    return given


def _disks_of(image: str, description: VmDescription, given: Mapping[VmDisk, str]) -> list[VmDisk]:
    """The disks that an image may be: the one that it was said to be, else those of its name, followed or not."""
    said = [disk for disk, path in given.items() if path == image]
    if said:
        return said
    names = (Path(image).name, resolve(Path(image)).name)
    left = [disk for disk in description.disks if disk not in given]
    return [disk for disk in left if file_name(disk) == names[0]] or [
        disk for disk in left if file_name(disk) == names[1]
    ]


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


def _find(disk: VmDisk, machine: VmDescription, confinement: Confinement) -> tuple[str, str]:
    """Return where a disk lies, and a note where that is not what the description says."""
    description = machine.path
    where = f"{description}, line {disk.line}"
    name = disk.name
    volume = _volume(disk, machine, confinement)
    if volume is not None:
        return volume, f"{disk.place}: {printable(disk.name)} is {printable(volume)}"
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


def _volume(disk: VmDisk, machine: VmDescription, confinement: Confinement) -> str | None:
    """Where a volume of a storage is that this host knows; None where that cannot be asked, or it is another's.

    A stranger's description could name any machine's volume: what it says counts in the host's own descriptions, and
    for what the user allowed.
    """
    if machine.format.name != "proxmox" or ":" not in disk.name:
        return None
    from bootgraft.targets.descriptions.pvesm import is_own, volume_path

    path = volume_path(disk.name)
    if path is None or not exists(path):
        return None
    if not (is_own(resolve(machine.path)) or confinement.allows(resolve(path)) or confinement.allows(path)):
        return None
    return str(path)


def _missing(disk: VmDisk, where: str) -> VmDescriptionError:
    return VmDescriptionError(
        f"the disk {disk.name!r} ({disk.place}) is not here",
        where=where,
        advice=f"Copy it beside the description, or say where it is: --disk {disk.place}=PATH",
        id="vm-disk-missing",
    )
