"""What a BCD store has wrong besides partitions: its default entry and display order, and files that it leads to."""

from collections.abc import Iterator

from bootgraft.boot.bcd_meaning import fits, has_file, unreadable
from bootgraft.boot.bootmgr import bcd_volumes
from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType, ObjectType
from bootgraft.boot.bootmgr.bcd_device import on_partition
from bootgraft.boot.bootmgr.bcd_menu import Choice, choose, installed
from bootgraft.boot.bootmgr.bcd_volumes import Question
from bootgraft.boot.bootmgr.chain import Menu, title
from bootgraft.boot.faults import LoaderFault, LoaderFaultKind
from bootgraft.boot.loaderfault import element_place
from bootgraft.changes import Change, CreateKey, RegistryData, SetValue
from bootgraft.machine import Machine
from bootgraft.registry.values import ValueType
from bootgraft.text import printable

_MAX_LISTED = 8


def store_faults(machine: Machine, menu: Menu) -> tuple[LoaderFault, ...]:
    """All of them."""
    manager = menu.store.bootmgr
    if manager is None:
        return ()
    choice = choose(menu.store, manager)
    found = [*_default(menu, manager, choice), *_display_order(menu, choice)]
    if choice.entry is not None:
        found += [*_recovery(machine, menu, choice.entry), *_resume(machine, menu, choice.entry)]
    return tuple(found)


def _default(menu: Menu, manager: BcdObject, choice: Choice) -> Iterator[LoaderFault]:
    if choice.default is not None and menu.store.object(choice.default) is not None:
        return
    said = "nothing" if choice.default is None else f"{{{choice.default}}}, which is not in the store"
    evidence = f"{menu.where}, {{{manager.guid}}}: the default is {said}"
    what = "the BCD store names no default entry that it has"
    if choice.entry is not None:
        reason = f"bootmgr starts the only one that it shows, {title(menu, choice.entry)}"
        changes = tuple(_name_default(menu, manager, choice.entry))
        yield LoaderFault(LoaderFaultKind.DEFAULT_ENTRY, what, (evidence, reason), changes)
        return
    able = installed(menu.store)
    if choice.shown or len(able) != 1:
        names = ", ".join(title(menu, each) for each in able[:_MAX_LISTED]) or "none"
        reason = f"entries of an installed Windows are {names}"
        yield LoaderFault(LoaderFaultKind.DEFAULT_ENTRY, what, (evidence, reason), (), stops=not choice.shown)
        return
    reason = f"{title(menu, able[0])} is the only entry of an installed Windows"
    changes = (*_name_default(menu, manager, able[0]), *_show(menu, manager, able[0], choice))
    yield LoaderFault(LoaderFaultKind.DEFAULT_ENTRY, what, (evidence, reason), changes, stops=True)


def _name_default(menu: Menu, manager: BcdObject, entry: BcdObject) -> Iterator[Change]:
    data = f"{{{entry.guid}}}\0".encode("utf-16-le")
    yield from _set(menu, manager, ElementType.DEFAULT, RegistryData(ValueType.REG_SZ, data))


def _show(menu: Menu, manager: BcdObject, entry: BcdObject, choice: Choice) -> Iterator[Change]:
    """Nothing that the display order names is there: with an order of that kind bootmgr has nothing to start."""
    if choice.missing:
        data = f"{{{entry.guid}}}\0\0".encode("utf-16-le")
        yield from _set(menu, manager, ElementType.DISPLAY_ORDER, RegistryData(ValueType.REG_MULTI_SZ, data))


def _set(menu: Menu, owner: BcdObject, kind: ElementType, value: RegistryData) -> Iterator[Change]:
    hive, key = element_place(menu, owner, kind)
    present = owner.element(kind)
    if present is None:
        yield CreateKey(hive, key)
    before = None if present is None else RegistryData(present.kind, present.data)
    yield SetValue(hive, key, "Element", value, before)


def _display_order(menu: Menu, choice: Choice) -> Iterator[LoaderFault]:
    if choice.missing:
        names = ", ".join(f"{{{guid}}}" for guid in choice.missing[:_MAX_LISTED])
        names += f" and {len(choice.missing) - _MAX_LISTED} more" if len(choice.missing) > _MAX_LISTED else ""
        what = "the menu of the BCD store shows entries that it does not have"
        yield LoaderFault(LoaderFaultKind.DISPLAY_ORDER, what, (f"{menu.where}: there is no object {names}",), ())


def _recovery(machine: Machine, menu: Menu, entry: BcdObject) -> Iterator[LoaderFault]:
    """The recovery environment's image, of the entry that starts, where the partition that it names has none."""
    for guid in dict.fromkeys(menu.store.guids(entry, ElementType.RECOVERY_SEQUENCE)):
        recovery = menu.store.object(guid)
        named = None if recovery is None else on_partition(menu.store.device(recovery, ElementType.DEVICE))
        if recovery is None or named is None or not named[1]:
            continue
        identity, path = named
        volumes = bcd_volumes.matching(machine, identity)
        if unreadable(machine) or any(has_file(volume, path) for volume in volumes):
            continue
        elsewhere = fits(machine, (path,))
        if elsewhere and not volumes:
            continue  # the partition is what is wrong, which is another fault
        lies = " and ".join(volume.name for volume in elsewhere)
        reason = f"{printable(path)} lies on {lies} instead" if lies else f"no volume has {printable(path)}"
        where = " and ".join(volume.name for volume in volumes) or "no given disk"
        evidence = f"{title(menu, recovery)} names {identity}, which is {where}; {reason}"
        what = "the image of the recovery environment is not where the BCD store says"
        yield LoaderFault(LoaderFaultKind.RECOVERY_IMAGE, what, (evidence,), ())


def _resume(machine: Machine, menu: Menu, entry: BcdObject) -> Iterator[LoaderFault]:
    """winresume, which the resume object of the entry that starts names."""
    guid = menu.store.text(entry, ElementType.DEFAULT)  # of a loader: its resume object
    resume = None if guid is None else menu.store.object(guid)
    if resume is None or resume.type != ObjectType.RESUME:
        return
    path, device = menu.store.text(resume, ElementType.PATH), menu.store.device(resume, ElementType.DEVICE)
    if not path or not path.startswith("\\") or device is None:
        return
    volume = bcd_volumes.guess_free(machine, Question(device, path, "device", menu.where), menu.system)
    if volume is not None and not has_file(volume, path):
        what = "the loader that resumes from hibernation is not there"
        evidence = f"{volume.name}: no {printable(path)}, which {title(menu, resume)} names"
        yield LoaderFault(LoaderFaultKind.RESUME_LOADER, what, (evidence,), ())
