"""What is found lost of a system partition on one machine, and the changes that put it back."""

from collections.abc import Iterator, Sequence

from bootgraft.boot.bootmgr.boot_files import carries_manager, manager_source
from bootgraft.boot.bootmgr.new_store import SUFFIXES
from bootgraft.boot.steps import BootTarget
from bootgraft.changes import Change
from bootgraft.checks.chain.bootmgr import system_words as words
from bootgraft.checks.chain.bootmgr.lost import Lost
from bootgraft.checks.chain.bootmgr.system_addition import OPTION, addition, addition_changes, format_changes
from bootgraft.checks.chain.bootmgr.system_faults import (
    SystemFault,
    candidates,
    find_fault,
    starts_on,
)
from bootgraft.checks.chain.bootmgr.system_rebuild import can_name, rebuild
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.checks.guest import Guest
from bootgraft.errors import BootgraftError, FileSystemError, HiveError
from bootgraft.filesystems.base import FileSystemKind
from bootgraft.machine import Firmware, Volume
from bootgraft.storage.disks.gpt_addition import NoRoomError
from bootgraft.text import printable
from bootgraft.windows.installation import Installation, installation_id, read_installation

_MAX_LISTED = 8


def find_lost(guest: Guest) -> Iterator[Finding]:
    """One finding where something of the system partition is lost, with what puts it back."""
    found = candidates(guest)
    if not found:
        yield from _encrypted(guest)
        return
    chosen = _chosen(guest, found)
    fault = find_fault(guest, chosen)
    if fault is None:
        return
    remedy, changes, reason = _repair(guest, fault, found, chosen)
    step = guest.chain.steps[-1]
    listed = ", ".join(_name(each) for each in found[:_MAX_LISTED])
    yield Finding(
        fault.lost.value,
        Severity.BLOCKER,
        words.title(fault),
        f"{words.meaning(fault)} {reason}",
        (
            f"{step.where}: {step.what}; {_first_words(step.evidence)}",
            f"Windows is in {listed}",
            *_carried(fault, chosen),
        ),
        remedy,
        changes,
        explains=True,
    )


def _encrypted(guest: Guest) -> Iterator[Finding]:
    """What is said where no Windows can be looked at, but one may lie on a volume that is encrypted with BitLocker."""
    locked = [each for each in guest.machine.volumes() if each.kind is FileSystemKind.BITLOCKER]
    fault = find_fault(guest, None) if locked else None
    if fault is not None and fault.lost is Lost.PARTITION:
        step = guest.chain.steps[-1]
        names = " and ".join(each.name for each in locked)
        yield Finding(
            Lost.PARTITION.value,
            Severity.BLOCKER,
            words.title(fault),
            f"What a Windows carries to make a new one cannot be read: {names} is encrypted with BitLocker. Decrypt it "
            "on the source machine (`manage-bde -off C:`) and copy it again, or give the image that has the system "
            "partition.",
            (f"{step.where}: {step.what}; {_first_words(step.evidence)}", f"{names}: BitLocker"),
            explains=True,
        )


def _chosen(guest: Guest, found: Sequence[BootTarget]) -> BootTarget | None:
    """The Windows that is to start: the one that was named, or the only one."""
    named = guest.installation
    if named is None:
        return found[0] if len(found) == 1 else None
    place = BootTarget(named.volume, named.directory, "").place
    return next((each for each in found if each.place == place), None)


_Remedied = tuple[Remedy, tuple[Change, ...], str]
"""What it takes, the changes, and what is said of them: what they do, or why there are none."""


def _repair(guest: Guest, fault: SystemFault, found: Sequence[BootTarget], chosen: BootTarget | None) -> _Remedied:
    if chosen is None:
        names = ", ".join(installation_id(each.volume, each.directory) for each in found[:_MAX_LISTED])
        return _not_put_back(f"Name the Windows that is to start: --windows with one of {printable(names)}.")
    obstacle = _obstacle(fault, chosen)
    if obstacle is not None:
        return _not_put_back(obstacle)
    if fault.blank is not None:
        return _formatted(fault, fault.blank)
    if fault.system is None:
        return _added(guest, fault, chosen)
    try:
        first = _read(guest, chosen)
        others = tuple(each for each in _others(fault, found, chosen) if can_name(fault.system, each))
        if not can_name(fault.system, first):
            return _not_put_back(
                "Its disk has signature 0, by which no store can name the partition: repair that first."
            )
        changes = rebuild(fault, fault.system, (first, *others))
    except (FileSystemError, HiveError) as error:
        return _not_put_back(f"bootgraft cannot put it back: {error.where}: {error.what}. {error.advice}")
    return Remedy.CHANGES, changes, words.put_back(fault, fault.system, first, others)


def _not_put_back(reason: str) -> _Remedied:
    return Remedy.NONE, (), reason


def _formatted(fault: SystemFault, blank: Volume) -> _Remedied:
    """The partition that was made and never filled gets a volume, which the next round fills."""
    changes = format_changes(fault.disk, blank)
    if not changes:
        return _not_put_back(f"{blank.name} is too small for FAT32: format it otherwise and check again.")
    said = (
        f"`repair` formats {blank.name} with FAT32 and puts the boot files and a new BCD store there.{words.RECOVERY}"
    )
    return Remedy.CHANGES, changes, said


def _added(guest: Guest, fault: SystemFault, chosen: BootTarget) -> _Remedied:
    """A new partition, which the next round fills; made only where the user asks for it."""
    try:
        added = addition(fault.disk, chosen.volume)
    except NoRoomError as error:
        return _not_put_back(
            f"There is no place for a new one: {fault.disk.name} {error}. Give the image that has it, or enlarge this "
            f"one (`qemu-img resize`, then `sgdisk -e`) and run `repair {OPTION}`."
        )
    place = f"{added.size >> 20} MiB at byte {added.start}, as entry {added.slot} of the partition table"
    said = (
        f"There is room for a new one in free space of {fault.disk.name}: {place}, behind that of Windows; nothing is "
        f"moved or made smaller. `repair {OPTION}` makes it, with the boot files that {_name(chosen)} carries and "
        f"a new BCD store.{words.RECOVERY}"
    )
    if not guest.choice.add_system_partition:
        return Remedy.ADD_PARTITION, (), said
    return Remedy.ADD_PARTITION, addition_changes(fault.disk, added), said


def _obstacle(fault: SystemFault, chosen: BootTarget) -> str | None:
    """Why the Windows cannot be started from where its system partition would have to be; None where it can."""
    place = _name(chosen)
    if not starts_on(chosen, fault.firmware):
        name = f"winload.{SUFFIXES[fault.firmware]}"
        return f"{place} has no {name}, which {fault.firmware.value} firmware needs: put it back first."
    needs_manager = fault.lost is not Lost.STORE
    if needs_manager and not carries_manager(chosen.volume, chosen.directory, fault.firmware):
        source = manager_source(chosen.directory, fault.firmware)
        return f"{chosen.volume.name} has no {printable(source)} to copy: take it from another machine of this Windows."
    if fault.system is not None:
        return None
    if chosen.volume.disk != fault.disk.index:
        return f"{place} is not on {fault.disk.name}, which the machine starts from: give the image that starts first."
    if fault.firmware is Firmware.UEFI:
        return None
    return (
        f"{chosen.volume.name} is a logical partition, which cannot be the active one: give the image that has the "
        f"system partition, or make a primary partition for it ({OPTION} does so on GPT disks only)."
    )


def _read(guest: Guest, target: BootTarget) -> Installation:
    return guest.installation or read_installation(target.volume, target.directory, default_boot=False)


def _others(fault: SystemFault, found: Sequence[BootTarget], chosen: BootTarget) -> tuple[Installation, ...]:
    """Each further Windows that the menu can list; one that is damaged is left out."""
    others = []
    for each in found:
        if each is chosen or not starts_on(each, fault.firmware):
            continue
        try:
            others.append(read_installation(each.volume, each.directory, default_boot=False))
        except BootgraftError:  # `inspect` says what is wrong with it
            continue
    return tuple(others[:_MAX_LISTED])


def _carried(fault: SystemFault, chosen: BootTarget | None) -> Iterator[str]:
    if chosen is not None and fault.lost is not Lost.STORE:
        source = manager_source(chosen.directory, fault.firmware)
        if carries_manager(chosen.volume, chosen.directory, fault.firmware):
            yield f"{chosen.volume.name}: {printable(source)} can be copied"


def _name(target: BootTarget) -> str:
    return f"{printable(target.directory)} on {target.volume.name}"


def _first_words(evidence: str) -> str:
    return evidence.partition("; ")[0]
