"""Does Windows lie on a dynamic disk or in a fault-tolerant set, and can it be reached there?"""

from collections.abc import Iterator

from bootgraft.boot.unusable import Unusable, UnusableKind
from bootgraft.checks.controller.facts import hive_file
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Severity
from bootgraft.registry.hive import Hive
from bootgraft.storage.ldm import is_dynamic
from bootgraft.windows.installation import Installation, control_set_name
from bootgraft.windows.services import read_service

VOLUME = "dynamic-disk-volume"
DRIVER = "dynamic-disk-driver"
FAULT_TOLERANT = "fault-tolerant-set"
_REFERENCE = (
    "https://learn.microsoft.com/windows-server/storage/disk-management/change-a-dynamic-disk-back-to-a-basic-disk"
)
DOCS = (
    FindingDoc(
        id=VOLUME,
        applies_to="Windows 2000 and later",
        cause="The volume is spanned, striped, mirrored or RAID-5 on dynamic disks, or the disk's LDM database does "
        "not tell. A simple volume with an entry in the partition table is read and written like any partition.",
        evidence="The volume in the LDM database, how it lies on its disks, and those that were not given.",
        fix="None: make the volume simple (break the mirror) on the source machine, and convert it again.",
        limits="Nothing is written: one half of a mirror, or a piece of a set, must not change alone; `repair` and "
        "`reg` end with exit status 3. The database is read, not judged.",
        references=(_REFERENCE,),
    ),
    FindingDoc(
        id=DRIVER,
        applies_to="Windows 2000 and later on a dynamic disk",
        cause="A driver without which Windows cannot reach a dynamic disk is no boot driver: dmio and dmload "
        "(Windows 2000 to Server 2003), volmgrx (Vista and later).",
        evidence="The service's Start value, which must be 0, or its absence.",
        fix="None by itself: set Start to 0 in each control set, as the finding says, if the driver's file is there.",
        limits="",
        references=(_REFERENCE,),
    ),
    FindingDoc(
        id=FAULT_TOLERANT,
        applies_to="Windows NT 4 and 2000",
        cause="The partition is a member of a mirror, stripe or volume set of Windows NT 4 (ftdisk).",
        evidence="Its type in the MBR, which has the bit 0x80.",
        fix="None: break the set on the source machine, and convert it again.",
        limits="Nothing is written: half a mirror must not change alone; `repair` and `reg` end with exit status 3.",
        references=("https://learn.microsoft.com/windows/win32/fileio/disk-partition-types",),
    ),
)
_IDS = {UnusableKind.DYNAMIC: VOLUME, UnusableKind.FAULT_TOLERANT: FAULT_TOLERANT}
_BEFORE_VISTA, _SINCE_VISTA = ("dmio", "dmload"), ("volmgrx",)


def check(cause: Unusable | None) -> tuple[Finding, ...]:
    """One finding where the volume lies on several disks, or may."""
    if cause is None or cause.kind not in _IDS:
        return ()
    return (
        Finding(
            _IDS[cause.kind],
            Severity.WARNING,
            f"the volume {cause.volume.name} is {cause.what}",
            f"bootgraft writes nothing there: its pieces must change together. {cause.advice}.",
            (f"{cause.volume.name}: {cause.evidence}",),
            leaves_open=True,
        ),
    )


def check_drivers(installation: Installation, hive: Hive) -> tuple[Finding, ...]:
    """A finding for each driver that a Windows on a dynamic disk needs at its start and does not start."""
    if not is_dynamic(installation.volume.partition) or installation.version < (5, 0):
        return ()
    names = _BEFORE_VISTA if installation.version < (6, 0) else _SINCE_VISTA
    return tuple(
        _not_started(installation, number, name, start)
        for number in installation.control_sets
        for name, start in _idle(hive, number, names)
    )


def _idle(hive: Hive, number: int, names: tuple[str, ...]) -> Iterator[tuple[str, int | None]]:
    for name in names:
        service = read_service(hive, number, name)
        if service is None or service.start != 0:
            yield name, None if service is None else service.start


def _not_started(installation: Installation, number: int, name: str, start: int | None) -> Finding:
    control_set = control_set_name(number)
    is_default = number == installation.select.default
    key = f"{control_set}\\Services\\{name}"
    shown = "there is no such key" if start is None else f"Start is {start}"
    how = (
        "Its driver is missing: make the disk basic on the source machine, and convert it again."
        if start is None
        else f"Set it with `bootgraft reg set IMAGE 'HKLM\\SYSTEM\\{key}' --value Start --type REG_DWORD --data 0`."
    )
    return Finding(
        DRIVER,
        Severity.BLOCKER if is_default else Severity.WARNING,
        f"{name} is no boot driver in {control_set}, but Windows lies on a dynamic disk",
        f"Without it Windows cannot reach its own volume. {how}",
        (f"{hive_file(installation)}: {key}: {shown}",),
        stop_code=INACCESSIBLE_BOOT_DEVICE if is_default else None,
    )
