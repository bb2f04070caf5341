"""Has a CD-ROM drive taken the letter of a data volume? What is configured to lie there is on the volume still.

That happens where a data disk was offline, or not attached, when Windows first started on the new machine: its letter
was free, and a drive that Windows had not met takes the first free one. Brought online, the volume gets another letter.
"""

from collections.abc import Iterator, Sequence

from bootgraft.boot import search
from bootgraft.changes import Change
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.identity.data_places import DataPlace, Ground
from bootgraft.checks.identity.identity_facts import VolumeFacts, WindowsFacts
from bootgraft.checks.identity.moved_volumes import delete_entry, set_entry
from bootgraft.checks.symptom import Symptom
from bootgraft.text import printable
from bootgraft.windows.data.data_paths import DataUse
from bootgraft.windows.mounted_devices import KEY

ID = "data-letter-taken"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 2000 and later",
    cause="A page file, programs, profiles or the database of a domain controller have a letter that MountedDevices "
    "gives to a drive for discs or sticks, or to nothing, while they lie on a given volume that has another letter or "
    "none: the data disk was offline or missing at the first start on the new machine, and a CD-ROM drive took its "
    "letter.",
    evidence="The paths, what MountedDevices says of their letter, and the one volume that has them.",
    fix="\\DosDevices\\<letter> becomes the name of that volume, and other letters of it go; the drive gets another "
    "one by itself. Only by `--fix data-letter-taken` where it is not the database of a domain controller.",
    limits="Only where exactly one other given volume has every one of these paths. A blocker for a domain controller, "
    "else a warning.",
    symptoms=(Symptom.C00002E2,),
    references=("https://github.com/kubevirt/kubevirt/issues/11936",),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding for each letter that was taken from a volume that is known."""
    windows = guest.identity.windows
    by_letter: dict[str, list[DataPlace]] = {}
    for each in guest.data_places if windows is not None else ():
        if each.ground is Ground.REMOVABLE or (each.ground is Ground.UNKNOWN and each.entry is None):
            by_letter.setdefault(each.path.letter, []).append(each)
    for letter, places in by_letter.items():
        volume = _holding(guest, places)
        if windows is not None and volume is not None:
            named = [
                each.letter or "" for each in windows.mounted or () if each.letter and each.data == volume.known_as
            ]
            if named or places[0].ground is Ground.REMOVABLE:
                yield _finding(windows, letter, places, volume, named)


def _holding(guest: Guest, places: Sequence[DataPlace]) -> VolumeFacts | None:
    """The one given volume, other than that of Windows, that has all these paths."""
    found = {
        each.name for each in guest.machine.volumes() if all(search.has(each, place.path.rest) for place in places)
    }
    facts = guest.identity
    own = None if facts.windows is None else facts.windows.volume
    volumes = [each for each in facts.volumes if each.name in found and each != own and each.known_as is not None]
    return volumes[0] if len(volumes) == 1 else None


def _finding(
    windows: WindowsFacts, letter: str, places: Sequence[DataPlace], volume: VolumeFacts, named: Sequence[str]
) -> Finding:
    uses = tuple(dict.fromkeys(each.path.use for each in places))
    is_grave = DataUse.DATABASE in uses
    entry = places[0].entry
    has = f"is {entry}" if entry is not None else "is not named"
    return Finding(
        ID,
        Severity.BLOCKER if is_grave else Severity.WARNING,
        f"{letter} should be {volume.name}, but is {'a CD-ROM or removable drive' if entry else 'no volume'}",
        f"Windows looks for {' and '.join(uses)} on {letter} and does not find it.",
        (
            *(f"{each.path.use}: {printable(str(each.path))} ({each.path.where})" for each in places),
            f"{windows.hive}: {KEY}: {letter} {has}; {volume.name} has {' and '.join(named) or 'no letter'}",
            f"only {volume.name} has {' and '.join(dict.fromkeys(printable(each.path.rest) for each in places))}",
        ),
        Remedy.CHANGES if is_grave else Remedy.OFFERED,
        tuple(_changes(windows, letter, volume)),
        ("0xc00002e2" if windows.version[0] >= 6 else "0xc00002e1") if is_grave else None,
    )


def _changes(windows: WindowsFacts, letter: str, volume: VolumeFacts) -> Iterator[Change]:
    named = windows.named(letter)
    yield set_entry(windows, f"\\DosDevices\\{letter}" if named is None else named.name, volume.known_as or b"")
    for entry in windows.mounted or ():
        if entry.letter not in (None, letter) and entry.data == volume.known_as:
            yield delete_entry(windows, entry)


CHECK = Check(Stage.IDENTITY, 35, (DOC,), find)
