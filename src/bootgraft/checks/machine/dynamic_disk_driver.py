"""Does a Windows that lies on a dynamic disk start the drivers without which it cannot reach it?"""

from collections.abc import Iterator

from bootgraft.checks.check import Check
from bootgraft.checks.finding import INACCESSIBLE_BOOT_DEVICE, Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.machine.dynamic_disk import REFERENCE
from bootgraft.checks.symptom import Symptom
from bootgraft.registry.hive import Hive
from bootgraft.windows.installation import Installation, control_set_name, hive_file
from bootgraft.windows.services import read_service

ID = "dynamic-disk-driver"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows 2000 and later on a dynamic disk",
    cause="A driver without which Windows cannot reach a dynamic disk is no boot driver: dmio and dmload "
    "(Windows 2000 to Server 2003), volmgrx (Vista and later).",
    evidence="The service's Start value, which must be 0, or its absence.",
    fix="None by itself: set Start to 0 in each control set, as the finding says, if the driver's file is there.",
    limits="",
    symptoms=(Symptom.STOP_7B,),
    references=(REFERENCE,),
)
_BEFORE_VISTA, _SINCE_VISTA = ("dmio", "dmload"), ("volmgrx",)


def check(installation: Installation, hive: Hive) -> tuple[Finding, ...]:
    """A finding for each driver that a Windows on a dynamic disk needs at its start and does not start."""
    if not installation.volume.partition.is_dynamic or installation.version < (5, 0):
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
        else "Set its Start to 0."
    )
    value = ("--value", "Start", "--type", "REG_DWORD", "--data", "0")
    command = ("reg", "set", "IMAGE", f"HKLM\\SYSTEM\\{key}", *value)
    return Finding(
        ID,
        Severity.BLOCKER if is_default else Severity.WARNING,
        f"{name} is no boot driver in {control_set}, but Windows lies on a dynamic disk",
        f"Without it Windows cannot reach its own volume. {how}",
        (f"{hive_file(installation)}: {key}: {shown}",),
        stop_code=INACCESSIBLE_BOOT_DEVICE if is_default else None,
        command=() if start is None else command,
    )


def _find(guest: Guest) -> tuple[Finding, ...]:
    if guest.installation is None or guest.hive is None:
        return ()
    return check(guest.installation, guest.hive)


CHECK = Check(Stage.MACHINE, 60, (DOC,), _find)
