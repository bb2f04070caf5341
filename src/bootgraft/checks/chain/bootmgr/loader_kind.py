r"""Gate 2 on Windows Vista and later: is the loader that an entry names one for the firmware that starts the disk?

Windows has two of each: winload.exe and winresume.exe, which bootmgr starts on a BIOS, winload.efi and winresume.efi on
UEFI; of the memory test too, in folders of their own. From Windows 8 on both lie in system32 whatever it was installed
for, of the 64-bit Vista SP1 to 7 too. A disk whose table was turned into the other kind, or a store that was carried
over with it, names the wrong one (Microsoft, "BCD System Store Settings for UEFI": the path of the Windows loader there
is ``\Windows\system32\winload.efi``, in place of the BIOS' ``winload.exe``).
"""

from collections.abc import Iterator

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bootmgr import bcd_volumes
from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType, ObjectType
from bootgraft.boot.bootmgr.bcd_device import FileDevice
from bootgraft.boot.bootmgr.bcd_menu import Menu, reachable
from bootgraft.boot.bootmgr.bcd_volumes import Question
from bootgraft.changes import Change, RegistryData
from bootgraft.checks.chain.bootmgr.bcd_edit import set_element
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Firmware, Machine, Volume
from bootgraft.registry.values import ValueType, text_data
from bootgraft.text import printable

DEFAULT = "bcd-loader-wrong-firmware"
OTHER = "bcd-other-loader-wrong-firmware"

_REFERENCES = (
    "https://learn.microsoft.com/windows-hardware/manufacture/desktop/bcd-system-store-settings-for-uefi",
    "https://learn.microsoft.com/windows-hardware/drivers/devtest/boot-options-in-uefi",
)
_EVIDENCE = "The path that the entry names, how the disk starts, and whether the right loader lies beside it."
_FIX = "The path (element 12000002) becomes that of the right loader; nothing else of the entry changes."
DOCS = (
    FindingDoc(
        id=DEFAULT,
        applies_to="Windows Vista and later",
        cause="The default entry of the BCD store names winload.efi on a disk that starts through a BIOS (MBR), or "
        "winload.exe on one that starts through UEFI (GPT): the disk was converted to the other partition table, or "
        "the store was carried over from a machine with the other firmware.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits="Only where the right loader lies beside the wrong one, on the volume that the entry's device names. "
        "Where it does not, this Windows cannot start through this firmware: give the machine the other one, and a "
        "disk of its kind.",
        symptoms=(Symptom.C000007B, Symptom.C000000F, Symptom.C0000225),
        references=_REFERENCES,
    ),
    FindingDoc(
        id=OTHER,
        applies_to="Windows Vista and later",
        cause="The same of an entry that is not the default one: resume from hibernation (winresume), another Windows, "
        "the recovery environment, the memory test.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits="Only of entries that the boot manager leads to. Whether an image (Winre.wim) has the right loader is "
        "not looked at: `reagentc /disable`, `reagentc /enable` in the started Windows write that entry anew.",
        symptoms=(Symptom.RESUME_FAILS,),
        references=_REFERENCES,
    ),
)
_SUFFIX = {Firmware.BIOS: ".exe", Firmware.UEFI: ".efi"}
_TABLE = {Firmware.BIOS: "MBR", Firmware.UEFI: "GPT"}
_MEMORY_TEST = {Firmware.BIOS: "\\Boot\\memtest.exe", Firmware.UEFI: "\\EFI\\Microsoft\\Boot\\memtest.efi"}
_KINDS = (ObjectType.OS_LOADER, ObjectType.RESUME, ObjectType.MEMORY_TESTER)


class _WrongLoader(Struct, frozen=True):
    """An entry with the loader of the other firmware; ``right`` is the path of the right one.

    ``volume`` is where that one was looked for, None where the entry's device names no one volume, and ``there``
    whether it is; ``in_image`` says that the entry starts from an image.
    """

    owner: BcdObject
    path: str
    right: str
    volume: Volume | None
    there: bool
    in_image: bool


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for the default entry, and one for the others that the boot manager leads to."""
    menu = guest.chain.store
    if menu is None:
        return
    default, used = menu.default_entry, reachable(menu.store)
    wrong = [each for each in _wrong(guest.machine, menu) if each.owner.guid in used or each.owner is default]
    own = [each for each in wrong if each.owner is default]
    others = [each for each in wrong if each.owner is not default]
    for each in own:
        yield _default(guest, menu, each)
    if others:
        yield _others(menu, others)


def _wrong(machine: Machine, menu: Menu) -> Iterator[_WrongLoader]:
    suffix, other = _SUFFIX[menu.firmware], _SUFFIX[_other(menu.firmware)]
    for owner in menu.store.objects:
        path = menu.store.text(owner, ElementType.PATH)
        if owner.type not in _KINDS or path is None or not path.startswith("\\"):
            continue
        if not path.casefold().endswith(other):
            continue
        is_test = owner.type == ObjectType.MEMORY_TESTER
        right = _MEMORY_TEST[menu.firmware] if is_test else path[: -len(other)] + suffix
        device = menu.store.device(owner, ElementType.DEVICE)
        question = None if device is None else Question(device, right, "device", menu.where)
        volume = None if question is None else bcd_volumes.resolve_unique(machine, question, menu.system)
        there = volume is not None and search.has(volume, right)
        yield _WrongLoader(owner, path, right, volume, there, isinstance(device, FileDevice))


def _default(guest: Guest, menu: Menu, wrong: _WrongLoader) -> Finding:
    stops = guest.chain.default is None
    there, here = _other(menu.firmware), menu.firmware
    name, right = printable(_name(wrong.path)), printable(_name(wrong.right))
    what = (
        f"the default entry of the BCD store names {name}, the loader for {there}, but the disk starts through {here}"
    )
    meaning = f"bootmgr of a {here} machine ({_TABLE[here]} disk) cannot start {name}: it needs {right}."
    if not wrong.there:
        meaning += _without(wrong, there)
    return Finding(
        DEFAULT,
        Severity.BLOCKER if stops else Severity.WARNING,
        what,
        meaning,
        tuple(_shown(menu, wrong)),
        Remedy.CHANGES if wrong.there else Remedy.NONE,
        tuple(_changes(menu, wrong)),
        explains=stops,
    )


def _without(wrong: _WrongLoader, there: Firmware) -> str:
    """What to do where the right loader was not found."""
    if wrong.volume is None:
        return " Which partition the entry means must be known first."
    return (
        f" This Windows has no {printable(_name(wrong.right))}: it can only be started through {there}. Give the new "
        f"machine {there} firmware and convert its disk again with its own partition table ({_TABLE[there]}), or copy "
        "the file from the setup medium of the same Windows."
    )


def _others(menu: Menu, wrong: list[_WrongLoader]) -> Finding:
    there, here = _other(menu.firmware), menu.firmware
    fixed = [each for each in wrong if each.there]
    meaning = "The machine starts without them, but not what they name: resume, recovery, the memory test."
    if any(each.in_image for each in wrong):
        meaning += " In the started Windows, `reagentc /disable` and `reagentc /enable` write that of recovery anew."
    return Finding(
        OTHER,
        Severity.WARNING,
        f"further entries of the BCD store name loaders for {there}, but the disk starts through {here}",
        meaning,
        tuple(line for each in wrong for line in _shown(menu, each)),
        Remedy.CHANGES if fixed else Remedy.NONE,
        tuple(change for each in fixed for change in _changes(menu, each)),
    )


def _shown(menu: Menu, wrong: _WrongLoader) -> Iterator[str]:
    yield f"{menu.title(wrong.owner)}, element {ElementType.PATH:08x}, is {printable(wrong.path)}"
    if wrong.in_image:
        yield f"it starts from an image; whether that has {printable(wrong.right)} is not known"
    elif wrong.volume is None:
        yield "its device names no one volume of the given disks"
    else:
        yield f"{wrong.volume.name} has {'' if wrong.there else 'no '}{printable(wrong.right)}"


def _changes(menu: Menu, wrong: _WrongLoader) -> Iterator[Change]:
    if wrong.there:
        value = RegistryData(ValueType.REG_SZ, text_data(wrong.right))
        yield from set_element(menu, wrong.owner, ElementType.PATH, value)


def _other(firmware: Firmware) -> Firmware:
    return Firmware.UEFI if firmware is Firmware.BIOS else Firmware.BIOS


def _name(path: str) -> str:
    return path.rpartition("\\")[2]


CHECK = Check(Stage.CHAIN, 55, DOCS, find)
