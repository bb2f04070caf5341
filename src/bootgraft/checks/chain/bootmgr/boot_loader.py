"""Gate 2 on Windows Vista and later: do the entries of bootmgr's store name the partitions that they mean?

An element that names no partition of the given disks is pointed at the one that it means (:mod:`.bcd_meaning`), where
that can be proven. An element of the default entry that is damaged is made anew where the entry's other device is
sound, and the one volume has what both must lead to.
"""

from collections.abc import Iterator, Sequence

from bootgraft.boot.bootmgr.bcd import BcdObject, ElementType
from bootgraft.boot.bootmgr.bcd_device import DamagedDevice, partition_element, retargeted
from bootgraft.boot.bootmgr.bcd_menu import Menu
from bootgraft.boot.bootmgr.bcd_references import Reference, Role, references, sought
from bootgraft.boot.steps import BootChain
from bootgraft.changes import Change, RegistryData
from bootgraft.checks.chain.bootmgr.bcd_edit import set_element
from bootgraft.checks.chain.bootmgr.bcd_meaning import Meaning, find_meanings, fits, is_renamed_disk
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import GptPartition, Machine, PartitionIdentity, Volume

DEVICE = "bcd-device-wrong"
MANAGER_DEVICE = "bcd-bootmgr-device-wrong"
RESUME_DEVICE = "bcd-resume-device-wrong"
RECOVERY_DEVICE = "bcd-recovery-device-wrong"
OTHER_DEVICE = "bcd-entry-device-wrong"

_EVIDENCE = "What the elements name, and which volume has what must lie there."
_FIX = (
    "The elements are pointed at the right partition; of each, at whatever depth "
    "(RAM disk, virtual disk), only the 40 bytes that name a partition change."
)
_LIMITS = (
    "Only where one single volume has what the entry leads to, none is unreadable, and it is proven to be the same "
    "partition: its disk is the one that is named (and its Windows does not know itself by the name that it has now), "
    "or was proven to be that one by another entry; or it has the very GUID that is named; or its Windows knows itself "
    "by that very name (SYSTEM\\MountedDevices); or, with --these-are-all-disks, no given disk is the one that is "
    "named (not for entries of other Windows). A partition of MBR is never turned into one of GPT."
)
_BCD_REFERENCE = "https://learn.microsoft.com/previous-versions/windows/desktop/bcd/bcd-reference"
DOCS = (
    FindingDoc(
        id=DEVICE,
        applies_to="Windows Vista and later",
        cause="The BCD store names the partition of Windows by disk signature and offset (MBR) or by GUIDs (GPT). A "
        "converter that aligns partitions anew, drops one, or writes a new signature or GUID leaves the store as it "
        "was: bootmgr stops with 0xc000000e or 0xc0000225. Or an element is damaged.",
        evidence="What the element names, what the disks have, and which volume has the loader and the Windows.",
        fix=_FIX + " A damaged element is made anew, 0x58 bytes.",
        limits=_LIMITS + " A damaged element only where the other device of the entry is sound.",
        symptoms=(Symptom.C000000E, Symptom.C000000F, Symptom.C0000034, Symptom.C0000225),
        references=(
            "https://learn.microsoft.com/windows-hardware/drivers/devtest/boot-configuration-data",
            _BCD_REFERENCE,
        ),
    ),
    FindingDoc(
        id=MANAGER_DEVICE,
        applies_to="Windows Vista and later",
        cause="The object of the boot manager names the system partition as it was before the conversion. bootmgr has "
        "been started by then and does not look at it, but bcdedit, bcdboot, Windows Update and the recovery "
        "environment do: they show it as unknown and fail.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits="It means the partition that the store lies on, unless it names a disk that is another given one.",
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=RESUME_DEVICE,
        applies_to="Windows Vista and later",
        cause="The entry that resumes from hibernation names a partition that is not there. The machine starts, but "
        "the first time that it hibernates or shuts down with fast start-up, the session is lost.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits=_LIMITS,
        references=(_BCD_REFERENCE,),
    ),
    FindingDoc(
        id=RECOVERY_DEVICE,
        applies_to="Windows 7 and later",
        cause="The entry of the recovery environment names the partition of Winre.wim as it was before the conversion: "
        "the machine starts, but when it must be rescued there is no recovery environment.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits=_LIMITS,
        references=("https://learn.microsoft.com/windows-hardware/manufacture/desktop/reagentc-command-line-options",),
    ),
    FindingDoc(
        id=OTHER_DEVICE,
        applies_to="Windows Vista and later",
        cause="An entry that is not the default one (another Windows, the memory test, ntldr) names a "
        "partition that is not there any more: it cannot be started from the menu.",
        evidence=_EVIDENCE,
        fix=_FIX,
        limits=_LIMITS + " Entries that nothing leads to any more are not reported; they are also repaired.",
        references=(_BCD_REFERENCE,),
    ),
)
_IDS = {
    Role.DEFAULT: DEVICE,
    Role.MANAGER: MANAGER_DEVICE,
    Role.RESUME: RESUME_DEVICE,
    Role.RECOVERY: RECOVERY_DEVICE,
    Role.OTHER: OTHER_DEVICE,
}
_WHAT = {
    Role.DEFAULT: "the default entry of the BCD store names a partition that is not on the given disks",
    Role.MANAGER: "the boot manager's object in the BCD store names a partition that is not on the given disks",
    Role.RESUME: "the resume entry of the BCD store names a partition that is not on the given disks",
    Role.RECOVERY: "the recovery entry of the BCD store names a partition that is not on the given disks",
    Role.OTHER: "another entry of the BCD store names a partition that is not on the given disks",
}
_DAMAGED = "a device of the default entry of the BCD store is damaged"
_MEANING = {
    Role.DEFAULT: "bootmgr stops before any part of Windows is loaded, with 0xc000000e or 0xc0000225.",
    Role.MANAGER: "The machine starts, but bcdedit and the updates of Windows that write "
    "to the store do not find the system partition.",
    Role.RESUME: "The machine starts, but cannot resume from hibernation or fast start-up.",
    Role.RECOVERY: "The machine starts, but has no recovery environment when it needs one.",
    Role.OTHER: "The default entry is not touched by it; this one cannot be started from the menu.",
}
_BY_HAND = (
    " bootgraft does not guess which partition is meant: give all the machine's disks, or set it from the recovery "
    "environment"
)
_COMMANDS = {
    Role.DEFAULT: "`bcdedit /set {default} osdevice partition=C:`, and device",
    Role.MANAGER: "`bcdedit /set {bootmgr} device partition=S:`",
    Role.RESUME: "`bcdedit /set {GUID} filedevice partition=C:`, and device",
    Role.RECOVERY: "or in the started Windows: `reagentc /disable`, `reagentc /enable`",
    Role.OTHER: "`bcdedit /set {GUID} device partition=C:`",
}
_MAX_LISTED = 8


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each partition that is named wrongly, and for whom; those of the default entry first, as one."""
    chain = guest.chain
    if chain.store is None:
        return
    machine, menu, default = guest.machine, chain.store, chain.store.default_entry
    meanings = find_meanings(machine, menu.system, references(menu.store, default)).values()
    stops = False
    for role in Role:
        groups = [
            (meaning, tuple(each for each in group if each.role is role and _counts(each, meaning)))
            for meaning, group in meanings
        ]
        found = [(meaning, group) for meaning, group in groups if group]
        together = [found] if role is Role.DEFAULT and found else [[each] for each in found]
        for finding in (_finding(machine, chain, menu, role, each) for each in together):
            stops = stops or finding.explains
            yield finding
    if not stops and default is not None:
        yield from _damaged(machine, chain, menu, default)


def _counts(reference: Reference, meaning: Meaning) -> bool:
    """Whether it is worth a word: what is left over from an earlier Windows is also repaired, never reported."""
    return reference.used or meaning.volume is not None


def _finding(
    machine: Machine,
    chain: BootChain,
    menu: Menu,
    role: Role,
    found: Sequence[tuple[Meaning, tuple[Reference, ...]]],
) -> Finding:
    """What is named wrongly for one role: half repaired, the default entry would start as little as before."""
    evidence: list[str] = []
    changes: list[Change] = []
    whole = True
    for meaning, group in found:
        named = [f"{menu.title(each.owner)}, element {each.element.type:08x}, names {each.identity}" for each in group]
        more = [f"and {len(named) - _MAX_LISTED} more"] if len(named) > _MAX_LISTED else []
        evidence += (*named[:_MAX_LISTED], *more, meaning.reason)
        target = None if meaning.volume is None else meaning.volume.identity
        retargets = [_retarget(menu, each, target) for each in group]
        whole = whole and all(retargets)
        changes += (change for each in retargets for change in each)
    stops = role is Role.DEFAULT and any(
        not any(is_renamed_disk(machine, each.identity) for each in group) for _, group in found
    )
    return _report(chain, role, _WHAT[role], evidence, changes if whole else (), stops=stops)


def _report(
    chain: BootChain, role: Role, what: str, evidence: Sequence[str], changes: Sequence[Change], *, stops: bool
) -> Finding:
    step = chain.steps[-1]
    shown = (f"{step.where}: {step.evidence}", *evidence) if stops else tuple(evidence)
    by_hand = f"{_BY_HAND} ({_COMMANDS[role]})."
    return Finding(
        _IDS[role],
        Severity.BLOCKER if stops else Severity.WARNING,
        what,
        _MEANING[role] + ("" if changes else by_hand),
        shown,
        Remedy.CHANGES if changes else Remedy.NONE,
        tuple(changes),
        explains=stops,
    )


def _retarget(menu: Menu, reference: Reference, new: PartitionIdentity | None) -> tuple[Change, ...]:
    """Point an element at another partition, leaving all its other bytes."""
    old, element = reference.identity, reference.element
    if new is None or isinstance(old, GptPartition) != isinstance(new, GptPartition):
        return ()  # another partition style is another kind of start, not the same partition
    data = retargeted(element.data, old, new, name=menu.where)
    return tuple(set_element(menu, reference.owner, element.type, RegistryData(element.kind, data)))


def _damaged(machine: Machine, chain: BootChain, menu: Menu, default: BcdObject) -> Iterator[Finding]:
    """The default entry's device elements that cannot be read, each made anew from the other one."""
    kinds = (ElementType.DEVICE, ElementType.OS_DEVICE)
    broken = [kind for kind in kinds if isinstance(menu.store.device(default, kind), DamagedDevice)]
    if not broken:
        return
    paths = [sought(menu.store, default, kind) for kind in kinds]
    sound = {each.identity for each in references(menu.store, default) if each.owner is default}
    volume, reason = _same_volume(machine, sound, paths)
    target = None if volume is None else volume.identity
    elements = [element for kind in broken if (element := default.element(kind)) is not None]
    changes: list[Change] = []
    if target is not None:
        for element in elements:
            value = RegistryData(element.kind, partition_element(target))
            changes += set_element(menu, default, element.type, value)
    named = [f"{menu.title(default)}, element {kind:08x}, cannot be read as a device" for kind in broken]
    yield _report(chain, Role.DEFAULT, _DAMAGED, (*named, reason), changes, stops=True)


def _same_volume(machine: Machine, sound: set[PartitionIdentity], paths: list[str]) -> tuple[Volume | None, str]:
    """The volume that the entry's sound device names, where it alone has what both must lead to."""
    named = [volume for identity in sound for volume in machine.known_as(identity)]
    fitting = fits(machine, paths) if all(paths) else ()
    listed = " and ".join(paths)
    if len(named) == 1 and fitting == (named[0],):
        return named[0], f"the entry's other device is {named[0].name}, which alone has {listed}"
    names = " and ".join(volume.name for volume in fitting) or "no volume"
    return None, f"{listed}: {names} {'have' if len(fitting) > 1 else 'has'} it, and no sound device proves which"


CHECK = Check(Stage.CHAIN, 50, DOCS, find)
