r"""Gate 5: do the volumes still have the letters that everything in the registry counts on?

The letter of Windows' own volume comes from its SOFTWARE (``SystemRoot``), never from what would be usual: a Windows
that was installed on ``D:`` must stay there.
"""

from collections.abc import Iterator

from bootgraft.changes import Change, CreateKey
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.identity.identity_facts import IdentityFacts, VolumeFacts, WindowsFacts
from bootgraft.checks.identity.moved_volumes import (
    Moved,
    delete_entry,
    moved_letters,
    old_place,
    rename,
    set_entry,
)
from bootgraft.checks.symptom import Symptom
from bootgraft.windows.mounted_devices import KEY

SYSTEM = "system-volume-letter-wrong"
DATA = "data-volume-letter-stale"
_LETTERS = "CDEFGHIJKLMNOPQRSTUVWXYZ"
_DRIVE_LETTERS = "https://www.betaarchive.com/wiki/index.php?title=Microsoft_KB_Archive/234048"
_MOUNT_MANAGER = (
    "https://learn.microsoft.com/windows-hardware/drivers/storage/"
    "supporting-mount-manager-requests-in-a-storage-class-driver"
)
DOCS = (
    FindingDoc(
        id=SYSTEM,
        applies_to="Windows 2000 and later. A blocker for 2000, XP and Server 2003, a warning for Vista and later, "
        "which find their own volume without this value while nothing else has its letter",
        cause="SYSTEM\\MountedDevices names volumes by disk signature and offset (MBR) or by GUID (GPT). After a "
        "converter changed one of these, or moved the partition, the letter that Windows was installed under stays "
        "reserved for a volume that is gone, and its own volume gets another one: Windows comes as far as the log-on "
        "and ends every session at once (userinit.exe is not found), without any STOP.",
        evidence="SystemRoot and PathName in SOFTWARE, the value of that letter, the name of the volume now, and any "
        "other letter that it has.",
        fix="\\DosDevices\\<letter> becomes the name of the volume, other letters of that volume go, and its "
        "\\??\\Volume{...} goes with it where that named a volume that is gone.",
        limits="Only where SOFTWARE can be read and says one letter. Volumes of dynamic disks have names that "
        "bootgraft cannot read. Where MountedDevices says nothing of volume or letter (after sysprep), it is a warning "
        "and only for 2000 to 2003, and only where the order in which they give letters (active partition first, then "
        "logical drives, then further primary partitions) comes to another one.",
        symptoms=(Symptom.LOG_ON_LOOP,),
        references=(
            _DRIVE_LETTERS,
            _MOUNT_MANAGER,
        ),
    ),
    FindingDoc(
        id=DATA,
        applies_to="Windows 2000 and later",
        cause="As for system-volume-letter-wrong, but of another volume: services, shares and page files that lie on "
        "it are not found under its old letter.",
        evidence="The old name in MountedDevices, the volume that it means now, and what proves that.",
        fix="\\DosDevices\\<letter> becomes the name of the volume, and its \\??\\Volume{...} goes with it.",
        limits="Only where it is proven which volume is meant: the disk has the signature that is named (or had it, by "
        "the letter of Windows' own volume on it), and the partition begins there, or its boot sector still says that "
        "it did; for logical drives only the former. Volumes that have another letter by now are left alone, as are "
        "letters of disks that were not given.",
        symptoms=(Symptom.DRIVES_MISSING,),
        references=(_DRIVE_LETTERS,),
    ),
)


def check(facts: IdentityFacts) -> tuple[Finding, ...]:
    """One finding about Windows' own letter, and one for each other letter that is proven to have lost its volume."""
    windows = facts.windows
    if windows is None:
        return ()
    stale = tuple(_stale(windows, each) for each in moved_letters(facts))
    return (*_system(facts, windows), *stale)


def _system(facts: IdentityFacts, windows: WindowsFacts) -> Iterator[Finding]:
    known_as, letter = windows.volume.known_as, windows.letter
    if known_as is None or windows.version < (5, 0):
        return
    if letter is None:
        if windows.is_nt5 and windows.own_letters:
            yield _says_two(windows)
        return
    named = windows.named(letter)
    if named is not None and named.data == known_as:
        return
    if named is None and not _letters_of(windows, windows.volume):
        yield from _unassigned(facts, windows, letter)
        return
    yield Finding(
        SYSTEM,
        Severity.BLOCKER if windows.is_nt5 else Severity.WARNING,
        f"Windows was installed as {letter}, but its volume {windows.volume.name} would get another letter",
        _consequence(windows),
        (_installed_as(windows), *_names_now(facts, windows, letter)),
        Remedy.CHANGES,
        tuple(_restore(facts, windows, letter, known_as)),
        ends_log_on=windows.is_nt5,
    )


def _consequence(windows: WindowsFacts) -> str:
    if windows.is_nt5:
        return (
            "It starts, but every log-on ends at once: userinit.exe and the page file are looked for under the old "
            "letter. There is no STOP."
        )
    return (
        "Windows Vista and later mostly find their own volume all the same, but where another volume takes the letter, "
        "the log-on fails or ends in an empty desktop."
    )


def _installed_as(windows: WindowsFacts) -> str:
    said = ", ".join(f"{name}={letter}" for name, letter in windows.own_letters)
    return f"SOFTWARE, Microsoft\\Windows NT\\CurrentVersion: {said}"


def _names_now(facts: IdentityFacts, windows: WindowsFacts, letter: str) -> Iterator[str]:
    place = f"{windows.hive}: {KEY}"
    named = windows.named(letter)
    if named is None:
        yield f"{place}: there is no \\DosDevices\\{letter}"
    else:
        other = facts.volume_known_as(named.data)
        means = "no given volume has that name" if other is None else f"that is {other.name}, which gets one anew"
        yield f"{place}: \\DosDevices\\{letter} names {named}; {means}"
    disk = facts.disks[windows.volume.disk]
    own = f"signature {disk.signature:08x}" if disk.signature is not None else f"GUID {{{disk.guid}}}"
    yield f"{windows.volume.name} begins at byte {windows.volume.start} of the disk with {own}"
    for each in _letters_of(windows, windows.volume):
        yield f"{place}: its name is that of \\DosDevices\\{each}"


def _letters_of(windows: WindowsFacts, volume: VolumeFacts) -> tuple[str, ...]:
    return tuple(each.letter for each in windows.mounted or () if each.letter and each.data == volume.known_as)


def _restore(facts: IdentityFacts, windows: WindowsFacts, letter: str, known_as: bytes) -> Iterator[Change]:
    """The own letter for the volume, no other one, and the name that mounted folders go by."""
    named = windows.named(letter)
    if windows.mounted is None:
        yield CreateKey(windows.hive, KEY)
    yield set_entry(windows, f"\\DosDevices\\{letter}" if named is None else named.name, known_as)
    for entry in windows.mounted or ():
        if entry.letter not in (None, letter) and entry.data == known_as:
            yield delete_entry(windows, entry)
    if named is not None and old_place(facts, windows) is not None:
        yield from rename(windows, named.data, known_as)


def _says_two(windows: WindowsFacts) -> Finding:
    return Finding(
        SYSTEM,
        Severity.WARNING,
        "it cannot be determined which letter the volume of Windows must have: its registry names two",
        "Under another letter than the one it was installed under, every log-on ends at once. Userinit may tell which.",
        (_installed_as(windows),),
        command=("reg", "query", "IMAGE", r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"),
        leaves_open=True,
    )


def _unassigned(facts: IdentityFacts, windows: WindowsFacts, letter: str) -> Iterator[Finding]:
    """MountedDevices says nothing of volume or letter: told only where Windows would come to another letter."""
    expected = assigned_letter(facts, windows)
    known_as = windows.volume.known_as
    if not windows.is_nt5 or expected == letter or known_as is None:
        return
    yield Finding(
        SYSTEM,
        Severity.WARNING,
        f"Windows was installed as {letter}, but would give its volume {expected or 'no letter'}",
        f"Nothing in MountedDevices names the volume, so that Windows gives it a letter anew. {_consequence(windows)}",
        (
            _installed_as(windows),
            f"{windows.hive}: {KEY} names neither {windows.volume.name} nor {letter}",
            "letters go to active partitions first, then to logical drives, then to further primary partitions",
        ),
        Remedy.CHANGES,
        tuple(_restore(facts, windows, letter, known_as)),
        leaves_open=True,
    )


def assigned_letter(facts: IdentityFacts, windows: WindowsFacts) -> str | None:
    """The letter that Windows 2000 to 2003 would give its own volume, which has none (Knowledge Base 234048)."""
    taken = {each.letter for each in windows.mounted or () if each.letter}
    free = (f"{each}:" for each in _LETTERS if f"{each}:" not in taken)
    for volume in _in_order(facts):
        if _letters_of(windows, volume):
            continue
        letter = next(free, None)
        if volume == windows.volume:
            return letter
    return None


def _in_order(facts: IdentityFacts) -> list[VolumeFacts]:
    """Volumes with a file system as letters are given: a primary partition of each disk, logical drives, the rest."""
    volumes = [each for each in facts.volumes if each.has_filesystem]
    firsts: list[VolumeFacts] = []
    for disk in facts.disks:
        primary = [each for each in volumes if each.disk == disk.index and not each.logical]
        firsts += ([each for each in primary if each.active] or primary)[:1]
    logical = [each for each in volumes if each.logical]
    return [*firsts, *logical, *(each for each in volumes if each not in firsts and not each.logical)]


def _stale(windows: WindowsFacts, moved: Moved) -> Finding:
    entry, volume = moved.entry, moved.volume
    known_as = volume.known_as or b""
    changes = (set_entry(windows, entry.name, known_as), *rename(windows, entry.data, known_as))
    return Finding(
        DATA,
        Severity.WARNING,
        f"{entry.letter} was {volume.name}, which would get another letter",
        "What is configured to lie there is not found: services, shares, page files, databases.",
        (f"{windows.hive}: {KEY}: {entry.name} names {entry}, which no given volume is called", moved.proof),
        Remedy.CHANGES,
        changes,
    )


CHECK = Check(Stage.IDENTITY, 30, DOCS, lambda guest: check(guest.identity))
