"""What bcdboot does, as changes: boot files and a store on the system partition, from what a Windows carries itself."""

import re
from collections.abc import Iterator, Sequence

from bootgraft.boot import search
from bootgraft.boot.bootmgr.bcd import BOOTMGR, BcdObject, BcdStore, ElementType, read_store
from bootgraft.boot.bootmgr.bcd_device import boot_element, partition_element
from bootgraft.boot.bootmgr.bcd_menu import STORES, Menu, choose
from bootgraft.boot.bootmgr.boot_files import BootFile, boot_files, missing_folders
from bootgraft.boot.bootmgr.new_store import DESCRIPTOR, ROOT_KEY, SUFFIXES, NewObject, StoreEntry, fill, store_objects
from bootgraft.changes import Change, CreateDirectory, CreateKey, RegistryData, SetValue, WriteFile, content_digest
from bootgraft.checks.chain.bios.active_partition import flag_changes
from bootgraft.checks.chain.bootmgr.bcd_edit import set_element
from bootgraft.checks.chain.bootmgr.lost import Lost
from bootgraft.checks.chain.bootmgr.system_faults import StoreState, SystemFault
from bootgraft.errors import BootConfigError, FileSystemError, HiveError
from bootgraft.machine import Volume
from bootgraft.registry.newhive import new_hive
from bootgraft.registry.values import ValueType, dword_data, multi_data
from bootgraft.windows.hives import hive_path
from bootgraft.windows.installation import Installation, open_hive

_MENU_TITLE = re.compile(r"Windows (?:Server )?(?:Vista|[0-9]+(?:\.[0-9]+)?)(?: R2)?", re.ASCII)
_TEMPLATE = "BCD-Template"
_LONGEST_TITLE = 64
"""Characters of a product's name that the menu gets, where it is none of Windows' own."""


def rebuild(fault: SystemFault, system: Volume, windows: Sequence[Installation]) -> tuple[Change, ...]:
    """The changes that put on the system partition what is lost; it then starts the first of these Windows.

    Raises FileSystemError where a file that is to be copied cannot be read, HiveError for one whose registry cannot.
    """
    changes: list[Change] = []
    first = windows[0]
    files: tuple[BootFile, ...] = ()
    if fault.lost is not Lost.STORE:
        found = boot_files(first.volume, first.directory, fault.firmware)
        files = tuple(each for each in found if search.find_entry(system.filesystem(), each.target) is None)
    store = STORES[fault.firmware]
    writes_store = fault.store in (StoreState.MISSING, StoreState.DAMAGED)
    targets = (*(each.target for each in files), *([store] if writes_store else []))
    changes += (CreateDirectory(system.file(path)) for path in missing_folders(system.filesystem(), targets))
    changes += (_copy(first.volume, system, each) for each in files)
    if fault.store is not StoreState.SOUND:
        changes += _store_changes(fault, system, windows)
    if not fault.active:
        changes += flag_changes(fault.disk, system.partition.slot)
    return tuple(changes)


def can_name(system: Volume, windows: Installation) -> bool:
    """Whether a store on ``system`` has a name for the partition of a Windows."""
    return windows.volume.identity is not None or windows.volume is system


def template_of(windows: Installation) -> BcdStore | None:
    """The Windows' own BCD-Template; None where there is none that can be read."""
    try:
        return read_store(windows.volume.hive(hive_path(windows.directory, _TEMPLATE)))
    except (FileSystemError, HiveError, BootConfigError):
        return None


def _copy(source: Volume, system: Volume, file: BootFile) -> WriteFile:
    data = source.filesystem().read(file.source)
    return WriteFile(system.file(file.target), data, None, f"{source.name}: {file.source}")


def _store_changes(fault: SystemFault, system: Volume, windows: Sequence[Installation]) -> Iterator[Change]:
    template = template_of(windows[0])
    entries = [_entry(each, SUFFIXES[fault.firmware]) for each in windows]
    objects = store_objects(fault.firmware, _device(system), entries, template)
    if fault.store is StoreState.EMPTY and fault.menu is not None:
        yield from _merged(fault.menu, objects)
        return
    path = STORES[fault.firmware]
    written = open_hive(windows[0], "SYSTEM").root.last_written
    data = new_hive(ROOT_KEY, DESCRIPTOR, lambda hive: fill(hive, objects), filetime=written, name=path)
    origin = "what every store has, as this Windows has no BCD-Template"
    if template is not None:
        origin = f"{windows[0].volume.name}: {hive_path(windows[0].directory, _TEMPLATE)}"
    before = None
    if fault.store is StoreState.DAMAGED:
        before = content_digest(system.filesystem().read(path))
    yield WriteFile(system.file(path), data, before, origin)


def _merged(menu: Menu, objects: Sequence[NewObject]) -> Iterator[Change]:
    """The objects that a store lacks, and what makes its boot manager start them; all that it has stays."""
    for each in objects:
        present = menu.store.object(each.guid)
        if present is None:
            yield from _created(menu, each)
        elif each.guid == BOOTMGR:
            yield from _pointed(menu, present, each)


def _created(menu: Menu, each: NewObject) -> Iterator[Change]:
    yield CreateKey(menu.hive, f"{each.key}\\Description")
    kind = RegistryData(ValueType.REG_DWORD, dword_data(each.type))
    yield SetValue(menu.hive, f"{each.key}\\Description", "Type", kind, None)
    yield CreateKey(menu.hive, f"{each.key}\\Elements")
    for number, value in each.elements:
        yield CreateKey(menu.hive, f"{each.key}\\Elements\\{number:08x}")
        yield SetValue(menu.hive, f"{each.key}\\Elements\\{number:08x}", "Element", value, None)


def _pointed(menu: Menu, manager: BcdObject, wanted: NewObject) -> Iterator[Change]:
    """The boot manager with the new default; what its menu shows besides, and has, comes behind."""
    elements = dict(wanted.elements)
    for number in (ElementType.DEFAULT, ElementType.RESUME_OBJECT):
        if number in elements:
            yield from set_element(menu, manager, number, elements[number])
    order = (*_listed(elements[ElementType.DISPLAY_ORDER]), *choose(menu.store, manager).shown)
    names = multi_data(f"{{{guid}}}" for guid in dict.fromkeys(order))
    yield from set_element(menu, manager, ElementType.DISPLAY_ORDER, RegistryData(ValueType.REG_MULTI_SZ, names))
    for number in (ElementType.DEVICE, ElementType.INHERIT):
        if manager.element(number) is None:
            yield from set_element(menu, manager, number, elements[number])


def _listed(value: RegistryData) -> Iterator[str]:
    return (name.strip("{}") for name in value.data.decode("utf-16-le").split("\0") if name)


def _entry(windows: Installation, suffix: str) -> StoreEntry:
    title = _MENU_TITLE.match(windows.product)
    return StoreEntry(
        name=f"{windows.volume.identity or windows.volume.name} {windows.directory.casefold()}",
        device=_device(windows.volume),
        directory=windows.directory,
        title=windows.product[:_LONGEST_TITLE] if title is None else title[0],
        version=windows.version,
        is_server="Server" in windows.product,
        resumes=search.has(windows.volume, f"{windows.directory}\\system32\\winresume.{suffix}"),
    )


def _device(volume: Volume) -> bytes:
    """The element that names a volume; one without a name is the system partition itself (:func:`can_name`)."""
    return boot_element() if volume.identity is None else partition_element(volume.identity)
