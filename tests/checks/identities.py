r"""The machine of the story as the checks of identity see it, the ways in which it loses its names, and what a repair
makes of it.

Disk 0 has the loader (``C:``, active), Windows (``D:``) and data (``E:``), each once begun at a track and known by it.
"""

import struct

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.changes import Change, CreateKey, DeleteValue, FileId, SetValue, WriteSectors
from bootgraft.checks.finding import Finding
from bootgraft.checks.identity.identity_facts import DiskFacts, IdentityFacts, VolumeFacts, WindowsFacts
from bootgraft.storage.disks.partitions import TableKind
from bootgraft.windows.mounted_devices import MountedDevice, gpt_identity, mbr_identity

OLD, NEW = 0x5E0A71C3, 0x77777777
HIVE = FileId(0, 63 * 512, "disk 0 partition 2", "\\WINDOWS\\system32\\config\\SYSTEM")
TRACKS, MEGABYTES = (63, 33_000, 99_000), (2048, 34_816, 100_352)
"""Where the three volumes begin, in sectors: as they were laid out, and as a converter aligns them."""
GUIDS = tuple(f"0D2B7E51-8C40-4B67-8F00-51E2A0C3D00{number}" for number in range(1, 5))
DISK_GUID = "6F1C1B64-3E21-4A1F-9A3C-0B7C5D0E8A11"


class Entry(Struct, frozen=True):
    """One letter and its volume's name, as MountedDevices has them."""

    letter: str
    data: bytes


def mbr_disk(index: int = 0, signature: int = OLD, *, total: int = 1) -> DiskFacts:
    return DiskFacts(index, f"disk {index}", TableKind.MBR, signature, None, total)


def mbr_volume(
    number: int, start: int, *, signature: int = OLD, disk: int = 0, hidden: int | None = None, **more: bool
) -> VolumeFacts:
    name = f"disk {disk} partition {number}"
    known_as = mbr_identity(signature, start * 512) if signature else None
    return VolumeFacts(disk, name, start * 512, number, known_as, start if hidden is None else hidden, **more)


def entries(*found: Entry, names: bool = True) -> tuple[MountedDevice, ...]:
    r"""The values of these letters, each with a ``\??\Volume{…}`` where ``names``."""
    values = []
    for index, each in enumerate(found):
        if names:
            values.append(MountedDevice(rf"\??\Volume{{5f40939{index}-181b-11e2-be2d-806d6172696f}}", each.data))
        values.append(MountedDevice(rf"\DosDevices\{each.letter}:", each.data))
    return tuple(values)


def letters(signature: int = OLD, starts: tuple[int, ...] = TRACKS) -> tuple[Entry, ...]:
    """C:, D: and E: for volumes that begin there."""
    return tuple(
        Entry(letter, mbr_identity(signature, start * 512)) for letter, start in zip("CDE", starts, strict=True)
    )


def story(
    *,
    signature: int = OLD,
    starts: tuple[int, ...] = TRACKS,
    hidden: tuple[int, ...] = TRACKS,
    mounted: tuple[Entry, ...] | None = None,
    version: tuple[int, int] = (5, 2),
    root: str = "D:",
    further: tuple[DiskFacts, ...] = (),
    names: bool = True,
) -> IdentityFacts:
    """The story's machine; ``signature`` and ``starts`` are its disk's now, ``mounted`` and ``hidden`` what it says."""
    volumes = tuple(
        mbr_volume(number, start, signature=signature, hidden=old, active=number == 1)
        for number, (start, old) in enumerate(zip(starts, hidden, strict=True), start=1)
    )
    values = entries(*(letters() if mounted is None else mounted), names=names)
    own = (("SystemRoot", root), ("PathName", root))
    windows = WindowsFacts(volumes[1], "Microsoft Windows Server 2003", version, HIVE, own, values)
    return IdentityFacts((mbr_disk(signature=signature), *further), volumes, windows)


def gpt(known: str = GUIDS[1], attributes: int = 0, *, version: tuple[int, int] = (10, 0)) -> IdentityFacts:
    """A UEFI machine whose Windows (C:) calls its volume by the GUID ``known``."""
    disk = DiskFacts(0, "disk 0", TableKind.GPT, None, DISK_GUID, 1)
    volumes = tuple(
        VolumeFacts(0, f"disk 0 partition {n}", n << 20, n, gpt_identity(guid), attributes=attributes if n == 2 else 0)
        for n, guid in enumerate(GUIDS[:2], start=1)
    )
    values = entries(Entry("C", gpt_identity(known)), names=False)
    windows = WindowsFacts(volumes[1], "Windows 10 Pro", version, HIVE, (("SystemRoot", "C:"),), values)
    unhiding = (WriteSectors(0, 1024 + 128 + 48, bytes(8), attributes.to_bytes(8, "little"), "the attributes"),)
    return IdentityFacts((disk,), volumes, windows, (), unhiding if attributes else ())


def fixed(facts: IdentityFacts, findings: tuple[Finding, ...]) -> IdentityFacts:
    """The facts after the changes of these findings were carried out, each with its precondition."""
    for finding in findings:
        for change in finding.changes:
            facts = _after(facts, change)
    return facts


def _after(facts: IdentityFacts, change: Change) -> IdentityFacts:
    windows = facts.windows
    assert windows is not None
    match change:
        case CreateKey():
            assert windows.mounted is None
            return replace(facts, windows=replace(windows, mounted=()))
        case SetValue() | DeleteValue():
            present = [each for each in windows.mounted or () if each.name == change.name]
            before = present[0].data if present else None
            assert before == (None if change.before is None else change.before.data)
            kept = tuple(each for each in windows.mounted or () if each.name != change.name)
            if isinstance(change, SetValue):
                kept = (*kept, MountedDevice(change.name, change.value.data))
            return replace(facts, windows=replace(windows, mounted=kept))
        case WriteSectors(disk=0, offset=0x1B8):
            (signature,) = struct.unpack("<I", change.data)
            volumes = tuple(
                replace(each, known_as=mbr_identity(signature, each.start)) if each.disk == 0 else each
                for each in facts.volumes
            )
            own = replace(windows, volume=volumes[facts.volumes.index(windows.volume)])
            disks = (replace(facts.disks[0], signature=signature), *facts.disks[1:])
            return replace(facts, disks=disks, volumes=volumes, windows=own)
        case WriteSectors():
            own = replace(windows, volume=replace(windows.volume, attributes=0))
            return replace(facts, windows=own, unhiding=())
        case _:
            raise AssertionError(change)
