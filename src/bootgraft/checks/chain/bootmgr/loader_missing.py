r"""Gate 2 on Windows Vista and later: is the loader there that the default entry names, and where is a copy if not?

winload.exe and winload.efi are components of Windows like any other: ``WinSxS`` keeps what they are made of, and
``system32\Boot`` has both again (the stores of setup media name them there:
``\windows\system32\boot\winload.exe``).
"""

from collections.abc import Iterator

from bootgraft.boot import search
from bootgraft.boot.bootmgr import bcd_volumes
from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType, ObjectType
from bootgraft.boot.bootmgr.bcd_menu import Menu
from bootgraft.boot.bootmgr.bcd_volumes import Question
from bootgraft.changes import Change
from bootgraft.checks.check import Check
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.core.restore import restored
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import BootgraftError
from bootgraft.machine import Firmware, Machine, Volume
from bootgraft.text import printable
from bootgraft.windows.installation import open_hive, read_installation

ID = "bcd-loader-missing"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows Vista and later",
    cause="The loader that the default entry of the BCD store names (winload.exe, winload.efi) is not on the volume "
    "that the entry names: deleted, or lost to a file system that was repaired.",
    evidence="The path, the volume, and whether the loader for the other firmware lies in its place.",
    fix="The newest copy of the same build and architecture as the kernel is taken from where this Windows keeps one "
    "(system32\\Boot, WinSxS).",
    limits="Only in the Windows directory that the entry itself names, on the same volume. Without a copy, take the "
    "file from the setup medium of the same Windows, or from a backup.",
    symptoms=(Symptom.C000000F, Symptom.C0000225),
    references=(
        "https://learn.microsoft.com/windows-hardware/manufacture/desktop/bcd-system-store-settings-for-uefi",
        "https://learn.microsoft.com/troubleshoot/windows-client/performance/windows-boot-issues-troubleshooting",
    ),
)
_SUFFIXES = {Firmware.BIOS: (".exe", ".efi"), Firmware.UEFI: (".efi", ".exe")}
"""What the loaders of a firmware end with, and those of the other one."""


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the default entry is that of a Windows, and its loader is not where it says."""
    menu = guest.chain.store
    entry = None if menu is None else menu.default_entry
    if menu is None or entry is None or entry.type != ObjectType.OS_LOADER or guest.chain.default is not None:
        return
    path = menu.store.text(entry, ElementType.PATH) or ""
    own, other = _SUFFIXES[menu.firmware]
    if not path.startswith("\\") or not path.casefold().endswith(own):
        return  # a loader of another kind is :mod:`.loader_kind`'s
    volume = _volume(guest.machine, menu, entry, ElementType.DEVICE, path)
    if volume is None or volume.kind not in search.OPENABLE or search.has(volume, path):
        return
    change, evidence = _copy(guest.machine, menu, entry, volume, path)
    beside = f"{path[: -len(own)]}{other}"
    is_other = search.has(volume, beside)
    name = printable(path.rpartition("\\")[2])
    meaning = "bootmgr stops with 0xc000000f or 0xc0000225."
    if not change:
        meaning += (
            f" Copy {name} from the setup medium of the same Windows, or from a backup, to that place"
            + (f"; or start this Windows through {_other(menu.firmware)}, whose loader is there" if is_other else "")
            + "."
        )
    yield Finding(
        ID,
        Severity.BLOCKER,
        f"the loader {printable(path)} that the default entry names is missing on {volume.name}",
        meaning,
        (
            f"{menu.title(entry)}, element {ElementType.PATH:08x}, is {printable(path)}; {volume.name} has none",
            *([f"{volume.name} has {printable(beside)}"] if is_other else []),
            *evidence,
        ),
        Remedy.CHANGES if change else Remedy.NONE,
        change,
        explains=True,
    )


def _volume(machine: Machine, menu: Menu, entry: BcdObject, kind: ElementType, path: str) -> Volume | None:
    device = menu.store.device(entry, kind)
    question = None if device is None else Question(device, path, "device", menu.where)
    return None if question is None else bcd_volumes.resolve_unique(machine, question, menu.system)


def _copy(
    machine: Machine, menu: Menu, entry: BcdObject, volume: Volume, path: str
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What puts the loader back, and what is said of it."""
    root = (menu.store.text(entry, ElementType.SYSTEM_ROOT) or "").rstrip("\\")
    if not root.startswith("\\") or _volume(machine, menu, entry, ElementType.OS_DEVICE, root) is not volume:
        return (), ()
    try:
        directory = search.real_path(volume.filesystem(), root)
        installation = read_installation(volume, directory, default_boot=True)
        core = CoreFacts(installation, open_hive(installation, "SYSTEM"))
        name = path.rpartition("\\")[2]
        change = restored(core, path, more=(f"{directory}\\system32\\Boot\\{name}",))
    except BootgraftError as error:
        return (), (f"no copy was looked for: {error.where}: {error.what}",)
    if change is None:
        return (), (f"{printable(directory)} has no other copy of the kernel's build",)
    return (change,), (f"{change.origin} fits and can take its place",)


def _other(firmware: Firmware) -> Firmware:
    return Firmware.UEFI if firmware is Firmware.BIOS else Firmware.BIOS


CHECK = Check(Stage.CHAIN, 57, (DOC,), find)
