"""What ``--vm FILE`` means for a command: which disks, on which controllers, and which adapters to disconnect."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from bootgraft.changes import EditVmFile
from bootgraft.cli.options import Options
from bootgraft.errors import ImageInUseError, UsageError, VmDescriptionError
from bootgraft.events import Event, EventKind, Monitor, silent
from bootgraft.storage.confine import exists, has_protocol, resolve
from bootgraft.storage.journal.head import EditedFile
from bootgraft.storage.journal.journalsearch import (
    find_journal,
    find_journals,
    interrupted,
    require_idle,
    unfinished_journals,
)
from bootgraft.storage.journal.strayjournals import strays_for_undo
from bootgraft.storage.usage import locks
from bootgraft.targets.descriptions.vmdescription import VmDescription
from bootgraft.targets.descriptions.vmdisks import LocatedDisks, locate, match
from bootgraft.targets.descriptions.vmfile import EDITABLE, parse_description, plug, read_bytes, titles
from bootgraft.text import printable

_SHOWN_UNATTACHED = 8


def apply_vm_description(options: Options, monitor: Monitor) -> Options:
    """Return the options of a command with what its ``--vm`` says: the images, their controllers, the edit.

    Raises:
        UsageError: there is neither an image nor a description, or they do not go together.
        VmDescriptionError: the description cannot be read or does not tell what is needed.
        ImageInUseError: the hypervisor has locked the machine.
        JournalError: a repair or an undo of the machine was interrupted.
    """
    if options.vm is None:
        return _without_description(options)
    named = _named(options)
    if options.command == "undo" or options.resume:
        return _for_journal(options)
    if options.command == "history":
        return options if options.images else _with_disks(options, options.vm)
    data = read_bytes(options.vm)
    description = parse_description(data, options.vm)
    found = (
        match(description, options.images, named) if options.images else locate(description, options.allow_path, named)
    )
    if options.command in ("check", "repair") and not options.targets:
        _require_controllers(description, found)
    # What is half-done comes first: what the description says of its cards then is not its owner's word.
    # What else lies beside them is told where the disks are opened.
    _refuse_unfinished(replace(options, images=found.locations))
    refuse_locked(description)
    _warn((*found.notes, *_unattached(description)), options, monitor)
    if options.isolate:
        _warn(_unsure(description), options, monitor)
    return replace(
        options,
        images=found.locations,
        description=description,
        controllers=found.controllers,
        places=found.places,
        sector_sizes=found.sector_sizes,
        vm_edit=_isolating(data, description, options, monitor) if options.isolate else None,
    )


def _refuse_unfinished(options: Options) -> None:
    """Raise JournalError where a change of the description itself was interrupted."""
    for journal in unfinished_journals(options.covered, options.journal, monitor=silent):
        if journal.head.edited is not None:
            require_idle(journal, options.covered)
            raise interrupted(journal, options.covered)


def refuse_locked(description: VmDescription) -> None:
    """Raise ImageInUseError where the hypervisor itself is at work on the machine."""
    lock = description.lock
    if lock is not None:
        raise ImageInUseError(lock.what, where=f"{description.path}, line {lock.line}", advice=lock.advice)


def _without_description(options: Options) -> Options:
    if options.disk:
        raise UsageError(
            "--disk says where a disk of the machine's description is",
            where="--disk",
            advice="Give that too: --vm FILE",
        )
    if options.isolate:
        raise UsageError(
            "--isolate disconnects the network adapters in the machine's description",
            where="--isolate",
            advice=f"Give that too: --vm FILE ({titles(EDITABLE)})",
        )
    if not options.images and (options.command != "history" or options.journal is not None):
        raise UsageError(
            "the following arguments are required: IMAGE (or --vm FILE)",
            where=options.command,
            advice=f"For its usage, run:\n    bootgraft {options.command} --help",
        )
    return options


def _for_journal(options: Options) -> Options:
    """For undo and resume the journal knows which disks it covers; it may cover the description alone."""
    if options.vm is not None:
        with suppress(VmDescriptionError):  # what cannot be read speaks of no lock, and the disks may not need it
            refuse_locked(parse_description(read_bytes(options.vm), options.vm))
    strays = strays_for_undo(options.images)
    if options.undo_all:
        journals = find_journals(options.covered, options.journal, strays=strays)
    else:
        newest = find_journal(options.covered, options.journal, strays=strays)
        journals = () if newest is None else (newest,)
    if journals and not any(journal.head.disks for journal in journals):
        return replace(options, images=())
    return options if options.images or options.vm is None else _with_disks(options, options.vm)


def _with_disks(options: Options, vm: Path) -> Options:
    """Return the options with the disks that the description names, in whatever order."""
    description = parse_description(read_bytes(vm), vm)
    return replace(
        options, images=locate(replace(description, order_doubt=""), options.allow_path, _named(options)).locations
    )


def _named(options: Options) -> dict[str, str]:
    """Where the user says that disks of the description are, by their names in it."""
    named = {}
    for each in options.disk:
        name, sign, path = each.partition("=")
        if not (name and sign and path):
            raise UsageError(
                f"{each!r} is not of the form NAME=PATH", where="--disk", advice="Give it as scsi0=/dev/sdb"
            )
        if not has_protocol(path) and not exists(Path(path)):
            raise UsageError(f"there is no such file: {path}", where="--disk", advice="Check the path")
        named[name] = path
    return named


def _require_controllers(description: VmDescription, found: LocatedDisks) -> None:
    for disk in description.disks:
        if disk.controller is None and None in found.controllers:
            raise UsageError(
                f"the description does not say which controller {disk.place} is attached to",
                where=f"{description.path}, line {disk.line}",
                advice="Give it with --target HYPERVISOR:CONTROLLER.\nTo list them all, run:\n    bootgraft targets",
                id="target-missing",
            )


def _unattached(description: VmDescription) -> tuple[str, ...]:
    """Disks of the machine that it starts without."""
    return tuple(
        f"{disk.place}: {printable(disk.name)} belongs to the machine but is not attached: Windows will not see it"
        for disk in description.unattached[:_SHOWN_UNATTACHED]
    )


def _unsure(description: VmDescription) -> tuple[str, ...]:
    """Where disconnecting adapters may not keep the machine off the network, or there is none to disconnect."""
    plugged = [card for card in description.cards if card.plugged]
    return description.notes if plugged else ("no network adapter in it is connected", *description.notes)


def _warn(notes: Sequence[str], options: Options, monitor: Monitor) -> None:
    for note in notes:
        monitor(Event(EventKind.WARNING, f"{options.vm}: {note}"))


def _isolating(data: bytes, description: VmDescription, options: Options, monitor: Monitor) -> EditVmFile | None:
    """The edit that disconnects every adapter that is connected; None where there is none."""
    _warn(locks.refuse_vmware_locks([resolve(description.path)]), options, monitor)
    cards = tuple(card.name for card in description.cards if card.plugged)
    edited = plug(data, description, cards, plugged=False)
    return EditVmFile(str(description.path), cards, False, data, edited) if cards else None  # noqa: FBT003


def disconnected_between(path: Path, edited: EditedFile) -> dict[str, bool]:
    """The cards whose plug an edit changed, with how it was before."""
    before = {card.name: card.plugged for card in parse_description(edited.old, path).cards}
    after = {card.name: card.plugged for card in parse_description(edited.new, path).cards}
    return {name: was for name, was in before.items() if after.get(name, was) != was}


def taken_back(path: Path, edited: EditedFile) -> tuple[bytes, bool]:
    """What the description becomes by an undo, and whether that is what it was before the edit.

    Where somebody edited it since, only the cards are put back.
    """
    now = read_bytes(path)
    if now in (edited.old, edited.new):
        return edited.old, True
    changed = disconnected_between(path, edited)
    for plugged in (True, False):
        description = parse_description(now, path)
        names = [card.name for card in description.cards if changed.get(card.name) is plugged]
        names = [card.name for card in description.cards if card.name in names and card.plugged is not plugged]
        now = plug(now, description, names, plugged=plugged)
    return now, False


def read_again(description: VmDescription) -> str:
    """What makes the hypervisor notice the edit."""
    return description.format.read_again.format(path=description.path)


def first_start(options: Options) -> str:
    """What to do after an isolating repair."""
    if options.description is None or options.vm_edit is None:
        return ""
    cards = ", ".join(options.vm_edit.cards)
    reconnect = shlex.join(["bootgraft", "reconnect", "--vm", str(options.vm)])
    return (
        f"\nDisconnected in {options.vm}: {cards}. {read_again(options.description)}\n"
        f"When the machine has booted, connect them again:\n    {reconnect}\n"
    )
