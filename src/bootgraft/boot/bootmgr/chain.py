r"""The part of the boot chain that bootmgr walks, Windows Vista and later: from the BCD store to the Windows directory.

{bootmgr} → its default entry → the volume of the loader (element ``device``) → winload → the volume of Windows
(``osdevice``) and the directory on it (``systemroot``) → kernel and SYSTEM hive. The same for BIOS and UEFI but for the
names of the files. Behaviour: Microsoft, "BCD Reference" and "Boot and UEFI" on learn.microsoft.com; ReactOS,
``boot/environ/app/bootmgr``.
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bootmgr import bcd_volumes
from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType, ObjectType, read_store
from bootgraft.boot.bootmgr.bcd_device import OtherDevice
from bootgraft.boot.bootmgr.bcd_menu import STORES, Menu, choose
from bootgraft.boot.bootmgr.bcd_volumes import Question
from bootgraft.boot.steps import BootTarget, broken, unknown
from bootgraft.boot.walk import ChainWalk
from bootgraft.errors import BootConfigError, FileSystemError, HiveError
from bootgraft.machine import Firmware, Machine, Volume
from bootgraft.text import counted, printable
from bootgraft.windows.hives import hive_path

_NEW_STORE = "make a new one from the recovery environment of the same Windows: `bcdboot C:\\Windows /s S: /f {}`"
_KINDS = {
    ObjectType.RESUME: "a resume from hibernation",
    ObjectType.MEMORY_TESTER: "the memory test",
    ObjectType.NTLDR: "ntldr of an older Windows",
    ObjectType.BOOT_SECTOR: "a boot sector",
}


_MAX_LISTED = 8
_SUFFIX = {Firmware.BIOS: ".exe", Firmware.UEFI: ".efi"}


def read_menu(walk: ChainWalk, system: Volume, firmware: Firmware) -> Menu:
    """Follow the chain to the BCD store on the system partition."""
    path = STORES[firmware]
    where = f"{system.name}: {path}"
    advice = _NEW_STORE.format(firmware.value)
    if walk.file(system, path) is None:
        raise broken("there is no BCD store", where, f"bootmgr stops with 0xc000000f; {advice}", *walk.fitting())
    try:
        store = read_store(system.hive(path))
    except (BootConfigError, HiveError, FileSystemError) as error:
        evidence = f"{error.what}. {error.advice}"
        raise broken("the BCD store cannot be read", where, evidence, *walk.fitting()) from error
    count = len(store.objects)
    walk.record_step("the BCD store is there", where, counted(count, "object"), *store.problems[:3])
    return Menu(store, system, firmware)


def follow_default(walk: ChainWalk, menu: Menu) -> BootTarget:
    """Follow the chain from the store's default entry to the kernel."""
    entry = _default_entry(walk, menu)
    path = _loader_path(walk, menu, entry)
    loader = bcd_volumes.resolve(walk, _question(menu, entry, ElementType.DEVICE, path), menu.system)
    if loader is not menu.system:
        walk.mount(loader, "the partition of the default entry's loader")
    _loader(walk, menu, entry, loader, path)
    root = _system_root(menu, entry)
    volume = bcd_volumes.resolve(walk, _question(menu, entry, ElementType.OS_DEVICE, root), menu.system)
    if volume is not loader and volume is not menu.system:
        walk.mount(volume, "the partition of the default entry")
    return _windows(walk, menu, entry, volume, root)


def menu_targets(machine: Machine, menu: Menu) -> Iterator[BootTarget]:
    """The entries of bootmgr's menu that lead to a Windows, the default one among them."""
    manager = menu.store.bootmgr
    if manager is None:
        return
    for guid in menu.store.guids(manager, ElementType.DISPLAY_ORDER):
        entry = menu.store.object(guid)
        if entry is None or entry.type != ObjectType.OS_LOADER:
            continue
        root = (menu.store.text(entry, ElementType.SYSTEM_ROOT) or "").rstrip("\\")
        question = _question(menu, entry, ElementType.OS_DEVICE, root)
        volume = bcd_volumes.resolve_unique(machine, question, menu.system) if root.startswith("\\") else None
        if volume is None or volume.kind not in search.OPENABLE:
            continue
        try:
            filesystem = volume.filesystem()
            if search.has_system_hive(filesystem, root):
                yield BootTarget(volume, search.real_path(filesystem, root), menu.title(entry))
        except FileSystemError:  # damage is told where the chain itself or the search of the volumes meets it
            continue


def _question(menu: Menu, entry: BcdObject, kind: ElementType, path: str) -> Question:
    device = menu.store.device(entry, kind) or OtherDevice("nothing: there is no such element")
    role = "device" if kind is ElementType.DEVICE else "osdevice"
    return Question(device, path, role, menu.place(entry, kind))


def _default_entry(walk: ChainWalk, menu: Menu) -> BcdObject:
    store, where = menu.store, menu.where
    manager = store.bootmgr
    if manager is None:
        raise broken("the BCD store has no boot manager object", where, "{bootmgr} is missing", *walk.fitting())
    place = menu.place(manager, ElementType.DEFAULT)
    choice = choose(store, manager)
    entry, shown = choice.entry, ", ".join(f"{{{each}}}" for each in choice.shown[:_MAX_LISTED]) or "nothing"
    if entry is None and choice.shown:
        raise unknown(
            "{bootmgr} names no default entry" + ("" if choice.default is None else " that is in the store"),
            place,
            f"it displays {shown}, and starts one of them",
            *walk.fitting(),
        )
    if entry is None:
        what = "{bootmgr} names no entry that is in the store"
        raise broken(
            what, place, f"its default is {{{choice.default or ''}}}, and it displays nothing", *walk.fitting()
        )
    once = store.guids(manager, ElementType.BOOT_SEQUENCE)
    if once and once[0] != entry.guid:
        what = f"the next start is not that of the default entry: a boot sequence is set, beginning with {{{once[0]}}}"
        where = menu.place(manager, ElementType.BOOT_SEQUENCE)
        raise unknown(what, where, f"the default is {{{entry.guid}}}; after one start the sequence is gone")
    remark = ""
    if choice.default != entry.guid:
        said = "there is no default" if choice.default is None else f"the default {{{choice.default}}} is not there"
        remark = f"{said}, but only one entry to display"
    if entry.type != ObjectType.OS_LOADER:
        kind = next((words for each, words in _KINDS.items() if each == entry.type), f"of type {entry.type:08x}")
        what = f"the default entry is {kind}, from which bootgraft does not follow the start"
        raise unknown(what, place, menu.title(entry))
    walk.record_step(
        "the BCD store names a default entry",
        place,
        menu.title(entry),
        *([remark] if remark else []),
        link="BCD default",
    )
    return entry


def _loader_path(walk: ChainWalk, menu: Menu, entry: BcdObject) -> str:
    path = menu.store.text(entry, ElementType.PATH)
    place = menu.place(entry, ElementType.PATH)
    if not path or not path.startswith("\\"):
        shown = printable(path or "nothing")
        raise broken("the default entry names no loader", place, f"its path is {shown}", *walk.fitting())
    if menu.store.number(entry, ElementType.WINPE):
        raise unknown("the default entry starts Windows PE, no installed Windows", place, menu.title(entry))
    other = Firmware.UEFI if menu.firmware is Firmware.BIOS else Firmware.BIOS
    if path.casefold().endswith(_SUFFIX[other]):
        raise broken(
            f"the default entry names a loader for {other.value} firmware, but the disk starts through "
            f"{menu.firmware.value}",
            place,
            f"its path is {printable(path)}; {_NEW_STORE.format(menu.firmware.value)}",
        )
    return path


def _loader(walk: ChainWalk, menu: Menu, entry: BcdObject, volume: Volume, path: str) -> None:
    file = walk.file(volume, path)
    where = f"{volume.name}: {printable(path)}"
    if file is None:
        raise broken(
            "the loader that the default entry names is not there",
            where,
            f"bootmgr stops with 0xc000000f or 0xc0000225; {menu.title(entry)}",
            *_other_loader(walk, menu, volume, path),
            bcd_volumes.fitting(walk.machine, path),
            *walk.fitting(),
        )
    walk.record_step("the loader is there", where, f"a file of {file.size} bytes", link=file.name)


def _other_loader(walk: ChainWalk, menu: Menu, volume: Volume, path: str) -> tuple[str, ...]:
    """Say whether the loader of the other firmware lies in its place."""
    stem, other = path.rpartition(".")[0], Firmware.UEFI if menu.firmware is Firmware.BIOS else Firmware.BIOS
    beside = f"{stem}{_SUFFIX[other]}"
    if not stem or walk.file(volume, beside) is None:
        return ()
    return (f"{printable(beside)} is: this Windows was installed for {other.value} firmware",)


def _system_root(menu: Menu, entry: BcdObject) -> str:
    root = (menu.store.text(entry, ElementType.SYSTEM_ROOT) or "").rstrip("\\")
    if not root.startswith("\\"):
        place = menu.place(entry, ElementType.SYSTEM_ROOT)
        raise broken("the default entry names no Windows directory", place, f"its systemroot is {printable(root)!r}")
    return root


def _windows(walk: ChainWalk, menu: Menu, entry: BcdObject, volume: Volume, root: str) -> BootTarget:
    shown = printable(root)
    if not walk.has_directory(volume, root):
        raise broken(
            f"the default entry's Windows directory {shown} is not on {volume.name}",
            f"{volume.name}: {shown}",
            f"in the root is {walk.names_in_root(volume)}",
            *walk.fitting(),
        )
    kernel = menu.store.text(entry, ElementType.KERNEL) or "ntoskrnl.exe"
    files = (hive_path(root, "SYSTEM"), f"{root}\\system32\\{kernel}")
    for path in files:
        if walk.file(volume, path) is None:
            name = printable(path.rpartition("\\")[2])
            what = f"the Windows that the default entry names has no {name}"
            raise broken(what, f"{volume.name}: {printable(path)}", menu.title(entry), *walk.fitting())
    real = search.real_path(volume.filesystem(), root)
    walk.record_step(
        "a Windows is there", f"{volume.name}: {real}", f"{' and '.join(map(printable, files))} are files", link=real
    )
    return BootTarget(volume, real, menu.title(entry))
