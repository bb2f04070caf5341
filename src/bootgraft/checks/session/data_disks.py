"""What of this Windows lies on disks that stay offline at the first start, or that were not given at all."""

from collections.abc import Iterator, Sequence

from bootgraft.changes import Change, RegistryData, SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.identity.data_places import DataPlace, Ground
from bootgraft.checks.session.domain_database import listed
from bootgraft.checks.session.offline_disks import OfflineDisk, by_hand, offline_disks, online_all, policy_is_changed
from bootgraft.checks.symptom import Symptom
from bootgraft.machine import IF_COMPLETE
from bootgraft.registry.values import multi_data
from bootgraft.windows.data.data_paths import DataUse
from bootgraft.windows.data.san_policy import sharing_signs
from bootgraft.windows.installation import control_set_name, hive_file
from bootgraft.windows.mounted_devices import DeviceKind

OFFLINE = "data-disk-offline"
NOT_GIVEN = "data-disk-not-given"
PAGE_FILE = "page-file-disk-gone"
_SAN = "https://learn.microsoft.com/windows-server/administration/windows-commands/san"
DOCS = (
    FindingDoc(
        id=OFFLINE,
        applies_to="Windows Vista and Server 2008 and later, with several disks",
        cause="Windows has not met the disk on the new controller, and its policy (Services\\partmgr\\Parameters, "
        "SanPolicy) leaves new disks offline: 2, as servers have it, those on a shared bus (SCSI, SAS, virtio, VMBus; "
        "not IDE and SATA); 3 all of them. Its volumes are missing at the first start, and with them page files, "
        "programs, profiles, shares. The letter of an offline volume is free, and a CD-ROM drive that Windows has not "
        "met takes the first free one.",
        evidence="SanPolicy, the controller, and what the registry says lies on the disk.",
        fix="Bring it online in the started Windows: Disk Management, or diskpart (`select disk`, `online disk`, "
        "`attributes disk clear readonly`). Or `--fix data-disk-offline` sets SanPolicy to 1 (bring all online) in "
        "every control set: never do that while a disk is attached that another machine uses, which would corrupt it.",
        limits="A warning where a page file, programs, profiles or SYSVOL lie there for certain, else info. NVMe, RAID "
        "controllers and SanPolicy 4 may or may not count. Decided disk by disk: what Windows has met on that very "
        "controller stays as it was.",
        symptoms=(Symptom.DRIVES_MISSING,),
        references=(_SAN, "https://learn.microsoft.com/azure/virtual-machines/windows/prepare-for-upload-vhd-image"),
    ),
    FindingDoc(
        id=NOT_GIVEN,
        applies_to="Windows 2000 and later",
        cause="A page file, programs, user profiles or SYSVOL have a letter whose volume is on no given disk: a data "
        "disk was left out, or left behind.",
        evidence="The paths, and what MountedDevices says of their letters.",
        fix="Give that disk too. If it no longer exists, --these-are-all-disks says so.",
        limits="Info where Windows reaches disks of a storage network (cluster, MPIO, iSCSI, Fibre Channel), which "
        "nobody gives, and where the page file of a machine of Azure's lies on its temporary disk. Letters that "
        "MountedDevices does not name, and those of dynamic volumes, are not judged; nor is "
        "any while Windows does not know a given disk by its name: that may be the one, under a new signature.",
        symptoms=(Symptom.DRIVES_MISSING,),
        references=("https://learn.microsoft.com/azure/virtual-machines/managed-disks-overview#temporary-disk",),
        fault_in=FaultPlace.OUTSIDE,
    ),
    FindingDoc(
        id=PAGE_FILE,
        applies_to="Windows 2000 and later, with --these-are-all-disks",
        cause="A page file is configured on a letter whose volume is on no given disk, and these are all disks: "
        "Windows starts with a small temporary one, and tells so at every log-on.",
        evidence="The entry of PagingFiles, and what MountedDevices says of its letter.",
        fix="The entry gets the letter of Windows, with its sizes, in every control set.",
        limits="Only where SOFTWARE says which letter that is.",
        references=(),
    ),
)
_AZURE_AGENT = "WindowsAzureGuestAgent"
_LETTERS = "DEFGHIJKLMNOPQRSTUVWXYZ"


def find(guest: Guest) -> Iterator[Finding]:
    """One finding about disks that stay offline, and one about letters of disks that were not given."""
    disks = offline_disks(guest)
    if disks and not policy_is_changed(guest, disks):
        yield _offline(guest, disks)
    absent = [
        each for each in guest.data_places if each.ground is Ground.NOT_GIVEN and not each.path.use.is_directory_service
    ]
    changes = tuple(_moved_page_files(guest, absent)) if guest.machine.is_complete else ()
    if changes:
        files = [each for each in absent if each.path.use is DataUse.PAGE_FILE]
        absent = [each for each in absent if each not in files]
        yield _gone(files, changes)
    if absent:
        signs = (
            *(f"it may be a disk of a storage network: {sign}" for sign in _sharing(guest)),
            *(f"it may be the temporary disk that Azure gives a machine: {sign}" for sign in _temporary(guest, absent)),
        )
        yield _not_given(absent, signs, is_all=guest.machine.is_complete)


def _offline(guest: Guest, disks: Sequence[OfflineDisk]) -> Finding:
    sure = {each.index for each in disks if each.sure}
    indexes = {each.index for each in disks}
    affected = [
        each
        for each in guest.data_places
        if each.volume is not None and each.volume.disk in indexes and not each.path.use.is_directory_service
    ]
    is_grave = any(each.volume is not None and each.volume.disk in sure for each in affected)
    names = " and ".join(f"disk {each.index}" for each in disks)
    letter = _taken_by_cdrom(guest, indexes)
    taken = (
        f" Until then its letter {letter} is free, and a CD-ROM drive of the new machine takes it: give the letter "
        "back in Disk Management afterwards."
        if letter
        else ""
    )
    signs = _sharing(guest)
    return Finding(
        OFFLINE,
        Severity.WARNING if is_grave else Severity.INFO,
        f"Windows {'leaves' if sure else 'may leave'} {names} offline at its first start",
        f"{_meaning(affected)} In the started Windows, {by_hand(disks[0].index)}{taken} "
        f"`--fix {OFFLINE}` lets Windows bring every disk online "
        "by itself: not while a disk is attached that another machine uses.",
        (
            *(f"disk {each.index}: {each.reason}" for each in disks),
            *listed(affected),
            *(f"disks may be shared with other machines: {sign}" for sign in signs),
        ),
        Remedy.OFFERED,
        () if guest.hive is None or guest.installation is None else tuple(online_all(guest.hive, guest.installation)),
    )


def _meaning(affected: Sequence[DataPlace]) -> str:
    if not affected:
        return "What lies there is missing until somebody brings it online."
    uses = " and ".join(dict.fromkeys(each.path.use.value for each in affected))
    return f"It holds {uses}, which are missing until somebody brings it online."


def _taken_by_cdrom(guest: Guest, offline: set[int]) -> str | None:
    """The letter of a volume on such a disk that is the first free one while the disk is offline."""
    facts = guest.identity
    windows = facts.windows
    for each in _LETTERS if windows is not None else ():
        letter = f"{each}:"
        entry = None if windows is None else windows.named(letter)
        if windows is None or letter == windows.letter:
            continue
        if entry is None or entry.kind is DeviceKind.INTERFACE:
            return None  # free, or that of the old drive
        volume = facts.volume_known_as(entry.data)
        if volume is None:
            return None
        if volume.disk in offline:
            return letter
    return None


def _gone(files: Sequence[DataPlace], changes: tuple[Change, ...]) -> Finding:
    return Finding(
        PAGE_FILE,
        Severity.WARNING,
        f"a page file is configured on {files[0].path.letter}, whose disk no longer exists",
        "Windows starts with a small temporary one, and tells so at every log-on.",
        listed(files),
        Remedy.CHANGES,
        changes,
    )


def _sharing(guest: Guest) -> tuple[str, ...]:
    """What says that disks may be shared with other machines."""
    if guest.hive is None or guest.installation is None:
        return ()
    return tuple(sharing_signs(guest.hive, guest.installation.select.default))


def _temporary(guest: Guest, absent: Sequence[DataPlace]) -> Iterator[str]:
    """What says that nothing but page files lie on Azure's temporary disk, which is empty after each move."""
    if guest.hive is None or guest.installation is None or {each.path.use for each in absent} != {DataUse.PAGE_FILE}:
        return
    key = f"{control_set_name(guest.installation.select.default)}\\Services\\{_AZURE_AGENT}"
    if guest.hive.key(key) is not None:
        yield key


def _not_given(absent: Sequence[DataPlace], signs: Sequence[str], *, is_all: bool) -> Finding:
    letters = " and ".join(dict.fromkeys(each.path.letter for each in absent))
    advice = (
        "The disk is said to exist no longer: set up again what was on it."
        if is_all
        else f"Give that disk too, after the others; {IF_COMPLETE}."
    )
    return Finding(
        NOT_GIVEN,
        Severity.INFO if signs and not is_all else Severity.WARNING,
        f"{letters} is needed, and its disk was not given",
        f"{_lost(absent)} {advice}",
        (*listed(absent), *signs),
        fault_in=FaultPlace.OUTSIDE,
    )


def _lost(absent: Sequence[DataPlace]) -> str:
    uses = " and ".join(dict.fromkeys(each.path.use.value for each in absent))
    return f"Windows starts without that disk, but not with what lies there: {uses}."


def _moved_page_files(guest: Guest, absent: Sequence[DataPlace]) -> Iterator[Change]:
    """Page files on letters that are gone get the letter of Windows, with their sizes, in every control set."""
    installation, hive, windows = guest.installation, guest.hive, guest.identity.windows
    gone = {each.path.letter for each in absent if each.path.use is DataUse.PAGE_FILE}
    if installation is None or hive is None or windows is None or windows.letter is None or not gone:
        return
    for number in installation.control_sets:
        key = hive.key(f"{control_set_name(number)}\\Control\\Session Manager\\Memory Management")
        value = None if key is None else key.value("PagingFiles")
        entries = None if value is None else value.multi()
        if key is None or value is None or entries is None:
            continue
        moved = dict.fromkeys(windows.letter + each[2:] if each[:2].upper() in gone else each for each in entries)
        if tuple(moved) != entries:
            wanted = RegistryData(value.type, multi_data(moved))
            yield SetValue(hive_file(installation), key.path, value.name, wanted, RegistryData(value.type, value.data))


CHECK = Check(Stage.SESSION, 61, DOCS, find)
