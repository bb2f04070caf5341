r"""Gate 5 on a domain controller: does it reach the database of its directory when it starts?

``lsass.exe`` opens it before anybody can log on. Where it cannot, the machine stops with 0xC00002E2 (up to Server 2003
0xC00002E1) and starts again, for ever.
"""

from collections.abc import Iterator, Sequence

from bootgraft.checks.check import Check
from bootgraft.checks.finding import FaultPlace, Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.identity.data_places import DataPlace, Ground
from bootgraft.checks.session.offline_disks import OfflineDisk, by_hand, offline_disks, online_all, policy_is_changed
from bootgraft.checks.symptom import Symptom
from bootgraft.errors import FileMissingError, FileSystemError, PartitionTableError
from bootgraft.filesystems.base import parts
from bootgraft.machine import IF_COMPLETE, Volume
from bootgraft.text import printable
from bootgraft.windows.data.data_paths import DataUse
from bootgraft.windows.data.san_policy import sharing_signs
from bootgraft.windows.versions import VISTA

OFFLINE = "domain-database-offline"
MISSING = "domain-database-missing"
NOT_GIVEN = "domain-database-disk-not-given"

_STOP = "https://learn.microsoft.com/troubleshoot/windows-server/active-directory/dc-not-start-c00002e2-error"
_SAN = "https://learn.microsoft.com/windows/win32/api/vds/ne-vds-vds_san_policy"
_STOPS = "A domain controller that cannot open it stops with 0xC00002E2 and starts again, for ever."
_PATHS = "Services\\NTDS\\Parameters (DSA Database file, Database log files path, DSA Working Directory)"
DOCS = (
    FindingDoc(
        id=OFFLINE,
        applies_to="domain controllers from Server 2008 on, with several disks",
        cause=f"The database of Active Directory, its logs or its working directory ({_PATHS}) lie on a disk that "
        "Windows has not met on the new controller, and SanPolicy leaves new disks offline: 2, as servers have it, "
        f"those on a shared bus (SCSI, SAS, virtio, VMBus); 3 all of them. {_STOPS}",
        evidence="The paths and their volume, SanPolicy, and the controller.",
        fix="SanPolicy becomes 1 (bring all disks online) in every control set. Set it back afterwards, if you want: "
        "`diskpart`, `san policy=offlineshared`.",
        limits="A blocker where it is sure; NVMe, RAID controllers and SanPolicy 4 leave it open, and on a controller "
        "that Windows has met before it is only info. Where disks may be shared with other machines (cluster service, "
        "MPIO, an iSCSI initiator that starts by itself, a Fibre Channel adapter) it is only done by `--fix "
        f"{OFFLINE}`: bringing disks online that another machine uses corrupts them. By hand: start in Directory "
        "Services Restore Mode (F8), bring the disk online in Disk Management, start again.",
        references=(_SAN, _STOP, "https://www.vcloudnine.de/stop-c00002e2-after-changing-scsi-controller-to-pvscsi/"),
        symptoms=(Symptom.C00002E2, Symptom.RESTART_LOOP),
    ),
    FindingDoc(
        id=MISSING,
        applies_to="domain controllers from Windows 2000 on",
        cause="The file of the database, or the folder of its logs, is not on the volume that its path leads to, "
        f"which is a given one: {_STOPS}",
        evidence="The path, the volume, and what is not there.",
        fix="None. Restore the volume, or start in Directory Services Restore Mode and restore the system state.",
        limits="Paths that go through a mounted folder or a link are not followed. Up to Server 2003 the code is "
        "0xC00002E1.",
        references=(_STOP,),
        symptoms=(Symptom.C00002E2, Symptom.RESTART_LOOP),
    ),
    FindingDoc(
        id=NOT_GIVEN,
        applies_to="domain controllers from Windows 2000 on",
        cause="The path of the database, its logs or its working directory has a letter whose volume is on no given "
        f"disk. {_STOPS}",
        evidence="The path, and what the letter names.",
        fix="None. Give that disk too, in BIOS order; copy it, if it was left behind.",
        limits="Leaves the verdict open; a blocker with --these-are-all-disks.",
        references=(_STOP,),
        symptoms=(Symptom.C00002E2, Symptom.RESTART_LOOP),
        fault_in=FaultPlace.OUTSIDE,
    ),
)

_MAX_LISTED = 12


def find(guest: Guest) -> Iterator[Finding]:
    """What keeps a domain controller from its database."""
    places = [each for each in guest.data_places if each.path.use.is_directory_service]
    if not places:
        return
    yield from _offline(guest, places)
    absent = [each for each in places if each.ground is Ground.NOT_GIVEN]
    if absent:
        yield _not_given(guest, absent)
    lacking = [text for each in places if (text := _lacking(guest, each))]
    if lacking:
        yield Finding(
            MISSING,
            Severity.BLOCKER,
            "the Active Directory database is not where the registry says",
            f"{_STOPS} Restore that volume, or start in Directory Services Restore Mode and restore the system state.",
            tuple(lacking),
            stop_code=_stop_code(guest),
        )


def _offline(guest: Guest, places: Sequence[DataPlace]) -> Iterator[Finding]:
    installation, hive = guest.installation, guest.hive
    if installation is None or hive is None:
        return
    disks = {each.index: each for each in offline_disks(guest)}
    affected = [each for each in places if each.volume is not None and each.volume.disk in disks]
    if not affected:
        return
    found = [disks[index] for index in sorted({each.volume.disk for each in affected if each.volume is not None})]
    signs = tuple(sharing_signs(hive, installation.select.default))
    is_sure = any(each.sure for each in found)
    is_open = any(not each.was_met for each in found)
    evidence = (
        *listed(affected),
        *(f"disk {each.index}: {each.reason}" for each in found),
        *(f"disks may be shared with other machines: {sign}" for sign in signs),
    )
    yield Finding(
        OFFLINE,
        Severity.BLOCKER if is_sure else Severity.WARNING if is_open else Severity.INFO,
        f"the Active Directory database lies on disk {found[0].index}, which Windows "
        f"{'will leave' if is_sure else 'may leave'} offline",
        f"{_STOPS} {_advice(found, signs)}",
        evidence,
        Remedy.CHANGES if policy_is_changed(guest, found) else Remedy.OFFERED,
        tuple(online_all(hive, installation)),
        _stop_code(guest) if is_sure else None,
        leaves_open=is_open and not is_sure,
    )


def _advice(found: Sequence[OfflineDisk], signs: Sequence[str]) -> str:
    restore_mode = "start in Directory Services Restore Mode (F8) and "
    if signs:
        return (
            f"As disks may be shared, it is only changed by `--fix {OFFLINE}`: detach shared disks for the first "
            f"start. Or {restore_mode}{by_hand(found[0].index)}"
        )
    return f"With SanPolicy 1 Windows brings it online by itself. By hand, {restore_mode}{by_hand(found[0].index)}"


def _not_given(guest: Guest, absent: Sequence[DataPlace]) -> Finding:
    is_all = guest.machine.is_complete
    return Finding(
        NOT_GIVEN,
        Severity.BLOCKER if is_all else Severity.WARNING,
        f"the Active Directory database lies on {absent[0].path.letter}, whose disk was not given",
        f"{_STOPS} Give that disk too, after the others; if it was left behind, copy it from the source. "
        f"{IF_COMPLETE[0].upper()}{IF_COMPLETE[1:]}."
        if not is_all
        else f"{_STOPS} The disk is said to exist no longer: restore the database onto a volume with that letter.",
        listed(absent),
        stop_code=_stop_code(guest) if is_all else None,
        leaves_open=True,
        fault_in=FaultPlace.OUTSIDE,
    )


def listed(places: Sequence[DataPlace]) -> tuple[str, ...]:
    """The paths, for evidence: a server may have hundreds of profiles."""
    more = (f"and {len(places) - _MAX_LISTED} more",) if len(places) > _MAX_LISTED else ()
    return (*map(_shown, places[:_MAX_LISTED]), *more)


def _shown(place: DataPlace) -> str:
    """A path with its value and what its letter names, for evidence."""
    named = f"; {place.path.letter} is {place.volume.name}" if place.volume is not None else ""
    if place.volume is None and place.entry is not None:
        named = f"; {place.path.letter} is {place.entry}"
    return f"{place.path.use.value}: {printable(str(place.path))} ({place.path.where}){named}"


def _lacking(guest: Guest, place: DataPlace) -> str | None:
    """What is not there of a path on a given volume; None where it is, or where that cannot be determined."""
    if place.volume is None or place.path.use is DataUse.WORKING:
        return None  # lsass makes that one anew
    volumes = [each for each in guest.machine.volumes() if each.name == place.volume.name]
    if len(volumes) != 1 or not _is_absent(volumes[0], place.path.rest):
        return None
    return f"{volumes[0].name}: there is no {printable(place.path.rest or str(place.path))} ({place.path.where})"


def _is_absent(volume: Volume, path: str) -> bool:
    if volume.kind is None:
        return False
    at = ""
    try:
        for name in parts(path):
            at = f"{at}\\{name}"
            if volume.filesystem().stat(at).reparse_tag:
                return False
    except FileMissingError:
        return True
    except (FileSystemError, PartitionTableError):  # told elsewhere
        return False
    return False


def _stop_code(guest: Guest) -> str:
    is_new = guest.installation is not None and guest.installation.version >= VISTA
    return "0xc00002e2" if is_new else "0xc00002e1"


CHECK = Check(Stage.SESSION, 60, DOCS, find)
