r"""Gate 1 on NT 4 to Server 2003: are ntldr, NTDETECT.COM and boot.ini there, or was the system partition left behind?

What copies a machine volume by volume, or its ``C:`` alone, leaves the small partition with these three files behind.
They belong in the root of the active partition, which may as well be that of Windows itself (Microsoft KB 100525,
"Definition of System and Boot Partition").
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.boot import search
from bootgraft.boot.bios.loaders import BOOT_CODE_SIZE, Loader, named_in
from bootgraft.boot.search import FoundWindows
from bootgraft.changes import Change, WriteFile
from bootgraft.checks.chain.ntldr.new_menu import new_menu, only_windows
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import BootgraftError
from bootgraft.machine import Machine, Volume
from bootgraft.windows.installation import Installation, read_installation
from bootgraft.windows.product import Product
from bootgraft.windows.versions import SERVER_2003

if TYPE_CHECKING:  # most machines have their loader
    from bootgraft.drivers.guest.start_files import StartFiles

ID = "ntldr-start-files-missing"
_LOADER, _DETECTION, _MENU = _FILES = "ntldr", "NTDETECT.COM", "boot.ini"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows NT 4 to Server 2003 on MBR disks",
    cause="The system partition was left behind: the volume with Windows was copied alone, and ntldr, NTDETECT.COM and "
    "boot.ini are on none of the disks. Or one of them was deleted: 'NTLDR is missing', 'NTDETECT failed'.",
    evidence="The files that are missing in the root of the active partition (where none is active: of the one that "
    "has some of them, or of the Windows' own), the Windows that they are to start, and where copies lie.",
    fix="ntldr and NTDETECT.COM are copied from where this machine keeps others (ServicePackFiles\\i386, dllcache, "
    "\\i386; packed ones too), else from a donor: another machine with the same Windows or a later one, given by "
    "`--drivers IMAGE` or `--boot-code IMAGE`, or its setup medium (`--drivers`: ISO or folder). A boot.ini is written "
    "where there is none. The active flag, MBR code and boot code are what active-partition-wrong, mbr-code-missing "
    "and boot-sector-code-missing repair then.",
    limits="Only where exactly one Windows is on the given disks, and ntldr starts it. The loader is never of an "
    "earlier release than the Windows. Not where another volume has a loader: that one may be meant. Windows must lie "
    "on a primary partition where none is active.",
    symptoms=(Symptom.NTLDR_MISSING, Symptom.NO_BOOTABLE_DEVICE, Symptom.MISSING_SYSTEM),
    references=(
        "https://support.microsoft.com/kb/100525",
        "https://ftp.zx.net.nz/pub/archive/ftp.microsoft.com/MISC/KB/en-us/322/952.HTM",
        "https://ftp.zx.net.nz/pub/archive/ftp.microsoft.com/MISC/KB/en-us/271/484.HTM",
    ),
)


class _Lost(Struct, frozen=True):
    """What is missing in the root of ``system``, and the only Windows."""

    system: Volume
    missing: tuple[str, ...]
    windows: FoundWindows
    product: Product


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the only Windows is one that ntldr starts, and ntldr or NTDETECT.COM is not there."""
    lost = _find_lost(guest)
    if lost is None:
        return
    try:
        installation = read_installation(lost.windows.volume, lost.windows.directory, default_boot=False)
    except BootgraftError as error:
        yield _finding(guest, lost, (), (f"{error.where}: {error.what}",))
        return
    from bootgraft.drivers.guest.start_files import choose, none_given  # most machines have their loader

    files = choose(guest.machine, installation, guest.start_files or none_given)
    if files is None:
        searched = "no ntldr with NTDETECT.COM of this release or a later one was found on the given disks"
        yield _finding(guest, lost, (), (searched,), wanted=installation)
        return
    taken = f"{files.source} has both, of NT {files.version[0]}.{files.version[1]}"
    yield _finding(guest, lost, tuple(_changes(lost, files)), (taken,))


def _find_lost(guest: Guest) -> _Lost | None:
    """What is missing where that is certain; None where nothing is, or other checks know more."""
    chain, sectors = guest.chain, guest.first_sectors
    if chain.default is not None or chain.menu is not None or chain.store is not None or sectors is None:
        return None
    if sectors.wanted is not None or chain.unsupported_volume is not None or len(chain.others) != 1:
        return None
    certain, _ = only_windows(guest.machine)
    if certain is None:
        return None
    windows, product = certain
    system = sectors.active or _half_emptied(guest.machine) or windows.volume
    if system.kind not in search.OPENABLE or _starts_elsewhere(guest.machine, system):
        return None
    missing = tuple(each for each in _FILES if not search.has(system, f"\\{each}"))
    if _LOADER not in missing and _DETECTION not in missing:
        return None
    return _Lost(system, missing, windows, product)


def _half_emptied(machine: Machine) -> Volume | None:
    """The one partition of disk 0 that can be active and has some of the files still; None where there is none."""
    primaries = (each for each in machine.disks[0].volumes if not each.partition.logical)
    found = [each for each in primaries if any(search.has(each, f"\\{name}") for name in _FILES)]
    return found[0] if len(found) == 1 else None


def _starts_elsewhere(machine: Machine, system: Volume) -> bool:
    """Whether another volume has a loader: its partition may be meant to be active, or its disk to be the first."""
    loaders = (f"\\{_LOADER}", "\\bootmgr", "\\freeldr.sys")
    others = [each for each in machine.volumes() if each is not system]
    return any(search.has(each, loader) for each in others for loader in loaders)


def _finding(
    guest: Guest,
    lost: _Lost,
    changes: tuple[Change, ...],
    evidence: tuple[str, ...],
    *,
    wanted: Installation | None = None,
) -> Finding:
    obstacle = _obstacle(lost)
    meaning = "The machine stops before any driver is loaded: the boot sector, or the BIOS, finds nothing to start."
    if obstacle is not None:
        changes, meaning = (), f"{meaning} {obstacle}"
    elif wanted is not None:
        later = " or a later Windows up to Server 2003" if wanted.version < SERVER_2003 else ""
        meaning += (
            f" Give `repair --boot-code IMAGE`, the disk image of another machine with {wanted.product}{later} (ntldr "
            "of an earlier Windows does not start it), or `repair --drivers SOURCE`, the setup medium of such a "
            "Windows (ISO or folder), which has both in i386."
        )
    meaning += _code_words(lost.system) if changes else ""
    by_donor = wanted is not None and obstacle is None
    return Finding(
        ID,
        Severity.BLOCKER,
        _title(guest.machine, lost),
        meaning,
        (
            f"{lost.system.name}: in the root is no {' and no '.join(lost.missing)}",
            f"the only Windows is {lost.windows}, NT {lost.product.version[0]}.{lost.product.version[1]}",
            *evidence,
        ),
        Remedy.CHANGES if changes else Remedy.BOOT_CODE if by_donor else Remedy.NONE,
        changes,
        explains=True,
    )


def _code_words(system: Volume) -> str:
    """What else it takes: a boot sector that starts ntldr."""
    if named_in(system.device.read(0, min(BOOT_CODE_SIZE, system.device.size))) is Loader.NTLDR:
        return ""
    return (
        f" The boot sector of {system.name} has no code that starts ntldr: that comes from another volume of this "
        "machine, from \\BOOTSECT.BAK, a donor or `--boot-code IMAGE`."
    )


def _title(machine: Machine, lost: _Lost) -> str:
    if not any(search.has(volume, f"\\{name}") for volume in machine.volumes() for name in _FILES):
        return "the system partition was left behind: ntldr, NTDETECT.COM and boot.ini are on none of the given disks"
    missing = [each for each in lost.missing if each != _MENU]
    return f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing on {lost.system.name}"


def _obstacle(lost: _Lost) -> str | None:
    """Why a BIOS could not start from there, even with these files."""
    if lost.system.disk:
        return f"{lost.windows} is not on disk 0, which a BIOS starts from: give the image that starts first."
    if lost.system.partition.logical:
        return (
            f"{lost.system.name} is a logical partition, which cannot be the active one: give the image that has the "
            "system partition, or make a primary partition for it."
        )
    return None


def _changes(lost: _Lost, files: "StartFiles") -> Iterator[Change]:
    contents = {_LOADER: files.loader, _DETECTION: files.detection}
    for name in lost.missing:
        path = lost.system.file(f"\\{name}")
        if name in contents:
            yield WriteFile(path, contents[name], None, files.source)
        else:
            data = new_menu(lost.windows, lost.product)
            yield WriteFile(path, data, None, "a new boot.ini for the only Windows on the disks", old=b"")


CHECK = Check(Stage.CHAIN, 25, (DOC,), find)
