"""What a virtual machine's description says of disks, firmware and network adapters; one shape for all formats.

A description is hostile input like an image: what cannot be read ends as one VmDescriptionError that names the line.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct

from bootgraft.errors import VmDescriptionError
from bootgraft.machine import Firmware as Firmware
from bootgraft.targets.descriptions.hardware import BootOrder, Processor, quoted

T = TypeVar("T")
MAX_DISKS = 1024
"""Disks of one machine; VMware allows 316, libvirt has some hundred names for them."""


class VmDisk(Struct, frozen=True):
    """One disk.

    ``name`` is the file as the description calls it, ``place`` where it hangs (``scsi0:0``, ``vda``), ``controller``
    the ``HYPERVISOR:CONTROLLER`` that presents it, None where the description does not tell. ``line`` counts from 1.
    ``sector_size`` is the logical one that the machine presents, in bytes; None where that is not specified.
    """

    name: str
    place: str
    controller: str | None
    line: int
    sector_size: int | None = None


class NetworkCard(Struct, frozen=True):
    """One network adapter, and whether its cable is connected when the machine starts; ``line`` counts from 1."""

    name: str
    plugged: bool
    line: int


class Plug(Protocol):
    """Returns a description's bytes with the network adapters ``names`` connected or not, all else as it is."""

    def __call__(self, data: bytes, path: Path, names: Collection[str], *, plugged: bool) -> bytes: ...  # noqa: D102


class VmFormat(Struct, frozen=True):
    """One format of descriptions: what it is recognised by, what reads it and what edits it.

    ``name`` is what JSON calls it, ``title`` what a sentence does. XML is recognised by its root element ``root``, text
    by a ``line`` as no other format has. ``plug`` is None where the hypervisor reads a description only once, to import
    it. ``read_again`` is how the hypervisor notices an edit of the file ``{path}``.
    """

    name: str
    title: str
    parse: Callable[[bytes, Path], "VmDescription"]
    root: str = ""
    line: re.Pattern[bytes] | None = None
    plug: Plug | None = None
    read_again: str = ""


class VmLock(Struct, frozen=True):
    """The hypervisor's own word that the machine is at work: what it does, how to go on, and the line (from 1)."""

    what: str
    advice: str
    line: int


class VmDescription(Struct, frozen=True):
    """One virtual machine.

    ``disks`` are in the order in which the firmware numbers them, as far as the description tells: ``order_doubt`` says
    why it does not, and is empty where it does. ``firmware`` and ``secure_boot`` are None where they are not specified,
    as are ``boot_order`` and ``processor``. ``notes`` say what else may connect the machine to a network. ``lock`` is
    None where the hypervisor has not locked the machine. ``unattached`` are disks that belong to the machine without
    being part of it when it starts. ``spare_processors`` is what it says of processors that may be added while the
    machine runs, empty where none may.
    """

    path: Path
    format: VmFormat
    disks: tuple[VmDisk, ...]
    firmware: Firmware | None
    cards: tuple[NetworkCard, ...]
    order_doubt: str = ""
    notes: tuple[str, ...] = ()
    lock: VmLock | None = None
    secure_boot: bool | None = None
    boot_order: BootOrder | None = None
    processor: Processor | None = None
    unattached: tuple[VmDisk, ...] = ()
    spare_processors: str = ""


def counted(disks: Iterable[T], path: Path) -> list[T]:
    """The disks of a description, which are looked up for each other.

    Raises VmDescriptionError: there are more than any machine has.
    """
    found = list(islice(disks, MAX_DISKS + 1))
    if len(found) > MAX_DISKS:
        raise malformed(path, None, f"it has more than {MAX_DISKS} disks")
    return found


def malformed(path: Path, line: int | None, what: str) -> VmDescriptionError:
    """Return the error for a description that contradicts its format; ``line`` counts from 1."""
    place = str(path) if line is None else f"{path}, line {line}"
    return VmDescriptionError(
        what, where=place, advice="Fix the description, or give the disks and --target without --vm"
    )


def passed_through(devices: Sequence[str]) -> tuple[str, ...]:
    """The note about passed-through host devices: a network adapter may be among them."""
    if not devices:
        return ()
    return (f"it has passed-through host devices ({quoted(', '.join(devices))}): any network adapters stay connected",)


def in_order(disks: Sequence[VmDisk], first: Sequence[str]) -> tuple[VmDisk, ...]:
    """Return the disks, those whose places are listed in ``first`` before the others."""
    ranks = {place: rank for rank, place in enumerate(first)}
    return tuple(sorted(disks, key=lambda disk: ranks.get(disk.place, len(ranks))))


def names_of(target: str, table: Mapping[tuple[str, ...], str | None]) -> tuple[str, ...] | None:
    """What a format calls the controller ``HYPERVISOR:CONTROLLER``: a table of its names, read backwards.

    Of several names the first; None where the format has no such controller.
    """
    return next((names for names, found in table.items() if found == target), None)
