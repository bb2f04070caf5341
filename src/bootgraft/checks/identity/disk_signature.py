"""Who is which disk: a signature that is missing, was changed, or is there twice.

Everything that names a partition of an MBR disk begins with the signature of its disk, at 0x1B8 of sector 0: drive
letters, the BCD store, ``signature()`` in boot.ini.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.boot.references import DiskReference
from bootgraft.changes import WriteSectors
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Need, Remedy, Severity, Stage
from bootgraft.checks.identity.identity_facts import DiskFacts, IdentityFacts
from bootgraft.checks.identity.moved_volumes import old_signature
from bootgraft.checks.symptom import Symptom
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.mounted_devices import KEY

ZERO = "disk-signature-zero"
CHANGED = "disk-signature-changed"
COLLISION = "disk-signature-collision"
_SIGNATURE_AT = 0x1B8
_MOUNT_MANAGER = (
    "https://learn.microsoft.com/windows-hardware/drivers/storage/"
    "supporting-mount-manager-requests-in-a-storage-class-driver"
)
DOCS = (
    FindingDoc(
        id=ZERO,
        applies_to="every Windows on MBR disks",
        cause="A converter wrote a new MBR and left the disk signature 0. Windows writes a new one when it first "
        "starts, and every reference to the old one breaks: drive letters (a log-on loop on 2000, XP and Server 2003) "
        "and the BCD store (bootmgr stops with 0xc000000e).",
        evidence="The four bytes at 0x1B8 of sector 0, and who names this disk by which signature.",
        fix="The old signature is written back, which repairs every reference at once.",
        limits="Only where the letter of the Windows on the disk, the default entry of the BCD store (with an offset "
        "at which a partition of the disk begins) and signature() in boot.ini agree on one signature, and no other "
        "given disk has it. boot.ini alone is believed only with --these-are-all-disks. Otherwise nothing is chosen. "
        "Only the first disk and that of Windows are judged.",
        symptoms=(Symptom.C000000E, Symptom.LOG_ON_LOOP),
        references=(_MOUNT_MANAGER,),
    ),
    FindingDoc(
        id=CHANGED,
        applies_to="Windows 2000 and later on MBR disks",
        cause="A converter gave the disk a new signature. It explains the drive letters that are found wrong beside "
        "it, and a BCD store that names no partition.",
        evidence="The signature that the letter of Windows' own volume names, and the one that its disk has.",
        fix="None of its own: the letters are repaired by system-volume-letter-wrong and data-volume-letter-stale, the "
        "BCD store by bcd-device-wrong.",
        limits="Only where no given disk has the old signature, and the volume lies where it lay, or its boot sector "
        "says where it lay.",
        symptoms=(Symptom.C000000E, Symptom.LOG_ON_LOOP),
        references=(_MOUNT_MANAGER,),
    ),
    FindingDoc(
        id=COLLISION,
        applies_to="every Windows with two disks, one of which was cloned from the other",
        cause="Two disks have the same signature (MBR) or disk GUID (GPT). Windows tells disks apart by it: Vista and "
        "later take the second one offline, 2000 to 2003 give one of the two a new signature, and where sector 0 is "
        "the same too, their kernel cannot tell from which of them it was started (STOP 0x7B, or the wrong one).",
        evidence="The signature or GUID, the disks that have it, and whether their sectors 0 add up to the same.",
        fix="None: only their owner knows which of the two must keep it. Detach the one that is not wanted, or let a "
        "running Windows give it a new one (diskpart: `uniqueid disk id=`).",
        limits="Only the disks that are given are compared.",
        symptoms=(Symptom.STOP_7B,),
        references=("https://learn.microsoft.com/windows-server/administration/windows-commands/uniqueid",),
    ),
)


class _Said(Struct, frozen=True):
    """One who names a disk by a signature; ``proves`` that it means the disk in question."""

    signature: int
    where: str
    proves: bool


def check(facts: IdentityFacts) -> tuple[Finding, ...]:
    """What is wrong with the signatures and GUIDs of the disks."""
    return (*_zero(facts), *_changed(facts), *_collisions(facts))


def _zero(facts: IdentityFacts) -> Iterator[Finding]:
    own = None if facts.windows is None else facts.windows.volume.disk
    for disk in facts.disks:
        has_partitions = any(volume.disk == disk.index for volume in facts.volumes)
        if disk.kind is TableKind.MBR and disk.signature == 0 and disk.index in (0, own) and has_partitions:
            yield _without(facts, disk)


def _without(facts: IdentityFacts, disk: DiskFacts) -> Finding:
    said = tuple(_named(facts, disk))
    signature = _proven(facts, disk)
    evidence = (f"{disk.name}, sector 0: the signature at 0x1B8 is 0", *(f"{e.where}: {e.signature:08x}" for e in said))
    title = f"{disk.name} has no signature"
    breaks = "Windows writes a new one when it first starts, and every reference to the old one breaks: "
    breaks += (
        "drive letters, so that every log-on ends at once." if _ends_log_on(facts) else "drive letters, boot menu."
    )
    doubt = ""
    if signature is not None:
        others = (each for each in facts.disks if each.signature == 0 and each != disk)
        twins = (*facts.with_signature(signature), *(each for each in others if _proven(facts, each) == signature))
        if not twins:
            data = struct.pack("<I", signature)
            change = WriteSectors(disk.index, _SIGNATURE_AT, data, bytes(4), f"the signature of {disk.name} in the MBR")
            explanation = f"{breaks} All that name this disk agree on {signature:08x}."
            found = Finding(ZERO, _severity(facts, said), title, explanation, evidence, Remedy.CHANGES, (change,))
            return replace(found, ends_log_on=_ends_log_on(facts))
        doubt = f" It was {signature:08x}, but {twins[0].name} has or had that one: detach that disk, if it is a copy."
    elif said:
        doubt = " Those that name a disk that was not given do not agree, or need not mean this one: nothing is chosen."
    return Finding(ZERO, _severity(facts, said), title, breaks + doubt, evidence, ends_log_on=_ends_log_on(facts))


def _named(facts: IdentityFacts, disk: DiskFacts) -> Iterator[_Said]:
    """Who names this disk by a signature, or may mean it."""
    windows = facts.windows
    if windows is not None and windows.volume.disk == disk.index:
        named = windows.named(windows.letter or "")
        place = None if named is None else named.place
        if named is not None and place is not None and place.signature:
            yield _Said(place.signature, f"{windows.hive}: {KEY}: {named.name}, the letter of Windows", proves=True)
    for each in facts.references:
        if each.signature and not facts.with_signature(each.signature):
            yield _Said(
                each.signature, each.where, proves=_fitting(facts, each) == [disk] or _is_only(facts, disk, each)
            )


def _fitting(facts: IdentityFacts, reference: DiskReference) -> list[DiskFacts]:
    """The disks without a signature that have a partition where the reference says."""
    at = {volume.disk for volume in facts.volumes if volume.start == reference.offset}
    return [each for each in facts.disks if each.kind is TableKind.MBR and not each.signature and each.index in at]


def _is_only(facts: IdentityFacts, disk: DiskFacts, reference: DiskReference) -> bool:
    """Whether a reference by number must mean the disk: these are all, and it alone has no signature."""
    without = [each for each in facts.disks if each.kind is TableKind.MBR and not each.signature]
    return facts.is_complete and reference.offset is None and without == [disk]


def _proven(facts: IdentityFacts, disk: DiskFacts) -> int | None:
    """The signature on which all agree that name the disk, one of them for certain; None where there is none."""
    said = tuple(_named(facts, disk))
    wanted = {each.signature for each in said}
    return wanted.pop() if len(wanted) == 1 and any(each.proves for each in said) else None


def _severity(facts: IdentityFacts, said: tuple[_Said, ...]) -> Severity:
    windows = facts.windows
    if windows is not None and windows.version[0] == 4 and windows.mounted is None:
        return Severity.INFO  # NT 4 writes a signature only when Disk Administrator asks for it
    stops = windows is None or windows.is_nt5 or bool(facts.references)
    return Severity.BLOCKER if stops and any(each.proves for each in said) else Severity.WARNING


def _ends_log_on(facts: IdentityFacts) -> bool:
    """Whether Windows starts all the same, to no use: ntldr and the kernel of NT 5 ask for no signature."""
    return facts.windows is not None and facts.windows.is_nt5


def _changed(facts: IdentityFacts) -> Iterator[Finding]:
    windows = facts.windows
    old = None if windows is None else old_signature(facts, windows)
    if windows is None or old is None:
        return
    disk = facts.disks[windows.volume.disk]
    if not disk.signature:
        return
    named = windows.named(windows.letter or "")
    yield Finding(
        CHANGED,
        Severity.INFO,
        f"{disk.name} had the signature {old:08x} when Windows last ran; now it has {disk.signature:08x}",
        "A converter wrote it anew. Whatever names the old one means no disk any more.",
        (
            f"{windows.hive}: {KEY}: {windows.letter} is {named}",
            f"{disk.name}, sector 0: {disk.signature:08x} at 0x1B8",
        ),
    )


def _collisions(facts: IdentityFacts) -> Iterator[Finding]:
    by_name: dict[str, list[DiskFacts]] = {}
    for disk in facts.disks:
        if disk.kind is TableKind.MBR and disk.signature:
            by_name.setdefault(f"signature {disk.signature:08x}", []).append(disk)
        elif disk.kind is TableKind.GPT and disk.guid:
            by_name.setdefault(f"GUID {{{disk.guid}}}", []).append(disk)
    for name, disks in by_name.items():
        if len(disks) > 1:
            yield _collision(facts, name, disks)


def _collision(facts: IdentityFacts, name: str, disks: list[DiskFacts]) -> Finding:
    windows = facts.windows
    names = " and ".join(each.name for each in disks)
    alike = len({each.sector_sum for each in disks}) < len(disks)
    concerned = windows is not None and windows.version[0] in (4, 5) and windows.volume.disk in {d.index for d in disks}
    how = "Windows takes one of them offline, or gives it a new one: drive letters and boot menu may then mean nothing."
    if concerned and alike:
        how = "Sector 0 adds up to the same on both, so that its kernel cannot tell from which it was started. " + how
    sums = "the same" if alike else "different numbers"
    return Finding(
        COLLISION,
        Severity.WARNING,
        f"{names} have the same {name}",
        f"{how} Detach the one that is not wanted, or give it a new one in a running Windows (diskpart, uniqueid).",
        (f"{names}: {name}; their sectors 0 add up to {sums}",),
        leaves_open=concerned and alike,
    )


CHECK = Check(Stage.IDENTITY, 10, DOCS, lambda guest: check(guest.identity), needs=Need.NOTHING)
