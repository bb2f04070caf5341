"""Gate 2 on Windows Vista and later: does bootmgr's store lead to what there is, besides the right partitions?"""

from collections.abc import Iterator, Sequence

from bootgraft.boot import search
from bootgraft.boot.bootmgr import bcd_volumes
from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType, ObjectType
from bootgraft.boot.bootmgr.bcd_device import on_partition
from bootgraft.boot.bootmgr.bcd_menu import Choice, Menu, choose, installed
from bootgraft.boot.bootmgr.bcd_volumes import Question
from bootgraft.boot.steps import BootChain
from bootgraft.changes import Change, RegistryData
from bootgraft.checks.chain.bootmgr.bcd_edit import set_element
from bootgraft.checks.chain.bootmgr.bcd_meaning import fits, unreadable
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import Machine
from bootgraft.registry.values import ValueType
from bootgraft.text import printable

DEFAULT = "bcd-default-wrong"
DISPLAY_ORDER = "bcd-menu-entry-missing"
RECOVERY_MISSING = "bcd-recovery-missing"
RESUME_MISSING = "bcd-resume-loader-missing"

_BCD_REFERENCE = "https://learn.microsoft.com/previous-versions/windows/desktop/bcd/bcd-reference"
DOCS = (
    FindingDoc(
        id=DEFAULT,
        applies_to="Windows Vista and later",
        cause="The boot manager's object names no default entry, or one that is not in the store. Where it shows one "
        "entry only, bootmgr starts that; where it shows none that it has, it stops.",
        evidence="The default that is named, and the entries that are there.",
        fix="The only entry shown is made the default one; or the only entry of an installed "
        "Windows, which is then shown too.",
        limits="Nothing is chosen where there are several.",
        symptoms=(Symptom.C000000F, Symptom.C0000034, Symptom.C0000098),
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=DISPLAY_ORDER,
        applies_to="Windows Vista and later",
        cause="The display order of the boot menu names entries that are not in the store. bootmgr passes them over.",
        evidence="The GUIDs that are named.",
        fix="None: it does no harm. `bcdedit /displayorder {GUID} /remove` takes one out.",
        limits="",
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=RECOVERY_MISSING,
        applies_to="Windows 7 and later",
        cause="The entry that starts has a recovery environment whose image (Winre.wim) is not where the store says: "
        "the recovery partition was not converted.",
        evidence="The partition and the path that are named, and where such an image lies.",
        fix="None: in the started Windows, `reagentc /enable` registers an image that is there.",
        limits="Not reported if a volume cannot be read. After two failed starts Windows looks for the recovery "
        "environment; without one it shows the error itself.",
        references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/reagentc-command-line-options",),
    ),
    FindingDoc(
        id=RESUME_MISSING,
        applies_to="Windows Vista and later",
        cause="The entry that resumes from hibernation names a loader (winresume.exe or .efi) that is not there.",
        evidence="The path, and the entry that names it.",
        fix="None: `sfc /scannow` in the started Windows puts it back, or turn hibernation off (`powercfg /h off`).",
        limits="Only of the entry that starts.",
        references=("https://learn.microsoft.com/windows-hardware/drivers/devtest/bcdedit--set",),
    ),
)
_STOPS = "bootmgr has nothing to start and stops."
_STARTS = "bootmgr starts the only entry that it shows all the same."
_SEVERAL = "Which entry starts is not followed."
_BY_HAND = " Name the right one from the recovery environment: `bcdedit /default {GUID}`."
_MAX_LISTED = 8


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each fault of the store."""
    menu = guest.chain.store
    manager = None if menu is None else menu.store.bootmgr
    if menu is None or manager is None:
        return
    choice = choose(menu.store, manager)
    yield from _default(guest.chain, menu, manager, choice)
    yield from _display_order(menu, choice)
    if choice.entry is not None:
        yield from _recovery(guest.machine, menu, choice.entry)
        yield from _resume(guest.machine, menu, choice.entry)


def _default(chain: BootChain, menu: Menu, manager: BcdObject, choice: Choice) -> Iterator[Finding]:
    if choice.default is not None and menu.store.object(choice.default) is not None:
        return
    said = "nothing" if choice.default is None else f"{{{choice.default}}}, which is not in the store"
    evidence = f"{menu.where}, {{{manager.guid}}}: the default is {said}"
    if choice.entry is not None:
        reason = f"bootmgr starts the only one that it shows, {menu.title(choice.entry)}"
        changes = tuple(_name_default(menu, manager, choice.entry))
        yield _wrong_default(_STARTS, (evidence, reason), changes)
        return
    step = chain.steps[-1]
    stop = f"{step.where}: {step.evidence}"
    able = installed(menu.store)
    if not able and not choice.shown:
        return  # that is no wrong default: the whole menu was lost, as `system_partition` says
    if choice.shown or len(able) != 1:
        names = ", ".join(menu.title(each) for each in able[:_MAX_LISTED]) or "none"
        reason = f"entries of an installed Windows are {names}"
        if choice.shown:
            yield _wrong_default(_SEVERAL + _BY_HAND, (evidence, reason), ())
        else:
            yield _wrong_default(_STOPS + _BY_HAND, (stop, evidence, reason), (), stops=True)
        return
    reason = f"{menu.title(able[0])} is the only entry of an installed Windows"
    changes = (*_name_default(menu, manager, able[0]), *_show(menu, manager, able[0], choice))
    yield _wrong_default(_STOPS, (stop, evidence, reason), changes, stops=True)


def _wrong_default(
    meaning: str, evidence: tuple[str, ...], changes: Sequence[Change], *, stops: bool = False
) -> Finding:
    return Finding(
        DEFAULT,
        Severity.BLOCKER if stops else Severity.WARNING,
        "the BCD store names no default entry that it has",
        meaning,
        evidence,
        Remedy.CHANGES if changes else Remedy.NONE,
        tuple(changes),
        explains=stops,
    )


def _name_default(menu: Menu, manager: BcdObject, entry: BcdObject) -> Iterator[Change]:
    data = f"{{{entry.guid}}}\0".encode("utf-16-le")
    yield from set_element(menu, manager, ElementType.DEFAULT, RegistryData(ValueType.REG_SZ, data))


def _show(menu: Menu, manager: BcdObject, entry: BcdObject, choice: Choice) -> Iterator[Change]:
    """Nothing that the display order names is there: with an order of that kind bootmgr has nothing to start."""
    if choice.missing:
        data = f"{{{entry.guid}}}\0\0".encode("utf-16-le")
        yield from set_element(menu, manager, ElementType.DISPLAY_ORDER, RegistryData(ValueType.REG_MULTI_SZ, data))


def _display_order(menu: Menu, choice: Choice) -> Iterator[Finding]:
    if choice.missing:
        names = ", ".join(f"{{{guid}}}" for guid in choice.missing[:_MAX_LISTED])
        names += f" and {len(choice.missing) - _MAX_LISTED} more" if len(choice.missing) > _MAX_LISTED else ""
        yield Finding(
            DISPLAY_ORDER,
            Severity.WARNING,
            "the menu of the BCD store shows entries that it does not have",
            "bootmgr passes over them; the menu is shorter than it was meant to be.",
            (f"{menu.where}: there is no object {names}",),
        )


def _recovery(machine: Machine, menu: Menu, entry: BcdObject) -> Iterator[Finding]:
    """The recovery environment's image, of the entry that starts, where the partition that it names has none."""
    for guid in dict.fromkeys(menu.store.guids(entry, ElementType.RECOVERY_SEQUENCE)):
        recovery = menu.store.object(guid)
        named = None if recovery is None else on_partition(menu.store.device(recovery, ElementType.DEVICE))
        if recovery is None or named is None or not named[1]:
            continue
        identity, path = named
        volumes = machine.known_as(identity)
        if unreadable(machine) or any(search.has(volume, path) for volume in volumes):
            continue
        elsewhere = fits(machine, (path,))
        if elsewhere and not volumes:
            continue  # the partition is what is wrong, which is another fault
        lies = " and ".join(volume.name for volume in elsewhere)
        reason = f"{printable(path)} lies on {lies} instead" if lies else f"no volume has {printable(path)}"
        where = " and ".join(volume.name for volume in volumes) or "no given disk"
        yield Finding(
            RECOVERY_MISSING,
            Severity.WARNING,
            "the image of the recovery environment is not where the BCD store says",
            "The machine starts, but has no recovery environment when it needs one. Give the disk that has it, or run "
            "`reagentc /enable` in the started Windows.",
            (f"{menu.title(recovery)} names {identity}, which is {where}; {reason}",),
        )


def _resume(machine: Machine, menu: Menu, entry: BcdObject) -> Iterator[Finding]:
    """winresume, which the resume object of the entry that starts names."""
    guid = menu.store.text(entry, ElementType.DEFAULT)  # of a loader: its resume object
    resume = None if guid is None else menu.store.object(guid)
    if resume is None or resume.type != ObjectType.RESUME:
        return
    path, device = menu.store.text(resume, ElementType.PATH), menu.store.device(resume, ElementType.DEVICE)
    if not path or not path.startswith("\\") or device is None:
        return
    volume = bcd_volumes.resolve_unique(machine, Question(device, path, "device", menu.where), menu.system)
    if volume is not None and not search.has(volume, path):
        yield Finding(
            RESUME_MISSING,
            Severity.WARNING,
            "the loader that resumes from hibernation is not there",
            "The machine starts, but cannot resume from hibernation or fast start-up. Run `sfc /scannow` in the "
            "started Windows.",
            (f"{volume.name}: no {printable(path)}, which {menu.title(resume)} names",),
        )


CHECK = Check(Stage.CHAIN, 60, DOCS, find)
